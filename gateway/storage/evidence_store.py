"""Pictures and clips that belong to events: one sealed file each, an index, and their end."""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.errors import PermanentError
from gateway.sealing import new_key
from gateway.storage.folder import sync_folder
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements
from gateway.storage.values import ClipState, Evidence
from gateway.storage.vault import Vault

_SQL = load_statements("evidence")
_PEOPLE = load_statements("watchlist")
_log = logging.getLogger(__name__)


class PersonRemovedError(PermanentError):
    """Evidence of somebody who is no longer on the list is not kept."""


class EvidenceStore:
    """Evidence files below one folder.

    What is of somebody on the watch-list is sealed under that person's evidence key, so that it dies with the entry;
    any other under a key of its own.
    """

    def __init__(self, state: State, vault: Vault, folder: Path) -> None:
        self._state = state
        self._vault = vault
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def keep(self, evidence: Evidence, picture: bytes) -> None:
        """Seal and keep a picture; the file is durable before its row.

        Raises:
            PersonRemovedError: its person is no longer on the list.
            PermanentError: there is no room.
        """

        def work(connection: sqlite3.Connection) -> None:
            own_key, wrapped, owner = self._key_for(connection, evidence)
            sealed = self._vault.seal_evidence(picture, wrapped, owner, evidence.id)
            _write(self.path_of(evidence.id), sealed)
            connection.execute(_SQL["keep"], (*_columns(evidence), own_key))

        await self._state.write(work)

    def begin_clip(self, connection: sqlite3.Connection, evidence: Evidence) -> bytes:
        """Within a transaction: note a clip that is going to be written; the key that seals its file.

        Raises:
            PersonRemovedError: its person is no longer on the list.
        """
        own_key, wrapped, owner = self._key_for(connection, evidence)
        clip = evidence.clip or ClipState()
        connection.execute(_SQL["keep"], (*_columns(evidence), own_key))
        about = clip.state, clip.seconds, clip.size, clip.others, clip.codec, clip.clock_offset_seconds, clip.reason
        connection.execute(_SQL["begin_clip"], (evidence.id, *about))
        return self._vault.unwrap_evidence_key(wrapped, owner)

    def find(self, connection: sqlite3.Connection, evidence: str) -> tuple[Evidence, bytes] | None:
        """A piece of evidence with the key that opens its file; None if it is not there (any more)."""
        row = connection.execute(_SQL["get"], (evidence,)).fetchone()
        if row is None:
            return None
        found = _evidence(row[:-1])
        wrapped, owner = bytes(row[-1]), found.id
        if found.person:
            key = connection.execute(_PEOPLE["evidence_key"], (found.person,)).fetchone()
            if key is None:
                return None
            wrapped, owner = bytes(key[0]), found.person
        return found, self._vault.unwrap_evidence_key(wrapped, owner)

    async def get(self, evidence: str) -> Evidence | None:
        """A piece of evidence without its content; None if it is not there (any more)."""
        row = await self._state.read(lambda c: c.execute(_SQL["get"], (evidence,)).fetchone())
        return None if row is None else _evidence(row[:-1])

    def _key_for(self, connection: sqlite3.Connection, evidence: Evidence) -> tuple[bytes, bytes, str]:
        if not evidence.person:
            wrapped = self._vault.wrap_evidence_key(new_key(), evidence.id)
            return wrapped, wrapped, evidence.id
        row = connection.execute(_PEOPLE["evidence_key"], (evidence.person,)).fetchone()
        if row is None:
            raise PersonRemovedError("its person is no longer on the list", where=f"evidence {evidence.id}")
        return b"", bytes(row[0]), evidence.person

    async def open(self, evidence: str) -> tuple[Evidence, bytes] | None:
        """A piece of evidence with its picture; None if it is not there (any more).

        Raises:
            SealError: the file was changed, or is of another key.
        """

        def query(connection: sqlite3.Connection) -> tuple[Evidence, bytes] | None:
            found = self.find(connection, evidence)
            if found is None:
                return None
            about, key = found
            try:
                sealed = self.path_of(about.id).read_bytes()
            except FileNotFoundError:
                return None
            return about, self._vault.open_evidence(sealed, key, about.id)

        return await self._state.read(query)

    async def of_event(self, event: str) -> list[Evidence]:
        """What belongs to an event."""
        rows = await self._state.read(lambda c: c.execute(_SQL["of_event"], (event,)).fetchall())
        return [_evidence(row) for row in rows]

    async def gaps(self, since: datetime) -> list[tuple[str, str, str]]:
        """Clips with a gap of which no camera's own recording was noted: event, camera and person, the oldest first."""
        return await self._state.read(lambda c: c.execute(_SQL["gaps"], (text_of(since),)).fetchall())

    async def note_passage(self, events: Sequence[str], first_seen: datetime, last_seen: datetime) -> None:
        """Note when the passage of some matches began and ended, with what evidence there is of them."""
        rows = [(text_of(first_seen), text_of(last_seen), event) for event in events]
        await self._state.write(lambda c: c.executemany(_SQL["note_passage"], rows))

    async def keep_until(self, event: str, until: datetime) -> None:
        """Change when the evidence of an event goes, because it was confirmed or rejected."""
        await self._state.write(lambda c: c.execute(_SQL["keep_until"], (text_of(until), event)))

    async def purge_due(self, now: datetime) -> list[Evidence]:
        """Destroy what is due at `now`; what it was, for the record."""
        return await self._purge("due", text_of(now))

    async def purge_person(self, person: str) -> list[Evidence]:
        """Destroy all evidence of a person; what it was, for the record."""
        return await self._purge("of_person", person)

    async def _purge(self, which: str, value: str) -> list[Evidence]:
        def work(connection: sqlite3.Connection) -> list[Evidence]:
            rows = connection.execute(_SQL[which], (value,)).fetchall()
            return [found for row in rows if (found := self._destroy(connection, row)) is not None]

        purged = await self._state.write(work)
        if purged:
            await self._state.erase()
        return purged

    def _destroy(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> Evidence | None:
        """Within a transaction: destroy one; None if its row was damaged, which must not keep the others."""
        try:
            path = self.path_of(row[0])
        except PermanentError as error:
            _log.error("evidence that cannot be read is passed over: %s", error)
            return None
        path.unlink(missing_ok=True)
        connection.execute(_SQL["purge"], (row[0],))
        try:
            return _evidence(row)
        except ValueError:
            _log.error("evidence %s is destroyed without a record: its row cannot be read", row[0])
            return None

    async def sweep(self) -> int:
        """Remove files that no row names, left by a crash between file and row; their number."""
        known = await self._state.read(lambda c: {row[0] for row in c.execute(_SQL["ids"])})
        if any("\ufffd" in each for each in known):  # a name that cannot be read may be that of any file
            return 0
        left = [path for path in self._folder.iterdir() if path.name not in known and not path.is_dir()]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def path_of(self, evidence: str) -> Path:
        """Where its file is.

        Raises:
            PermanentError: it is no id.
        """
        if not evidence.replace("-", "").isalnum():
            raise PermanentError("is no id of evidence", where=evidence)
        return self._folder / evidence


def _write(path: Path, content: bytes) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as part:
            try:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
                os.replace(part.name, path)
            except OSError:
                os.unlink(part.name)  # on a full disk each try would leave one more
                raise
        sync_folder(path.parent)
    except OSError as error:
        raise PermanentError(f"a picture cannot be kept: {error.strerror}", where=str(path.parent)) from None


def _columns(evidence: Evidence) -> tuple[str, ...]:
    moments = (text_of(evidence.created), text_of(evidence.purge_after))
    return evidence.id, evidence.event, evidence.camera, evidence.person, evidence.kind, *moments


def _evidence(row: tuple[Any, ...]) -> Evidence:
    identity, event, camera, person, kind, created, purge_after, first_seen, last_seen, *about = row
    return Evidence(
        id=identity,
        event=event,
        camera=camera,
        person=person,
        kind=kind,
        created=moment_of(created),
        purge_after=moment_of(purge_after),
        clip=_clip_state(*about),
        first_seen=None if first_seen is None else moment_of(first_seen),
        last_seen=None if last_seen is None else moment_of(last_seen),
    )


def _clip_state(  # a row's columns
    state: str | None,
    seconds: float,
    size: int,
    others: int,
    late_seconds: float,
    lost_seconds: float,
    codec: str,
    clock_offset_seconds: float | None,
    reason: str,
) -> ClipState | None:
    """Of a row's last columns; None if it is a picture's."""
    if state is None:
        return None
    return ClipState(
        state=state,
        seconds=seconds,
        size=size,
        others=bool(others),
        late_seconds=late_seconds,
        lost_seconds=lost_seconds,
        codec=codec,
        clock_offset_seconds=clock_offset_seconds,
        reason=reason,
    )
