"""Reading without blocking the loop: a few threads, each with a connection that cannot write."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.storage.damage import file_fault, without_value
from gateway.storage.database import open_reader
from gateway.storage.faults import StorageDamagedError, StorageFailedError

Result = TypeVar("Result")


class Readers:
    """A small pool of reading threads over one file.

    Args:
        path: the file.
        name: of the threads.
        threads: how many.
        on_damage: on the loop, when the file turns out to be damaged.
        text: what makes text of bytes; by default bytes that are no UTF-8 are damage.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        threads: int = 2,
        on_damage: Callable[[StorageDamagedError], None] = lambda _error: None,
        text: Callable[[bytes], str] | None = None,
    ) -> None:
        self._on_damage = on_damage
        self._text = text
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """The result of `query` on a read-only connection, computed in a thread.

        Raises:
            StorageDamagedError: the file is damaged.
            StorageFailedError: the file cannot be read, or the store is closed.
        """
        if self._closed:
            raise StorageFailedError("the store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._with_connection, query)
        except StorageDamagedError as error:
            self._on_damage(error)
            raise

    def _with_connection(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return query(self._connection())
        except sqlite3.Error as error:
            raise file_fault(error, self._path, "Check the disk.", what="cannot be read: ") from without_value(error)

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
            if self._text is not None:
                connection.text_factory = self._text
            self._open.append(connection)
        return connection

    async def close(self) -> None:
        """End the threads and close their connections."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for connection in self._open:
            connection.close()
        self._open.clear()
