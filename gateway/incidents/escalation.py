"""The escalation clock: what waits too long rises; right after a restart and after a wall-clock jump.

Every wait is an interval of the monotonic clock. That it began is kept with the boot that it began in, so that a
restarted gateway goes on where it was whatever the wall clock did; only after a restart of the machine the wall clock
is asked, once per wait, and never believed for more than the wait is long.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.clock import Clock, wait_at_most
from gateway.errors import TransientError
from gateway.events import Severity
from gateway.incidents.keys import LOSS_KINDS
from gateway.incidents.ports import DeadlinePort
from gateway.incidents.replay import ACKNOWLEDGED, RAISED
from gateway.storage import Deadline, Incident

_LONGEST_SLEEP_SECONDS = 30.0
_LISTENING_SECONDS = 2.0
_log = logging.getLogger(__name__)
IN_TIME, UNHEARD = "not acknowledged in time", "no live post with sound"
UNSEEN = "no live post that may show it"


class Escalating(Protocol):
    """The desk as the clock uses it."""

    @property
    def changed(self) -> asyncio.Event:
        """Set when an incident changed; the clock clears it."""

    def unresolved(self) -> Sequence[Incident]:
        """All incidents that are not resolved."""

    async def escalate(self, incident: str, level: int, reason: str, *, unattended: bool = False) -> None:
        """Raise an incident to a level, if it is still unacknowledged and below it."""

    async def time_out(self, incident: str) -> None:
        """Raise it again, if it is still acknowledged."""

    async def end_shelf(self, incident: str) -> None:
        """Take it off the shelf."""

    async def end_flood(self) -> None:
        """End the flood, if it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a site waits, in seconds.

    Attributes:
        emergency, warning: when an unacknowledged one rises to level 1, 2, …
        acknowledged: when one that was acknowledged only is raised again; 0: never.
        unattended_level: from this level others must act; an emergency that no post can hear rises to it at once. 0:
            never at once.
    """

    emergency: Sequence[float] = (30.0, 60.0, 120.0)
    warning: Sequence[float] = (60.0, 180.0)
    acknowledged: float = 180.0
    unattended_level: int = 2

    def ladder(self, incident: Incident) -> Sequence[float]:
        """When an incident rises; a loss that is over does not, nor one of a button that is out of service."""
        if incident.out_of_service:
            return ()
        if incident.kind in LOSS_KINDS and not incident.active:
            return ()
        return self.emergency if incident.severity is Severity.CRITICAL else self.warning


@dataclass(frozen=True, slots=True)
class _Wait:
    """What an incident waits for: since when by the journal, and for how long at the most."""

    name: str
    since: datetime
    longest: float


class EscalationClock:
    """Escalates incidents that nobody acknowledges, and ends waits whose time is over.

    Args:
        desk: does what is due.
        store: keeps since when incidents wait.
        clock: the gateway's.
        patience: the site's.
        boot: the kernel's boot id: monotonic moments of one boot can be compared.
        attended: whether a live post can hear, or for a discreet one may show, an incident.
    """

    def __init__(
        self,
        desk: Escalating,
        store: DeadlinePort,
        clock: Clock,
        patience: Patience,
        *,
        boot: str,
        attended: Callable[[Incident], bool] = lambda _incident: True,
    ) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._patience = patience
        self._boot = boot
        self._attended = attended
        self._started = clock.monotonic()
        self._known: dict[str, Deadline] = {}
        self._kept: dict[str, Deadline] = {}
        self._first_look = True

    async def run(self) -> None:
        """Escalate what is due, until cancelled."""
        while True:
            self._desk.changed.clear()
            await wait_at_most(self._clock, await self.escalate_due(), self._desk.changed)

    async def escalate_due(self) -> float:
        """Do everything that is due now; seconds until the next look."""
        if self._first_look:
            self._kept = self._known = {each.incident: each for each in await self._store.deadlines()}
        incidents = list(self._desk.unresolved())
        current = {each.id: self._deadline(each.id, wait) for each in incidents if (wait := self._wait_of(each))}
        self._known, self._first_look = current, False
        soonest = _LONGEST_SLEEP_SECONDS
        for incident in incidents:
            if incident.id in current:
                soonest = min(soonest, await self._treat(incident, current[incident.id]))
        await self._desk.end_flood()
        await self._keep()
        return soonest

    def _wait_of(self, incident: Incident) -> _Wait | None:
        if incident.shelf is not None:
            shelf = incident.shelf
            return _Wait("shelved", shelf.since, (shelf.until - shelf.since).total_seconds())
        if incident.state == RAISED:
            ladder = self._patience.ladder(incident)
            return _Wait(RAISED, incident.raised or incident.opened, ladder[-1] if ladder else 0.0)
        if incident.state == ACKNOWLEDGED and self._patience.acknowledged and not incident.out_of_service:
            return _Wait(ACKNOWLEDGED, incident.acknowledged or incident.updated, self._patience.acknowledged)
        return None

    def _deadline(self, incident: str, wait: _Wait) -> Deadline:
        """Since when it waits: as known, as kept by the last run, or as the journal says."""
        name = f"{wait.name} {wait.since.isoformat()}"
        known, now = self._known.get(incident), self._clock.monotonic()
        if known is not None and known.wait == name and known.boot == self._boot:
            return known
        began = known.wall if known is not None and known.wait == name else wait.since
        age = min(max(0.0, (self._clock.now() - began).total_seconds()), wait.longest)
        if not self._first_look:
            age = min(age, now - self._started)
        return Deadline(incident, name, self._boot, now - age, wait.since)

    async def _treat(self, incident: Incident, deadline: Deadline) -> float:
        """Do what is due for an incident; seconds until its next deadline."""
        waited = self._clock.monotonic() - deadline.monotonic
        if incident.shelf is not None:
            longest = (incident.shelf.until - incident.shelf.since).total_seconds()
            return await self._at(longest, waited, lambda: self._desk.end_shelf(incident.id))
        if incident.state == ACKNOWLEDGED:
            longest = self._patience.acknowledged
            return await self._at(longest, waited, lambda: self._desk.time_out(incident.id))
        return await self._climb(incident, waited)

    @staticmethod
    async def _at(longest: float, waited: float, act: Callable[[], Awaitable[None]]) -> float:
        if waited < longest:
            return longest - waited
        await act()
        return _LONGEST_SLEEP_SECONDS

    async def _climb(self, incident: Incident, waited: float) -> float:
        """Raise an incident to the level of its wait in seconds; seconds until its next level.

        Where several levels are due, one event tells the highest: who asks for a level is told of all from it on.
        """
        ladder, level = self._patience.ladder(incident), incident.level
        at_once = self._patience.unattended_level if ladder and incident.severity is Severity.CRITICAL else 0
        due = sum(waited >= each for each in ladder)
        alone = level < at_once and not self._attended(incident)
        reached = max(level, due, at_once if alone else 0)
        if reached > level:
            unheard = UNSEEN if incident.discreet else UNHEARD
            await self._rise(incident, reached, unheard if alone and at_once >= due else IN_TIME)
        soonest = _LISTENING_SECONDS if reached < at_once else _LONGEST_SLEEP_SECONDS
        return min(soonest, ladder[reached] - waited) if reached < len(ladder) else soonest

    async def _rise(self, incident: Incident, level: int, reason: str) -> None:
        limit = self._patience.unattended_level
        await self._desk.escalate(incident.id, level, reason, unattended=0 < limit <= level)

    async def _keep(self) -> None:
        """Keep waits that began, and forget those that are over; what cannot be written now is written later."""
        begun = [each for each in self._known.values() if self._kept.get(each.incident) != each]
        over = [each for each in self._kept if each not in self._known]
        if not begun and not over:
            return
        try:
            await self._store.keep_deadlines(begun, over)
        except TransientError as error:
            _log.error("since when incidents wait is not kept: %s", error)
            return
        self._kept = dict(self._known)
