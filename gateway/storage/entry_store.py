"""Devices, cameras and destinations that were made by API; their credentials are sealed."""

import logging
import sqlite3

from gateway.errors import PermanentError
from gateway.sealing import OVERHEAD_BYTES, SealError
from gateway.storage.key_check import WrongKeyError
from gateway.storage.state import State
from gateway.storage.statements import load_statements
from gateway.storage.values import Entry
from gateway.storage.vault import Vault

_SQL = load_statements("entries")
_WITHOUT_SECRETS = OVERHEAD_BYTES + len("{}")
_log = logging.getLogger(__name__)


class EntryStore:
    """Entries beside those of the configuration file.

    Args:
        state: where they are.
        vault: seals their credentials.
        lost_key: without a master key no credentials are taken, which the next start could not open.
    """

    def __init__(self, state: State, vault: Vault, lost_key: WrongKeyError | None = None) -> None:
        self._lost_key = lost_key
        self._state = state
        self._vault = vault

    async def entries(self, kind: str) -> list[Entry]:
        """All entries of a kind, credentials opened; one whose credentials are of another key is left out.

        An entry without credentials needs no key: buttons stay known.
        """
        rows = await self._state.read(lambda c: c.execute(_SQL["entries"], (kind,)).fetchall())
        return [entry for row in rows if (entry := self._usable(kind, row)) is not None]

    async def get(self, kind: str, identity: str) -> Entry | None:
        """One entry."""
        row = await self._state.read(lambda c: c.execute(_SQL["get"], (kind, identity)).fetchone())
        return self._entry(kind, row) if row else None

    async def put(self, entry: Entry) -> None:
        """Add or replace an entry.

        Raises:
            WrongKeyError: it has credentials, and there is no master key to seal them with.
        """
        if self._lost_key is not None and entry.secrets:
            raise WrongKeyError(self._lost_key.where, self._lost_key.what)
        sealed = self._vault.seal_secrets(entry.secrets, entry.kind, entry.id)
        await self._state.write(lambda c: c.execute(_SQL["put"], (entry.kind, entry.id, entry.body, sealed)))

    async def replace(self, entry: Entry) -> None:
        """Put an entry in the place of one whose credentials were open, and erase those.

        Raises:
            WrongKeyError: as of `put`.
        """
        await self.put(entry)
        await self._state.erase()

    async def delete(self, kind: str, identity: str) -> None:
        """Remove an entry and erase its credentials.

        Raises:
            PermanentError: there is no such entry.
        """

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(_SQL["delete"], (kind, identity)).rowcount == 0:
                raise PermanentError("there is no such entry", where=f"{kind} {identity}")

        await self._state.write(work)
        await self._state.erase()

    def _usable(self, kind: str, row: tuple[str, str, bytes]) -> Entry | None:
        try:
            return self._entry(kind, row)
        except SealError as error:
            identity, body, sealed = row
            if len(sealed) == _WITHOUT_SECRETS:
                return Entry(kind=kind, id=identity, body=body, secrets={})
            _log.error("%s %s is left out: its credentials: %s", kind, identity, error)
            return None

    def _entry(self, kind: str, row: tuple[str, str, bytes]) -> Entry:
        identity, body, sealed = row
        secrets = self._vault.open_secrets(sealed, kind, identity)
        return Entry(kind=kind, id=identity, body=body, secrets=secrets)
