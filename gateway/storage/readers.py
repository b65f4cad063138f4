"""Reading without blocking the loop: a few threads, each with a connection that cannot write."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.storage.database import open_reader

Result = TypeVar("Result")


class Readers:
    """A small pool of reading threads over one file."""

    def __init__(self, path: Path, name: str, threads: int = 2) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """The result of `query` on a read-only connection, computed in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._with_connection, query)

    def _with_connection(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
            self._open.append(connection)
        return query(connection)

    async def close(self) -> None:
        """End the threads and close their connections."""
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for connection in self._open:
            connection.close()
        self._open.clear()
