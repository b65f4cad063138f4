"""How much of the loop's time callers may have: purses that fill, queues that wait, one start in each pass of the loop.

The loop carries the presses, too. Whoever has spent its share waits, its connection unread, until the share is there
again; between two starts the loop looks after everything else.
"""

import logging
import time
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, Protocol

_log = logging.getLogger(__name__)

_SHORTEST_WAIT_SECONDS = 0.005
_PRUNE_FROM = 1024
Start = Callable[[], None]


class Loop(Protocol):
    """What a budget needs of an event loop."""

    def time(self) -> float:
        """Seconds, monotonic."""
        ...

    def call_later(self, delay: float, callback: Callable[[], None], /) -> object:
        """Call back in `delay` seconds."""
        ...

    def call_soon(self, callback: Callable[[], None], /) -> object:
        """Call back in the next pass."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the loop's time.

    Attributes:
        rate: seconds of work in each second.
        burst_seconds: what is saved up by who asks for nothing.
    """

    rate: float
    burst_seconds: float


class Purse:
    """Seconds of work that somebody may still have; it may be overdrawn once, and then has to fill first."""

    __slots__ = ("_at", "_left", "_share")

    def __init__(self, share: Share, now: float) -> None:
        self._share = share
        self._left = share.burst_seconds
        self._at = now

    def left(self, now: float) -> float:
        """Seconds that may be spent; none below nought."""
        grown = self._left + (now - self._at) * self._share.rate
        self._left, self._at = min(self._share.burst_seconds, grown), now
        return self._left

    def take(self, seconds: float, now: float) -> None:
        """Spend, though it be more than there is."""
        self._left = self.left(now) - seconds

    def wait(self, now: float) -> float:
        """Seconds until something is there."""
        return max(0.0, -self.left(now) / self._share.rate)

    def is_full(self, now: float) -> bool:
        """Whether nothing was spent lately."""
        return self.left(now) >= self._share.burst_seconds


class Budget:
    """What one kind of caller may have: each its share, and all of them together theirs.

    Args:
        loop: gives the time and the passes.
        each: share of one payer: an address, or a sign-in.
        together: share of all payers.
    """

    def __init__(self, loop: Loop, *, each: Share, together: Share) -> None:
        self._loop = loop
        self._each = each
        self._together = Purse(together, loop.time())
        self._purses: dict[str, Purse] = {}
        self._prune_from = _PRUNE_FROM
        self._waiting: OrderedDict[str, deque[Start]] = OrderedDict()
        self._scheduled = False

    def charge(self, payer: str, seconds: float) -> None:
        """Take work that was done from the payer and from all."""
        now = self._loop.time()
        self._purse(payer, now).take(seconds, now)
        self._together.take(seconds, now)

    def is_spent(self, payer: str) -> bool:
        """Whether the payer has to wait."""
        now = self._loop.time()
        return self._together.wait(now) > 0 or self._purse(payer, now).wait(now) > 0

    def ask(self, payer: str, start: Start) -> None:
        """Call `start` when it is the payer's turn; payers take turns, each one's own starts keep their order."""
        self._waiting.setdefault(payer, deque()).append(start)
        self._schedule(0.0)

    def withdraw(self, payer: str, start: Start) -> None:
        """Forget a start that was asked for."""
        queue = self._waiting.get(payer)
        if queue is not None and start in queue:
            queue.remove(start)
            if not queue:
                del self._waiting[payer]

    def _purse(self, payer: str, now: float) -> Purse:
        purse = self._purses.get(payer)
        if purse is None:
            if len(self._purses) >= self._prune_from:
                self._prune(now)
            purse = self._purses[payer] = Purse(self._each, now)
        return purse

    def _prune(self, now: float) -> None:
        self._purses = {payer: purse for payer, purse in self._purses.items() if not purse.is_full(now)}
        self._prune_from = max(_PRUNE_FROM, 2 * len(self._purses))

    def _schedule(self, delay: float) -> None:
        if self._scheduled:
            return
        self._scheduled = True
        if delay > 0:
            self._loop.call_later(max(delay, _SHORTEST_WAIT_SECONDS), self._serve)
        else:
            self._loop.call_soon(self._serve)

    def _serve(self) -> None:
        """Start one, and come back in the next pass; if nobody may go on, when somebody may."""
        self._scheduled = False
        now = self._loop.time()
        delay = self._together.wait(now)
        if delay <= 0:
            able = next((payer for payer in self._waiting if self._purse(payer, now).wait(now) <= 0), None)
            if able is not None:
                self._start_of(able)
            elif self._waiting:
                delay = min(self._purse(payer, now).wait(now) for payer in self._waiting)
        if self._waiting:
            self._schedule(delay)

    def _start_of(self, payer: str) -> None:
        queue = self._waiting.pop(payer)
        start = queue.popleft()
        if queue:
            self._waiting[payer] = queue
        try:
            start()
        except Exception:  # a fault of one caller's must not leave the others waiting
            _log.exception("a request could not begin")


async def metered(work: Coroutine[Any, Any, None], charge: Callable[[float], None]) -> None:
    """Await `work` and charge the processor seconds of each of its steps on this thread."""
    await _steps(work, charge)


@types.coroutine
def _steps(work: Coroutine[Any, Any, None], charge: Callable[[float], None]) -> Generator[Any, Any, None]:
    thrown: BaseException | None = None
    while True:
        before = time.thread_time()
        try:
            awaited = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration:
            return
        finally:
            charge(time.thread_time() - before)
        thrown = None
        try:
            yield awaited
        except BaseException as error:  # whatever it is, it is the work's
            thrown = error
