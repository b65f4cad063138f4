"""Sirens and lamps: on while an incident wants them; a silent or duress press never does."""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.clock import Clock, wait_at_most
from gateway.events import Event, Severity
from gateway.settings import OutputSettings
from gateway.storage import Incident

_RANK = {severity: number for number, severity in enumerate(Severity)}
_SHORTEST_SECONDS = 1.0
_TEST_SECONDS = 12.0
_OFF_AGAIN_SECONDS, _OFF_TIMES = 20.0, 3
Switch = Callable[[OutputSettings, bool], None]


def wanted(output: OutputSettings, incidents: Iterable[Incident]) -> Incident | None:
    """The first incident that wants an output on; None if it is to be off.

    Args:
        output: its settings.
        incidents: all that are not resolved.
    """
    return next((each for each in incidents if _drives(output, each)), None)


def _drives(output: OutputSettings, incident: Incident) -> bool:
    if incident.discreet or incident.out_of_service or incident.shelf is not None:
        return False
    if incident.drill and not output.drills:
        return False
    severe = _RANK[incident.severity] <= _RANK[Severity(output.minimum_severity)]
    return (
        severe
        and incident.state in output.states
        and incident.level >= output.from_level
        and _is_there(output, incident)
    )


def _is_there(output: OutputSettings, incident: Incident) -> bool:
    everywhere = not output.places and not output.devices
    return everywhere or incident.place in output.places or incident.source.rsplit("/", 1)[-1] in output.devices


@dataclass(frozen=True, slots=True)
class _Told:
    """What an output was told last: so many times, and when again by the monotonic clock."""

    on: bool
    again: float
    times: int


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """How an output was told to be; `incident` wants it so."""

    output: str
    on: bool
    incident: str = ""
    testing: bool = False


class OutputDriver:
    """Tells every output what incidents want of it, again and again while it is on.

    Args:
        outputs: the site's.
        incidents: all that are not resolved now.
        switch: sends on or off; must not wait.
        clock: the gateway's.
    """

    def __init__(
        self,
        outputs: Sequence[OutputSettings],
        incidents: Callable[[], Iterable[Incident]],
        switch: Switch,
        clock: Clock,
    ) -> None:
        self._outputs = {each.id: each for each in outputs}
        self._incidents = incidents
        self._switch = switch
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._testing: dict[str, float] = {}
        self._by: dict[str, str] = {}
        self._changed = asyncio.Event()

    def note_transition(self, _incident: Incident, _event: Event) -> None:
        """Something changed: look again, soon and once for many changes."""
        if self._outputs:
            self._changed.set()

    def statuses(self) -> tuple[OutputStatus, ...]:
        """How every output is to be now."""
        now = self._clock.monotonic()
        return tuple(
            OutputStatus(each, self._is_on(each), self._by.get(each, ""), self._tests(each, now))
            for each in self._outputs
        )

    def get(self, output: str) -> OutputSettings | None:
        """The settings of an output."""
        return self._outputs.get(output)

    def all(self) -> tuple[OutputSettings, ...]:
        """The settings of all outputs."""
        return tuple(self._outputs.values())

    def test(self, output: str) -> None:
        """Let an output run for a few seconds."""
        self._testing[output] = self._clock.monotonic() + _TEST_SECONDS
        self._changed.set()

    def _is_on(self, output: str) -> bool:
        told = self._told.get(output)
        return told is not None and told.on

    def _tests(self, output: str, now: float) -> bool:
        return self._testing.get(output, 0.0) > now

    def look(self) -> float:
        """Tell each output what it is to be, if that changed or is due again; seconds until the next look."""
        now, soonest = self._clock.monotonic(), 60.0
        incidents = list(self._incidents())
        for output in self._outputs.values():
            incident = wanted(output, incidents)
            on = incident is not None or self._tests(output.id, now)
            self._by[output.id] = incident.id if incident else ""
            soonest = min(soonest, self._tell(output, on=on, now=now))
            if self._tests(output.id, now):
                soonest = min(soonest, self._testing[output.id] - now)
        return max(soonest, _SHORTEST_SECONDS)

    def _tell(self, output: OutputSettings, *, on: bool, now: float) -> float:
        """Say on or off if it is news, or due again; seconds until it is.

        On is said again in time, off a few times: whoever was not connected when it was said learns it.
        """
        told = self._told.get(output.id)
        if told is None or told.on is not on or now >= told.again:
            times = told.times + 1 if told is not None and told.on is on else 1
            wait = output.seconds / 2 if on else _OFF_AGAIN_SECONDS if times < _OFF_TIMES else math.inf
            self._switch(output, on)
            told = self._told[output.id] = _Told(on, now + wait, times)
        return told.again - now

    async def run(self) -> None:
        """Drive the outputs, for ever; the first look says off to what a former run may have left on."""
        while True:
            self._changed.clear()
            await wait_at_most(self._clock, self.look(), self._changed)
