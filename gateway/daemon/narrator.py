"""Tells the log what matters of the journal: presses, losses and returns, faults; behind the commit."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from gateway.clock import Clock
from gateway.errors import counted
from gateway.events import (
    BatteryLow,
    ButtonLost,
    ButtonPressed,
    ButtonRestored,
    ButtonTampered,
    CameraFault,
    CameraLost,
    CameraRestored,
    DestinationFailing,
    DestinationRecovered,
    Event,
    GatewayFault,
    IncidentEscalated,
    Severity,
)
from gateway.storage import Journal

_PAGE = 2000
_MOST_LINES = 20
_PAUSE_SECONDS = 0.2
_log = logging.getLogger(__name__)


def _camera(event: CameraFault) -> str:
    return f"camera {event.camera}: {event.state}{f'. {event.remedy}' if event.remedy else ''}"


def _battery(event: BatteryLow) -> str:
    if event.battery is None:
        return f"button {event.device} has a low battery"
    return f"button {event.device} has {event.battery:.0f} % of its battery left"


_LINES: dict[type[Event], tuple[int, Callable[[Any], str]]] = {
    ButtonPressed: (logging.INFO, lambda e: f"button {e.device} was pressed ({e.kind})"),
    ButtonTampered: (logging.WARNING, lambda e: f"button {e.device} was tampered with"),
    ButtonLost: (logging.WARNING, lambda e: f"button {e.device} is lost ({e.reason})"),
    ButtonRestored: (logging.INFO, lambda e: f"button {e.device} is back"),
    BatteryLow: (logging.WARNING, _battery),
    CameraLost: (logging.WARNING, lambda e: f"camera {e.camera} is lost ({e.reason})"),
    CameraRestored: (logging.INFO, lambda e: f"camera {e.camera} is back after {e.outage:.0f} s"),
    CameraFault: (logging.WARNING, _camera),
    DestinationFailing: (logging.WARNING, lambda e: f"destination {e.destination} fails: {e.reason}"),
    DestinationRecovered: (
        logging.INFO,
        lambda e: f"destination {e.destination} is back; {counted(e.waited, 'event')} waited",
    ),
    IncidentEscalated: (logging.WARNING, lambda e: f"incident {e.subject} rose to level {e.level}: nobody took it"),
    GatewayFault: (logging.WARNING, lambda e: f"{e.fault}: {e.detail}"),
}


class Narrator:
    """Follows the journal from now on; of a storm of events it tells the first ones and how many more there were."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._position = journal.last_position

    async def run(self) -> None:
        """Follow for ever."""
        with self._journal.subscribe() as subscription:
            while True:
                await subscription.wait(self._position)
                page = await self._journal.read(self._position, _PAGE)
                if page:
                    self._position = page[-1].position
                    if tell([stored.event for stored in page]):  # a line costs as much as a third of a press
                        await self._clock.sleep(_PAUSE_SECONDS)


def tell(events: Sequence[Event]) -> bool:
    """Log a line for each event that matters, critical faults first, so that no storm hides them; whether one did."""
    lines = [
        (_weight(level, event), words(event))
        for event in events
        if type(event) in _LINES
        for level, words in [_LINES[type(event)]]
    ]
    lines.sort(key=lambda line: line[0] < logging.CRITICAL)
    for level, line in lines[:_MOST_LINES]:
        _log.log(level, "%s", line)
    if len(lines) > _MOST_LINES:
        _log.warning("and %d more; the journal has them all", len(lines) - _MOST_LINES)
    return bool(lines)


def _weight(level: int, event: Event) -> int:
    """A fault weighs as much as it is severe, and one that is over nothing; a press is critical and no fault."""
    if isinstance(event, GatewayFault) and event.severity is Severity.CRITICAL:
        return logging.CRITICAL
    return logging.INFO if isinstance(event, GatewayFault | CameraFault) and event.severity is Severity.INFO else level
