"""Python's search for cyclic garbage, tamed: one through all objects stops the loop for a tenth of a second.

A press that comes meanwhile waits. So what is there at the start is never searched again, the young are searched as
usual (a millisecond), and the old only in a quiet moment.
"""

import gc
import logging
from collections.abc import Callable

from gateway.clock import Clock

_YOUNG, _MIDDLE, _NEVER = 2_000, 10, 1_000_000
_EVERY_SECONDS = 600.0
_QUIET_SECONDS = 2.0
_PATIENCE_SECONDS = 3600.0
_log = logging.getLogger(__name__)


def tame() -> None:
    """Leave searches through old objects to `Garbage`; for a process that runs one."""
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)


def set_aside() -> None:
    """Search once, and take all that is there (modules, routes, settings) out of every later search."""
    gc.collect()
    gc.freeze()


class Garbage:
    """Searches through the old objects now and then.

    Args:
        clock: the monotonic one is asked.
        busy: a number that grows with each event; while it does, no moment is quiet.
    """

    def __init__(self, clock: Clock, busy: Callable[[], int]) -> None:
        self._clock = clock
        self._busy = busy

    async def run(self) -> None:
        """Search every ten minutes, in the first quiet moment or at the latest after an hour, for ever."""
        while True:
            await self._clock.sleep(_EVERY_SECONDS)
            await self._quiet_moment()
            before = self._clock.monotonic()
            found = gc.collect()
            took = (self._clock.monotonic() - before) * 1e3
            _log.debug("garbage: %d objects in %.0f ms", found, took)

    async def _quiet_moment(self) -> None:
        until = self._clock.monotonic() + _PATIENCE_SECONDS
        while self._clock.monotonic() < until:
            before = self._busy()
            await self._clock.sleep(_QUIET_SECONDS)
            if self._busy() == before:
                return
