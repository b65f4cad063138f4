"""Hands the children's findings to their ports, in order, apart from the loops that listen to the children."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from gateway.clock import Clock
from gateway.errors import GatewayError, TransientError

_LOG = logging.getLogger(__name__)
_LONGEST_QUEUE = 2000
_RETRY_SECONDS = 1.0

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

    Args:
        clock: the gateway's.
    """

    def __init__(self, clock: Clock) -> None:
        self._deliverer = Deliverer(clock)
        self._queue: deque[tuple[str, Delivery]] = deque()
        self._filled = asyncio.Event()
        self._full = False

    def put(self, what: str, delivery: Delivery) -> None:
        """Queue one; when the queue is full the newest is dropped, said once in the log."""
        if len(self._queue) >= _LONGEST_QUEUE:
            if not self._full:
                _LOG.error("%d findings wait to be stored; newer ones are dropped, first %s", len(self._queue), what)
            self._full = True
            return
        self._full = False
        self._queue.append((what, delivery))
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
            what, delivery = self._queue[0]
            if not await self._deliverer.deliver(what, delivery):
                return
            self._queue.popleft()
