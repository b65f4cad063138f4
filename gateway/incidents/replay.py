"""What each of its events makes of an incident: raised, acknowledged, dispatched, resolved; pure."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.events import (
    Event,
    FaceVerified,
    IncidentAcknowledged,
    IncidentChecked,
    IncidentDispatched,
    IncidentEscalated,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    IncidentShelved,
    IncidentUnshelved,
    PressKind,
)
from gateway.incidents.keys import CLEARING, LOSS_KINDS, ends, is_group, name_of_loss
from gateway.storage import Check, Hidden, Incident, Late, Shelf, Stored, Trigger

RAISED, ACKNOWLEDGED, DISPATCHED, RESOLVED = "raised", "acknowledged", "dispatched", "resolved"
_FIRST, _NEWEST = 2, 500
_MOST_HIDDEN = 2000


def apply(incident: Incident | None, stored: Stored) -> Incident | None:
    """The incident after one of its events; the same event again changes nothing.

    What its source says stands in the journal before what was decided about it, so a clearing may come first here that
    came second there: the outcome is the same. Its own events come in the journal's order.

    Args:
        incident: as it was; None before its first event.
        stored: an incident event, a verification, the clearing of its source, or of one that it hides; or what was
            decided about one that it hides, for another incident.

    Returns:
        the incident after it; None if the event is of no known incident.
    """
    event = stored.event
    if isinstance(event, IncidentOpened) and (incident is None or incident.id == event.incident):
        return incident if incident is not None else _first(event, stored)
    if incident is None or (not isinstance(event, CLEARING) and stored.position <= incident.events[-1]):
        return incident
    moment = event.recorded or event.time
    if isinstance(event, CLEARING):
        if not (changes := _cleared(incident, stored)):
            return incident
        positions: tuple[int, ...] = ()
    elif getattr(event, "incident", "") != incident.id:
        changes, positions = _released(incident, event), ()
    else:
        change = _CHANGES.get(type(event))
        changes = change(incident, event, moment) if change is not None else {}
        positions = (event.trigger_position,) if isinstance(event, IncidentRaisedAgain) else ()
    events = _with(incident.events, (*positions, stored.position))
    changes |= {"updated": max(moment, incident.updated), "events": _bounded(events)}
    return replace(incident, **changes)


def _with(events: tuple[int, ...], positions: Iterable[int]) -> tuple[int, ...]:
    """The positions in order, each once."""
    ordered = list(events)
    for position in positions:
        place = bisect_left(ordered, position)
        if place == len(ordered) or ordered[place] != position:
            ordered.insert(place, position)
    return tuple(ordered)


def _bounded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A stuck button must not make an incident grow for ever: the first ones and the newest are kept."""
    return values if len(values) <= _FIRST + _NEWEST else (*values[:_FIRST], *values[-_NEWEST:])


def _first(event: IncidentOpened, stored: Stored) -> Incident:
    moment = event.recorded or event.time
    incident = Incident(
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
        triggered=moment,
        lasting=event.lasting,
        during_drill=event.during_drill,
        press=event.press,
        late=_late(event),
        out_of_service=bool(event.out_of_service),
    )
    if is_group(incident) and incident.kind in LOSS_KINDS:
        return replace(incident, hidden=(Hidden(event.trigger, event.trigger_position, event.origin),))
    return incident


def _late(event: IncidentOpened | IncidentRaisedAgain) -> Late | None:
    return Late(event.time, event.arrived) if event.arrived is not None else None


def _raised_again(incident: Incident, event: IncidentRaisedAgain, moment: datetime) -> dict[str, Any]:
    """A press on an incident that waits already does not let it wait anew: who presses on and on must be escalated."""
    raise_it = {"state": RAISED, "level": 0, "raised": moment}
    if event.reason == "acknowledgement_timeout":
        return raise_it
    hides = event.reason == "inhibited" or (is_group(incident) and incident.kind in LOSS_KINDS)
    loss = (Hidden(event.trigger, event.trigger_position, event.origin),)
    hidden = {"hidden": (*incident.hidden, *loss)[-_MOST_HIDDEN:]} if hides else {}
    if event.reason == "inhibited":
        return hidden
    triggers = _bounded((*incident.triggers, Trigger(event.trigger, event.trigger_position)))
    active = incident.active or event.trigger_position > incident.cleared
    joined = {"active": active, "count": event.count, "triggers": triggers, "triggered": moment} | hidden
    if event.press == PressKind.DURESS:  # who is threatened now is told, though the first press was but silent
        joined["press"] = event.press
    if event.arrived is not None:
        joined["late"] = _late(event)
    waits = incident.state == RAISED or incident.shelf is not None
    return joined if waits else joined | raise_it


def _resolved(incident: Incident, event: IncidentResolved, moment: datetime) -> dict[str, Any]:
    return {
        "state": RESOLVED,
        "verdict": event.verdict,
        "resolved": moment,
        "note": event.note or incident.note,
        "shelf": None,
    }


def _cleared(incident: Incident, stored: Stored) -> dict[str, Any]:
    """What a clearing changes: only what was lost, or triggered, before it is over."""
    event, position = stored.event, stored.position
    lost = name_of_loss(event)
    hidden = tuple(each for each in incident.hidden if each.source != lost or each.position > position)
    cleared = max(incident.cleared, position) if ends(event, incident) else incident.cleared
    over = incident.triggers[-1].position < cleared or (is_group(incident) and bool(incident.hidden) and not hidden)
    now = {"hidden": hidden, "active": incident.active and not over, "cleared": cleared}
    return now if any(getattr(incident, name) != value for name, value in now.items()) else {}


def _released(incident: Incident, event: Event) -> dict[str, Any]:
    """What it hid is before the guards by another incident now."""
    trigger = getattr(event, "trigger", "")
    return {"hidden": tuple(each for each in incident.hidden if each.event != trigger)}


def _checked(incident: Incident, event: IncidentChecked, moment: datetime) -> dict[str, Any]:
    others = tuple(each for each in incident.checks if each.step != event.step)
    return {"checks": (*others, Check(event.step, event.actor, moment)) if event.done else others}


def _shelved(_incident: Incident, event: IncidentShelved, moment: datetime) -> dict[str, Any]:
    return {"shelf": Shelf(event.until, moment, event.actor, event.reason)}


def _unshelved(incident: Incident, _event: IncidentUnshelved, moment: datetime) -> dict[str, Any]:
    """Back from the shelf it waits anew, unless somebody has it."""
    return {"shelf": None} | ({"raised": moment, "level": 0} if incident.state == RAISED else {})


_CHANGES: dict[type[Event], Callable[[Incident, Any, datetime], dict[str, Any]]] = {
    IncidentRaisedAgain: _raised_again,
    IncidentAcknowledged: lambda _i, e, moment: {"state": ACKNOWLEDGED, "owner": e.actor, "acknowledged": moment},
    IncidentDispatched: lambda _i, _e, _moment: {"state": DISPATCHED},
    IncidentNoted: lambda _i, e, _moment: {"note": e.note},
    IncidentEscalated: lambda _i, e, _moment: {"level": e.level},
    IncidentChecked: _checked,
    IncidentShelved: _shelved,
    IncidentUnshelved: _unshelved,
    IncidentResolved: _resolved,
    FaceVerified: lambda _i, e, _moment: {"verification": e.verdict},
}
