"""Hands the children's findings to their ports, in order, apart from the loops that listen to the children."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from gateway.clock import Clock
from gateway.errors import GatewayError, TransientError
from gateway.events import Event

_LOG = logging.getLogger(__name__)
_LONGEST_QUEUE = 2000
_RETRY_SECONDS = 1.0
# Of events in one commit; a single one is delivered as anything else is.
_AT_LEAST, _MOST_AT_ONCE = 2, 100

Delivery = Callable[[], Awaitable[object]]


class Deliverer:
    """Delivers one finding, and tells what fails for now once.

    Args:
        clock: the gateway's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing = False

    async def deliver(self, what: str, delivery: Delivery) -> bool:
        """Whether this one is settled; if not, a moment has passed."""
        try:
            await delivery()
        except TransientError as error:
            if not self._failing:
                _LOG.error("%s cannot be stored now and waits: %s", what, error)
            self._failing = True
            await self._clock.sleep(_RETRY_SECONDS)
            return False
        except GatewayError as error:
            _LOG.error("%s was refused: %s", what, error)
        except Exception:  # a fault in one finding must not hold up those behind it
            _LOG.exception("%s was lost by a fault", what)
        self._failing = False
        return True


class ReportQueue:
    """A bounded queue of deliveries; one that fails for now is tried until it succeeds, before the next.

    Events that wait behind each other are handed over together: alone, each would wait for a commit of its own, and
    hold up those behind it.

    Args:
        clock: the gateway's.
        report: takes events in order, all or nothing.
    """

    def __init__(self, clock: Clock, report: Callable[[Sequence[Event]], Awaitable[object]]) -> None:
        self._deliverer = Deliverer(clock)
        self._report = report
        self._queue: deque[_Waiting] = deque()
        self._filled = asyncio.Event()
        self._full = False
        self._alone = 0

    def put(self, what: str, delivery: Delivery) -> None:
        """Queue one; when the queue is full the newest is dropped, said once in the log."""
        self._put(_Waiting(what, delivery))

    def put_event(self, event: Event) -> None:
        """Queue an event likewise."""
        self._put(_Waiting(f"{event.TYPE} of {event.subject}", lambda: self._report((event,)), event))

    def _put(self, waiting: "_Waiting") -> None:
        if len(self._queue) >= _LONGEST_QUEUE:
            if not self._full:
                _LOG.error(
                    "%d findings wait to be stored; newer ones are dropped, first %s", len(self._queue), waiting.what
                )
            self._full = True
            return
        self._full = False
        self._queue.append(waiting)
        self._filled.set()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            await self._filled.wait()
            await self.drain()
            if not self._queue:
                self._filled.clear()

    async def drain(self) -> None:
        """Deliver what waits now; returns early when something fails for now."""
        while self._queue:
            if await self._deliver_together():
                continue
            first = self._queue[0]
            if not await self._deliverer.deliver(first.what, first.delivery):
                return
            self._queue.popleft()
            self._alone = max(0, self._alone - 1)

    async def _deliver_together(self) -> bool:
        """Whether the events at the head were settled; where one of them fails, each is delivered alone."""
        waiting = takewhile(lambda each: each.event is not None, islice(self._queue, _MOST_AT_ONCE))
        events = [each.event for each in waiting if each.event is not None]
        if self._alone or len(events) < _AT_LEAST:
            return False
        try:
            await self._report(events)
        except Exception:  # whatever it is, it is told when that one is delivered alone
            self._alone = len(events)
            return False
        for _ in events:
            self._queue.popleft()
        return True


@dataclass(frozen=True, slots=True)
class _Waiting:
    what: str
    delivery: Delivery
    event: Event | None = None
