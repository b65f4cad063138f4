"""Whoever comes with the same key waits for the one before; keys that nobody waits for are forgotten."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Turns:
    """One lock per key, as long as somebody wants it."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, ...], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, *key: str) -> AsyncIterator[None]:
        """Have the key's turn."""
        lock, wanted = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            lock, wanted = self._locks.pop(key)
            if wanted > 1:
                self._locks[key] = (lock, wanted - 1)


class CrowdedError(Exception):
    """So many came with the same key that one more would wait too long."""


class Crowd:
    """Counts those who are there with the same key.

    Args:
        most: of one key.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._here: Counter[str] = Counter()

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Be one of them.

        Raises:
            CrowdedError: there are too many.
        """
        if self._here[key] >= self._most:
            raise CrowdedError
        self._here[key] += 1
        try:
            yield
        finally:
            self._here[key] -= 1
            if not self._here[key]:
                del self._here[key]
