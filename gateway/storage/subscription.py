"""Waiting for the journal to grow."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

# Turns of the loop. Who was waited for ends its work, it is acknowledged, the acknowledgement is written out.
_ANSWERING_TURNS = 3
# A reader that goes first reads, those that it feeds are woken, and what they send is written out.
_SHOWING_TURNS = 3


@dataclass(frozen=True, slots=True)
class _Waiting:
    after: int
    first: bool


class Waiters:
    """Who waits for a position; woken on the loop, behind the commit and what acknowledges it.

    Args:
        last: the newest position that is there.
    """

    def __init__(self, last: Callable[[], int]) -> None:
        self._last = last
        self._waiting: dict[asyncio.Future[None], _Waiting] = {}
        self._due = False

    def wake_soon(self) -> None:
        """Wake who waits for less than the newest position, once this turn's acknowledgements are out.

        Readers of the journal (screens, incidents, destinations) do much for each event: a press must not wait for them
        to be acknowledged, nor a guard's screen for the others.
        """
        if not self._due:
            self._due = True
            self._pass_turn(_ANSWERING_TURNS + _SHOWING_TURNS)

    def _pass_turn(self, left: int) -> None:
        if left == _SHOWING_TURNS:
            self._wake([each for each, waiting in self._waiting.items() if waiting.first])
        if left:
            asyncio.get_running_loop().call_soon(self._pass_turn, left - 1)
        else:
            self._due = False
            self._wake(list(self._waiting))

    def _wake(self, futures: Iterable["asyncio.Future[None]"]) -> None:
        last = self._last()
        for future in futures:
            if self._waiting[future].after >= last:
                continue
            del self._waiting[future]
            if not future.done():
                future.set_result(None)

    def wake_all(self) -> None:
        """Wake everybody: nothing more will come."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, after: int, *, first: bool) -> None:
        """Wait until something lies behind `after`; who goes `first` is woken before the others."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = _Waiting(after, first)
        try:
            await future
        finally:
            self._waiting.pop(future, None)


class Subscription:
    """A durable reader's way to sleep until there is something to read.

    A reader wakes by notification and should pass a time-out as its slow poll.
    """

    def __init__(self, waiters: Waiters, last: Callable[[], int], *, first: bool) -> None:
        self._waiters = waiters
        self._last = last
        self._first = first

    async def wait(self, after: int, timeout: float | None = None) -> int:  # noqa: ASYNC109  # a reader's poll
        """Wait until the journal's last position is beyond `after`, or `timeout` seconds; the last position."""
        if self._last() <= after:
            try:
                async with asyncio.timeout(timeout):
                    await self._waiters.wait(after, first=self._first)
            except TimeoutError:
                pass
        return self._last()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass
