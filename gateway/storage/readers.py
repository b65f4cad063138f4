"""Reading without blocking the loop: a few threads, each with a connection that cannot write."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.storage.database import open_reader
from gateway.storage.faults import StorageFailedError

Result = TypeVar("Result")


class Readers:
    """A small pool of reading threads over one file."""

    def __init__(self, path: Path, name: str, threads: int = 2) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """The result of `query` on a read-only connection, computed in a thread.

        Raises:
            StorageFailedError: the file cannot be read, or the store is closed.
        """
        if self._closed:
            raise StorageFailedError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._with_connection, query)

    def _with_connection(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return query(self._connection())
        except sqlite3.Error as error:
            raise StorageFailedError(f"cannot be read: {error}", where=str(self._path)) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
            self._open.append(connection)
        return connection

    async def close(self) -> None:
        """End the threads and close their connections."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for connection in self._open:
            connection.close()
        self._open.clear()
