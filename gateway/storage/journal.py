"""The append-only journal of events: durable before it answers, once per event id, read by position."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

from gateway.clock import Clock
from gateway.events import ButtonPressed, Event, Severity, encode, recorded_at
from gateway.settings import StorageSettings
from gateway.storage.chain import GENESIS
from gateway.storage.chain_check import first_broken_event
from gateway.storage.damage import damaged, file_fault, is_damage, without_value, words_of
from gateway.storage.database import lay_out_log, open_writer
from gateway.storage.faults import StorageFailedError
from gateway.storage.folder import Ballast
from gateway.storage.insertion import Appended, AppendedAll, Head, Insertion, InsertionOfAll
from gateway.storage.passing import passes
from gateway.storage.readers import Readers
from gateway.storage.ring import Ring
from gateway.storage.scan import find_event, scan, scan_at, scan_back
from gateway.storage.statements import load_statements
from gateway.storage.subscription import Subscription, Waiters
from gateway.storage.unreadable import UnreadableEvent
from gateway.storage.values import EventFilter, Stored
from gateway.storage.writer import Result, Writer, WriterHooks, WriterStatistics

_RING = 4096
_LOG_BYTES = 4 * 1024 * 1024
_LAST = 2**63 - 1
_HIGHEST = 2**62
_SQL = load_statements("journal")
_log = logging.getLogger(__name__)


class Journal:
    """The journal of one gateway; made by `open`.

    Reading never fails because of one row: what is damaged is an `UnreadableEvent`, which passes no filter of types.

    Attributes:
        failed: done once the disk failed.
        unreadable: positions of damaged events that somebody met since the start.
        found_unreadable: set when there is a new one among them.
    """

    def __init__(self, path: Path, *, clock: Clock, settings: StorageSettings, ballast: Ballast, floor: int) -> None:
        connection = open_writer(path, "journal")
        lay_out_log(connection, path, _LOG_BYTES)
        newest = _newest(connection, path)
        self._last = newest.position
        self._committed = Head(max(newest.position, floor), newest.hash)
        self._head = replace(self._committed)
        self._clock = clock
        self._ring = Ring(_RING)
        self._waiters = Waiters(lambda: self._last)
        self.failed: asyncio.Future[StorageFailedError] = asyncio.get_running_loop().create_future()
        self.unreadable: set[int] = set()
        self.found_unreadable = asyncio.Event()
        self._readers = Readers(path, "journal-reader", on_damage=self._note_failure)
        self._writer = Writer(
            connection,
            "journal-writer",
            path=path,
            window_seconds=settings.commit_window_milliseconds / 1e3,
            hooks=WriterHooks(
                on_full=ballast.give,
                on_rollback=self._roll_back,
                on_commit=self._keep_head,
                on_results=self._publish,
                on_failure=self._note_failure,
            ),
        )

    @classmethod
    async def open(
        cls,
        directory: Path,
        *,
        clock: Clock,
        settings: StorageSettings,
        ballast: Ballast | None = None,
        floor: int = 0,
    ) -> Self:
        """Open or make ``journal.db`` in `directory`.

        Args:
            directory: the state folder.
            clock: stamps `recorded`.
            settings: of this room.
            ballast: given up when the disk is full.
            floor: the highest position that somebody has seen; none up to it is used (again), even if the journal
                was restored from a copy that ends before it. `verify` then names the gap.

        Raises:
            NewerFileError: it was written by a newer version.
            StorageFailedError: it is damaged or cannot be opened.
        """
        held = ballast or Ballast(directory, settings.reserve_megabytes)
        return cls(directory / "journal.db", clock=clock, settings=settings, ballast=held, floor=floor)

    @property
    def last_position(self) -> int:
        """Position of the newest durable event; 0 if there is none."""
        return self._last

    @property
    def works(self) -> bool:
        """Whether an event would be stored, as far as the newest try tells."""
        return not self.failed.done() and self._writer.refusing is None

    def note_room(self) -> None:
        """The disk has room again, although nothing was stored since it had none."""
        self._writer.refusing = None

    @property
    def statistics(self) -> WriterStatistics:
        """Commits, events and the newest commit's duration."""
        return self._writer.statistics

    async def append(self, event: Event) -> Stored:
        """Store an event; returns once it survives a loss of power.

        An event whose id is there already is not stored again: the old one is returned.

        Raises:
            StorageFullError: there is no room, even without the reserve.
            StorageFailedError: the disk failed; nothing is stored any more until the daemon is started anew.
        """
        return (await self._writer.submit(self._insertion(event))).stored

    def _insertion(self, event: Event) -> Insertion:
        recorded = recorded_at(event, self._clock.now())
        return Insertion(self._head, recorded, encode(recorded))

    def submit(
        self, work: Callable[[sqlite3.Connection], Result], *, patient: bool = False
    ) -> "asyncio.Future[Result]":
        """Queue other work on this file, for the same group commit and behind the appends that were asked for before.

        What is `patient` lets later appends go first; one such work at most is in a commit.

        Raises:
            StorageFailedError: the disk failed before, or the store is closed.
        """
        return self._writer.submit(work, patient=patient)

    async def append_all(self, events: Sequence[Event]) -> list[Stored]:
        """Store several events, in order and all or nothing; else as `append`."""
        insertions = [self._insertion(event) for event in events]
        return [each.stored for each in await self._writer.submit(InsertionOfAll(insertions))]

    def _roll_back(self) -> None:
        self._head.position, self._head.hash = self._committed.position, self._committed.hash

    def _keep_head(self) -> None:
        self._committed = replace(self._head)

    def _note_failure(self, error: StorageFailedError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    def _publish(self, results: list[object]) -> None:
        for result in chain.from_iterable(each if isinstance(each, AppendedAll) else (each,) for each in results):
            if not isinstance(result, Appended):
                continue
            stored = result.stored
            if not result.is_new:
                self._note_unreadable(stored)
            else:
                self._ring.add(stored)
                self._last = stored.position
        self._waiters.wake_soon()

    async def read(self, after: int = 0, limit: int = 500, filter: EventFilter | None = None) -> list[Stored]:
        """Events behind a position, in order, at most `limit` that pass the filter."""
        recent = self._ring.read(after, limit, filter) if after < self._last else []
        if recent is not None:
            return recent
        found: list[Stored] = []
        while len(found) < limit:
            page = await self._readers.run(partial(scan, after=after, limit=limit - len(found), wanted=filter))
            whole = len(page) < limit - len(found)
            found += self._usable(page, filter)
            if whole:
                break
            after = page[-1].position
        return found

    def _usable(self, page: Sequence[Stored], wanted: EventFilter | None) -> list[Stored]:
        """Without damaged events that pass the filter by their columns only: who asks for a type gets that type."""
        for stored in page:
            self._note_unreadable(stored)
        return [
            each
            for each in page
            if wanted is None or not isinstance(each.event, UnreadableEvent) or passes(wanted)(each)
        ]

    def _note_unreadable(self, stored: Stored) -> None:
        if isinstance(stored.event, UnreadableEvent) and stored.position not in self.unreadable:
            self.unreadable.add(stored.position)
            self.found_unreadable.set()

    async def at(self, positions: Sequence[int]) -> list[Stored]:
        """The events at these very positions, in their order; one that is not there (any more) is left out."""
        return self._usable(await self._readers.run(lambda connection: scan_at(connection, positions)), None)

    async def tail(self, limit: int, filter: EventFilter | None = None) -> list[Stored]:
        """The newest `limit` events that pass the filter, oldest first."""
        found: list[Stored] = []
        before = _LAST
        while len(found) < limit:
            page = await self._readers.run(partial(scan_back, before=before, limit=limit - len(found), wanted=filter))
            whole = len(page) < limit - len(found)
            found = self._usable(page, filter) + found
            if whole:
                break
            before = page[0].position
        return found

    async def find(self, event_id: str) -> Stored | None:
        """The event of that id, if it is there."""
        found = await self._readers.run(lambda connection: find_event(connection, event_id))
        if found is not None:
            self._note_unreadable(found)
        return found

    async def position_before(self, moment: datetime, most: int) -> int:
        """The position that events since a moment lie behind, of which there are at most `most`."""
        last = self._last
        values = (last - most, int(moment.timestamp() * 1e6))
        found = await self._readers.run(lambda connection: connection.execute(_SQL["lately"], values).fetchone()[0])
        return found - 1 if found else last

    def subscribe(self, *, first: bool = False) -> Subscription:
        """A way to wait for events behind a position; a context manager.

        Args:
            first: it is woken before the others, as what feeds guards' screens must be.
        """
        return Subscription(self._waiters, lambda: self._last, first=first)

    async def verify(self) -> int | None:
        """Check the hash chain; the position of the first broken event, or None."""
        return await self._readers.run(first_broken_event)

    async def close(self) -> None:
        """Commit what is queued and close the file."""
        await self._readers.close()  # first: whoever closes last empties the write-ahead file, and readers cannot
        await self._writer.close()
        self._waiters.wake_all()
        if not self.failed.done():
            self.failed.cancel()


def _newest(connection: sqlite3.Connection, path: Path) -> Head:
    try:
        found = connection.execute(_SQL["last"]).fetchone()
        last = known_position(found[0], path) if found else 0
        if found and not isinstance(found[1], bytes):
            raise damaged("the newest hash is none", path)
        _try_insert(connection, last)
    except StorageFailedError:
        connection.close()
        raise
    except sqlite3.Error as error:
        connection.close()
        raise file_fault(error, path, "Check the disk.") from without_value(error)
    return Head(*found) if found else Head(0, GENESIS)


def known_position(position: int, path: Path) -> int:
    """The position that a file tells.

    Raises:
        StorageDamagedError: it is one that no journal reaches.
    """
    if position > _HIGHEST:
        raise damaged(f"it tells of the position {position}", path)
    return position


def _try_insert(connection: sqlite3.Connection, last: int) -> None:
    """Walk, and undo, the way that a press takes through table and indexes, before one depends on it."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        row = (last + 1, f"trial {last}", ButtonPressed.TYPE, "", Severity.CRITICAL.value, 0, b"", b"", b"")
        connection.execute(_SQL["insert"], row)
    except sqlite3.Error as error:
        if is_damage(error):
            raise
        _log.warning("an append cannot be tried: %s", words_of(error))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def last_position(connection: sqlite3.Connection) -> int:
    """Position of the newest event; 0 if there is none."""
    row = connection.execute(_SQL["last"]).fetchone()
    return int(row[0]) if row else 0
