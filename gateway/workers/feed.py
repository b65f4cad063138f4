"""Brings the watch-list to the cameras: sealed rows to the gallery child, its snapshot to every video child."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.events import FaceMatched
from gateway.wire import WHOLE_LIST, GalleryApplied, GalleryRows, GallerySnapshot, Message, SealedRow
from gateway.workers.outfit import GALLERY
from gateway.workers.ports import RowSource
from gateway.workers.states import GalleryState

_LOG = logging.getLogger(__name__)
_CHUNK_ROWS, _TURN_ROWS = 500, 2_000
_RETRY_SECONDS = 2.0


class FedWorker(Protocol):
    """What the feed asks of a child."""

    name: str

    @property
    def ready(self) -> bool:
        """Whether it lives and can work."""
        ...

    def offer(self, message: Message, fds: Sequence[int] = ()) -> bool:
        """Send without waiting."""
        ...

    async def send(self, message: Message) -> bool:
        """Send, waiting while too much is queued."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """What the store had when it was read last: a revision, and who can be matched by it."""

    revision: int = 0
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """What the gallery child has: a revision, and of each photo's row the hash."""

    revision: int
    marks: dict[str, int]


class GalleryFeed:
    """Keeps every child on the newest watch-list; the newest snapshot stays here for children that start later.

    The rows stay sealed: the feed could not open them. A gallery child gets the whole list once, then what changed.

    Args:
        rows: the store's newest revision with all its rows.
        clock: the gateway's.
    """

    def __init__(self, rows: RowSource, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._changed = asyncio.Event()
        self._keeper: FedWorker | None = None
        self._keepers = 0
        self._sent: _Sent | None = None
        self._listed = _Listed()
        self._readers: dict[str, FedWorker] = {}
        self._applied: dict[str, int] = {}
        self._snapshot: GallerySnapshot | None = None
        self._memory: int | None = None
        self._progress = asyncio.Condition()

    def changed(self) -> None:
        """The list has a new revision."""
        self._changed.set()

    def keeper_ready(self, keeper: FedWorker) -> None:
        """The gallery child is there and knows nothing yet."""
        self._keeper, self._sent = keeper, None
        self._keepers += 1
        self._changed.set()

    def reader_ready(self, reader: FedWorker) -> None:
        """A video child is there: it gets the newest snapshot."""
        self._readers[reader.name] = reader
        self._applied[reader.name] = 0
        self._hand_to((reader,))

    async def reader_gone(self, reader: FedWorker) -> None:
        """A video child ended, and its memory with it; one whose name another one has now changes nothing."""
        if self._readers.get(reader.name) is reader:
            del self._readers[reader.name], self._applied[reader.name]
        await self._tell()

    async def run(self) -> None:
        """Feed for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not await self._is_fed():
                await self._clock.sleep(_RETRY_SECONDS)
                self._changed.set()

    async def _is_fed(self) -> bool:
        """Whether the newest revision was sent; a fault of ours is tried again, and must not end the alarm house."""
        try:
            return await self._feed()
        except Exception:
            _LOG.exception("the watch-list could not be brought to the gallery child")
            return False

    async def _feed(self) -> bool:
        """Send the newest revision; False if it must be tried again."""
        keeper, began = self._keeper, self._keepers
        try:
            revision, rows = await self._rows()
        except GatewayError as error:
            _LOG.error("the watch-list cannot be read: %s", error)
            return False
        self._listed = _Listed(revision, frozenset(row.person for row in rows))
        if keeper is None or not keeper.ready:
            return True  # its next ready begins anew
        had = self._sent or _Sent(WHOLE_LIST, {})
        marks, changed = await _compared(rows, had.marks)
        removed = sorted(had.marks.keys() - marks.keys())
        for chunk in chunks(revision, changed, removed, had.revision):
            if not await keeper.send(chunk):
                return True
        if began == self._keepers:  # else another child has begun, with nothing
            self._sent = _Sent(revision, marks)
        return True

    async def snapshot(self, snapshot: GallerySnapshot, fds: Sequence[int]) -> None:
        """The gallery child built a revision; takes over the descriptor and hands it on."""
        self._forget_memory()
        self._snapshot, self._memory = snapshot, fds[0]
        _LOG.info(
            "watch-list revision %d: %d people, %d templates, %d rows left out",
            snapshot.revision,
            snapshot.people,
            snapshot.templates,
            snapshot.skipped,
        )
        self._hand_to(self._readers.values())
        await self._tell()

    def _hand_to(self, readers: Iterable[FedWorker]) -> None:
        if self._snapshot is None or self._memory is None:
            return
        for reader in readers:
            reader.offer(self._snapshot, (self._memory,))

    def is_outdated(self, match: FaceMatched) -> bool:
        """Whether it was compared with a list that is over and its person is not on the store's, removed or expired."""
        return match.list_revision < self._listed.revision and match.person not in self._listed.people

    async def note_applied(self, message: GalleryApplied, reader: FedWorker) -> None:
        """A video child compares with a revision now."""
        if self._readers.get(reader.name) is reader:
            self._applied[reader.name] = message.revision
        await self._tell()

    async def applied(self, revision: int, within_seconds: float | None = None) -> bool:
        """Wait until no living video child compares with anything older than `revision`, nor would a new one.

        Returns:
            False if `within_seconds` passed first.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds), self._progress:
                await self._progress.wait_for(lambda: self._is_applied(revision))
        return self._is_applied(revision)

    def _is_applied(self, revision: int) -> bool:
        newest = self._snapshot.revision if self._snapshot else 0
        return newest >= revision and all(each >= revision for each in self._applied.values())

    async def _tell(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    def state(self) -> GalleryState:
        """How far the newest revision has got."""
        if self._snapshot is None:
            waiting = (GALLERY, *self._applied)
            return GalleryState(wanted=self._wanted, applied=dict(self._applied), waiting=waiting)
        newest = self._snapshot
        reached = {GALLERY: newest.revision} | self._applied
        return GalleryState(
            revision=newest.revision,
            wanted=self._wanted,
            people=newest.people,
            templates=newest.templates,
            skipped=newest.skipped,
            fingerprint=newest.fingerprint,
            applied=dict(self._applied),
            waiting=tuple(name for name, revision in reached.items() if revision < self._wanted),
        )

    @property
    def _wanted(self) -> int:
        return max(self._listed.revision, self._snapshot.revision if self._snapshot else 0)

    def close(self) -> None:
        """Let go of the snapshot's memory."""
        self._forget_memory()
        self._snapshot = None

    def _forget_memory(self) -> None:
        if self._memory is not None:
            os.close(self._memory)
        self._memory = None


def chunks(
    revision: int, rows: Sequence[SealedRow], removed: Sequence[str] = (), base: int = WHOLE_LIST
) -> Iterator[GalleryRows]:
    """A revision's rows in bounded messages; at least one, so that an empty list arrives, too."""
    count = max(1, len(rows), len(removed))
    for start in range(0, count, _CHUNK_ROWS):
        end = start + _CHUNK_ROWS
        yield GalleryRows(
            revision=revision,
            first=start == 0,
            last=end >= count,
            rows=tuple(rows[start:end]),
            base=base,
            removed=tuple(removed[start:end]),
        )


async def _compared(rows: Sequence[SealedRow], had: Mapping[str, int]) -> tuple[dict[str, int], list[SealedRow]]:
    """Of each photo a hash of its row, and the rows that are others than before.

    The loop has its turn in between, however long the list is.
    """
    marks: dict[str, int] = {}
    changed: list[SealedRow] = []
    for start in range(0, len(rows), _TURN_ROWS):
        part = rows[start : start + _TURN_ROWS]
        marks |= {row.photo: hash(row) for row in part}
        changed += [row for row in part if had.get(row.photo) != marks[row.photo]]
        await asyncio.sleep(0)
    return marks, changed
