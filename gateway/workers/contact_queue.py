"""The dry contacts of all cameras on their way to the alarm line: a lane for each camera, taken in turn.

One queue for all let a camera whose inputs flap without end push another one's alarm button out of it.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from gateway.clock import Clock
from gateway.workers.reports import Deliverer, Delivery

_LANE = 200
_KEPT_OF_EACH = 3


class ContactQueue:
    """A bounded lane of deliveries for each camera; one that fails for now is tried until it succeeds.

    A lane that is full keeps of each input the first two changes that wait and the newest one: one of the first two is
    a closing, so that no press that begins an alarm is left out, and the state that it ends in is always told.

    Args:
        clock: the gateway's.
        on_full: called with a camera when its lane becomes full.
    """

    def __init__(self, clock: Clock, on_full: Callable[[str], None]) -> None:
        self._deliverer = Deliverer(clock)
        self._on_full = on_full
        self._lanes: OrderedDict[str, deque[tuple[str, Delivery]]] = OrderedDict()
        self._full: set[str] = set()
        self._filled = asyncio.Event()

    def put(self, camera: str, what: str, delivery: Delivery) -> None:
        """Queue one behind those of its camera; `what` names the input."""
        lane = self._lanes.setdefault(camera, deque())
        if len(lane) >= _LANE:
            if camera not in self._full:
                self._full.add(camera)
                self._on_full(camera)
            places = [place for place, (queued, _) in enumerate(lane) if queued == what]
            if len(places) >= _KEPT_OF_EACH:
                lane[places[-1]] = (what, delivery)
                return
        lane.append((what, delivery))
        self._filled.set()

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            await self._filled.wait()
            await self.drain()
            if not self._lanes:
                self._filled.clear()

    async def drain(self) -> None:
        """Deliver what waits now, one of each camera in turn; returns early when something fails for now."""
        while self._lanes:
            camera, lane = next(iter(self._lanes.items()))
            what, delivery = lane[0]
            if not await self._deliverer.deliver(what, delivery):
                return
            lane.popleft()
            self._lanes.move_to_end(camera)
            if not lane:
                del self._lanes[camera]
                self._full.discard(camera)
