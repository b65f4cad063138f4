"""The escalation clock: who is not acknowledged in time rises; right after a restart and after a wall-clock jump."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from gateway.clock import Clock
from gateway.incidents.replay import RAISED
from gateway.storage import Incident

_LONGEST_SLEEP_SECONDS = 30.0


class Escalating(Protocol):
    """The desk as the clock uses it."""

    @property
    def changed(self) -> asyncio.Event:
        """Set when an incident changed; the clock clears it."""

    def unresolved(self) -> Sequence[Incident]:
        """All incidents that are not resolved."""

    async def escalate(self, incident: str, level: int, reason: str) -> None:
        """Raise an incident to a level, if it is still unacknowledged and below it."""


class EscalationClock:
    """Escalates incidents that nobody acknowledges.

    Args:
        desk: does the escalation.
        after_seconds: how long after it was raised an incident rises to level 1, 2, …

    Deadlines are kept on the monotonic clock; the wall clock is asked only once per raise, how long ago it was, and
    never believed for more than one interval.
    """

    def __init__(self, desk: Escalating, after_seconds: Sequence[float], clock: Clock) -> None:
        self._desk = desk
        self._after = tuple(after_seconds)
        self._clock = clock
        self._raised: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Escalate what is due, until cancelled."""
        while True:
            self._desk.changed.clear()
            await self._wait(await self.escalate_due())

    async def escalate_due(self) -> float:
        """Escalate everything that is due now; seconds until the next one."""
        now = self._clock.monotonic()
        soonest = _LONGEST_SLEEP_SECONDS
        current = {}
        for incident in [each for each in self._desk.unresolved() if each.state == RAISED]:
            key = (incident.id, incident.count)
            began = current[key] = self._raised.get(key, now - self._age(incident))
            soonest = min(soonest, await self._escalate(incident, now - began))
        self._raised = current
        return soonest

    async def _escalate(self, incident: Incident, unacknowledged: float) -> float:
        """Raise an incident to the level of its age in seconds; seconds until its next level."""
        for level in range(incident.level + 1, len(self._after) + 1):
            if unacknowledged < self._after[level - 1]:
                return self._after[level - 1] - unacknowledged
            await self._desk.escalate(incident.id, level, "not acknowledged in time")
        return _LONGEST_SLEEP_SECONDS

    def _age(self, incident: Incident) -> float:
        raised = incident.raised or incident.opened
        return min(max(0.0, (self._clock.now() - raised).total_seconds()), self._after[-1] if self._after else 0.0)

    async def _wait(self, seconds: float) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        change = asyncio.ensure_future(self._desk.changed.wait())
        try:
            await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            change.cancel()
            await asyncio.gather(timer, change, return_exceptions=True)
