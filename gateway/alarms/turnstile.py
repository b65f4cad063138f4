"""One password check at a time, who waits in turn: many wrong tries of one side keep nobody of another side out."""

import asyncio
from collections import OrderedDict, deque

_PER_SIDE = 2
_MOST = 256


class Turnstile:
    """Lets one through at a time; those of one side wait behind each other, sides take turns."""

    def __init__(self) -> None:
        self._sides: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0
        self._taken = False

    async def enter(self, side: str) -> bool:
        """Wait for the turn; False at once if too many of the side, or in all, wait already. Ends with `leave`."""
        if not self._taken:
            self._taken = True
            return True
        queue = self._sides.get(side)
        if self._waiting >= _MOST or (queue is not None and len(queue) >= _PER_SIDE):
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sides.setdefault(side, deque()).append(turn)
        self._waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise
        return True

    def leave(self) -> None:
        """Let the next one through."""
        while self._sides:
            side, queue = self._sides.popitem(last=False)
            turn = queue.popleft()
            self._waiting -= 1
            if queue:
                self._sides[side] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False
