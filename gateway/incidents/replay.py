"""What each of its events makes of an incident: raised, acknowledged, dispatched, resolved; pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.events import (
    ButtonCleared,
    Event,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
)
from gateway.storage import Incident, Stored, Trigger

RAISED, ACKNOWLEDGED, DISPATCHED, RESOLVED = "raised", "acknowledged", "dispatched", "resolved"
_FIRST, _NEWEST = 2, 500


def apply(incident: Incident | None, stored: Stored) -> Incident | None:
    """The incident after one of its events; the same event again changes nothing.

    Args:
        incident: as it was; None before its first event.
        stored: an incident event, a verification, or the clearing of its source.

    Returns:
        the incident after it; None if the event is of no known incident.
    """
    event = stored.event
    if isinstance(event, IncidentOpened):
        return incident if incident is not None else _first(event, stored)
    if incident is None or stored.position in incident.events:
        return incident
    moment = event.recorded or event.time
    change = _CHANGES.get(type(event))
    changes = (change(incident, event, moment) if change is not None else {}) | {"updated": moment}
    positions = (event.trigger_position,) if isinstance(event, IncidentRaisedAgain) else ()
    changes["events"] = _bounded((*incident.events, *positions, stored.position))
    return replace(incident, **changes)


def _bounded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A stuck button must not make an incident grow for ever: the first ones and the newest are kept."""
    return values if len(values) <= _FIRST + _NEWEST else (*values[:_FIRST], *values[-_NEWEST:])


def _first(event: IncidentOpened, stored: Stored) -> Incident:
    moment = event.recorded or event.time
    return Incident(
        id=event.incident,
        state=RAISED,
        severity=event.severity,
        kind=event.kind,
        source=event.origin,
        subject=event.subject,
        title=event.title,
        place=event.place,
        opened=event.time,
        updated=moment,
        triggers=(Trigger(event.trigger, event.trigger_position),),
        events=(event.trigger_position, stored.position),
        discreet=event.discreet,
        drill=event.drill,
        raised=moment,
        key=event.key,
    )


def _raised_again(incident: Incident, event: IncidentRaisedAgain, moment: datetime) -> dict[str, Any]:
    triggers = _bounded((*incident.triggers, Trigger(event.trigger, event.trigger_position)))
    again = {"state": RAISED, "active": True, "level": 0, "raised": moment}
    return again | {"count": event.count, "triggers": triggers}


def _resolved(incident: Incident, event: IncidentResolved, moment: datetime) -> dict[str, Any]:
    return {
        "state": RESOLVED,
        "verdict": event.verdict,
        "resolved": moment,
        "note": event.note or incident.note,
    }


_CHANGES: dict[type[Event], Callable[[Incident, Any, datetime], dict[str, Any]]] = {
    IncidentRaisedAgain: _raised_again,
    IncidentAcknowledged: lambda _i, e, moment: {"state": ACKNOWLEDGED, "owner": e.actor, "acknowledged": moment},
    IncidentDispatched: lambda _i, _e, _moment: {"state": DISPATCHED},
    IncidentNoted: lambda _i, e, _moment: {"note": e.note},
    IncidentEscalated: lambda _i, e, _moment: {"level": e.level},
    IncidentResolved: _resolved,
    FaceVerified: lambda _i, e, _moment: {"verification": e.verdict},
    ButtonCleared: lambda _i, _e, _moment: {"active": False},
}
