"""``state.db``: everything durable but the journal; a writer of its own, so that it never stands before a press."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from gateway.storage.database import open_guest, open_writer, remove_copies
from gateway.storage.faults import StorageDamagedError, StorageFailedError
from gateway.storage.folder import WriteGuard
from gateway.storage.readers import Readers
from gateway.storage.writer import Writer, WriterHooks

Result = TypeVar("Result")


def text_from(stored: bytes) -> str:
    """Text as it is stored; a byte that is no UTF-8 is replaced, so that one bad row keeps no other from being read."""
    return stored.decode("utf-8", "replace")


class State:
    """Writer and readers of ``state.db``, shared by the stores.

    Attributes:
        damaged: done once the file turned out to be damaged.
    """

    def __init__(self, path: Path, *, guest: bool) -> None:
        self._path = path
        self._guard = WriteGuard(path.with_name("state.lock"))
        connection = open_guest(path, "state") if guest else open_writer(path, "state")
        connection.text_factory = text_from
        self.damaged: asyncio.Future[StorageDamagedError] = asyncio.get_running_loop().create_future()
        self._writer = Writer(
            connection,
            "state-writer",
            path=path,
            guard=self._guard.hold,
            checkpoints=not guest,
            hooks=WriterHooks(on_failure=self._note_failure),
        )
        self._readers = Readers(path, "state-reader", on_damage=self._note_failure, text=text_from)

    @classmethod
    async def open(cls, directory: Path, *, guest: bool = False) -> Self:
        """Open or make the file in `directory`; as a guest, beside the process that has the folder's lock.

        Raises:
            NewerFileError: it was written by a newer version.
            StorageFailedError: it is damaged or cannot be opened.
        """
        return cls(directory / "state.db", guest=guest)

    def _note_failure(self, error: StorageFailedError) -> None:
        if isinstance(error, StorageDamagedError) and not self.damaged.done():
            self.damaged.set_result(error)

    async def write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in one transaction; returns once it is durable."""
        return await self._writer.submit(work)

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `query` on what is durable now."""
        return await self._readers.run(query)

    async def erase(self) -> None:
        """Make deleted bytes leave the write-ahead file and copies, too (`secure_delete` zeroes them in the file)."""
        await self._writer.checkpoint()
        await asyncio.to_thread(remove_copies, self._path)

    async def close(self) -> None:
        """Write what is queued and close the file."""
        await self._readers.close()  # first: whoever closes last empties the write-ahead file, and readers cannot
        await self._writer.close()
        self._guard.close()
        if not self.damaged.done():
            self.damaged.cancel()


def text_of(moment: datetime) -> str:
    """A moment as sortable text, UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> datetime:
    """The moment that `text_of` wrote."""
    return datetime.fromisoformat(text)
