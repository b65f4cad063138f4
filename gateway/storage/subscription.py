"""Waiting for the journal to grow."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

# Turns of the loop. Who was waited for ends its work, it is acknowledged, the acknowledgement is written out.
_ANSWERING_TURNS = 3
# A reader that goes first reads, those that it feeds are woken, and what they send is written out.
_SHOWING_TURNS = 3
# Seconds between two looks of one reader: a flood is read in pages, and costs each reader a look and no more.
_SHOWING_PAUSE = 0.002
_READING_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class _Waiting:
    after: int
    first: bool


class _Spacing:
    """Calls at once what was not called for a while, or else once that while is over.

    Args:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = 0.0
        self._planned = False

    def call(self, act: Callable[[], None]) -> None:
        """Call `act`, now or soon; one call stands for all that are asked for until then."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._planned:
            return
        if now < self._over:
            self._planned = True
            loop.call_later(self._over - now, self._end, act)
        else:
            self._end(act)

    def _end(self, act: Callable[[], None]) -> None:
        self._planned = False
        self._over = asyncio.get_running_loop().time() + self._seconds
        act()


class Waiters:
    """Who waits for a position; woken on the loop, behind the commit and what acknowledges it.

    Args:
        last: the newest position that is there.
    """

    def __init__(self, last: Callable[[], int]) -> None:
        self._last = last
        self._waiting: dict[asyncio.Future[None], _Waiting] = {}
        self._due = False
        self._screens, self._others = _Spacing(_SHOWING_PAUSE), _Spacing(_READING_PAUSE)

    def wake_soon(self) -> None:
        """Wake who waits for less than the newest position, once this turn's acknowledgements are out.

        Readers of the journal (screens, incidents, destinations) do much for each event: a press must not wait for them
        to be acknowledged, nor a guard's screen for the others. While event follows event they are woken now and then.
        """
        if not self._due:
            self._due = True
            self._pass_turn(_ANSWERING_TURNS + _SHOWING_TURNS)

    def _pass_turn(self, left: int) -> None:
        if left == _SHOWING_TURNS:
            self._screens.call(self._wake_screens)
        if left:
            asyncio.get_running_loop().call_soon(self._pass_turn, left - 1)
        else:
            self._due = False
            self._others.call(self._wake_all_readers)

    def _wake_screens(self) -> None:
        self._wake([each for each, waiting in self._waiting.items() if waiting.first])

    def _wake_all_readers(self) -> None:
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
