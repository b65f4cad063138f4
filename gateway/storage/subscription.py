"""Waiting for the journal to grow."""

import asyncio
from collections.abc import Callable
from typing import Self


class Waiters:
    """Who waits for a position; woken on the loop, behind the commit."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], int] = {}

    def wake(self, position: int) -> None:
        """Wake who waits for something at or below `position`."""
        for future in [each for each, after in self._waiting.items() if after < position]:
            del self._waiting[future]
            if not future.done():
                future.set_result(None)

    def wake_all(self) -> None:
        """Wake everybody: nothing more will come."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, after: int) -> None:
        """Wait until something lies behind `after`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = after
        try:
            await future
        finally:
            self._waiting.pop(future, None)


class Subscription:
    """A durable reader's way to sleep until there is something to read.

    A reader wakes by notification and should pass a time-out as its slow poll.
    """

    def __init__(self, waiters: Waiters, last: Callable[[], int]) -> None:
        self._waiters = waiters
        self._last = last

    async def wait(self, after: int, timeout: float | None = None) -> int:  # noqa: ASYNC109  # a reader's poll
        """Wait until the journal's last position is beyond `after`, or `timeout` seconds; the last position."""
        if self._last() <= after:
            try:
                async with asyncio.timeout(timeout):
                    await self._waiters.wait(after)
            except TimeoutError:
                pass
        return self._last()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass
