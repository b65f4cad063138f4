"""The pure rules of incidents (ISA-18.2 terms): which events open one, and what each of its events makes of it."""

from dataclasses import replace
from typing import Any

from gateway.events import (
    ButtonCleared,
    ButtonPressed,
    Event,
    FaceMatched,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    PressKind,
    derived_id,
)
from gateway.storage import Incident, Stored, Trigger

RAISED, ACKNOWLEDGED, DISPATCHED, RESOLVED = "raised", "acknowledged", "dispatched", "resolved"


def key_of(event: Event) -> tuple[str, str, str] | None:
    """What further events share that join an incident: source, type and, for faces, the person; None if no trigger."""
    if isinstance(event, ButtonPressed):
        return (event.source, event.TYPE, "")
    if isinstance(event, FaceMatched):
        return (event.source, event.TYPE, event.person)
    return None


def decide(incident: Incident | None, stored: Stored) -> tuple[IncidentEvent, ...]:
    """What a stored event means for incidents.

    Args:
        incident: the unresolved incident of the same key, if there is one.
        stored: the event.

    Returns:
        the incident events to store; their ids are derived from the trigger, so that a replay stores nothing twice.
    """
    event = stored.event
    if key_of(event) is None:
        return ()
    if incident is None:
        return (_opened(stored),)
    if any(trigger.event == event.id for trigger in incident.triggers):
        return ()
    again = IncidentRaisedAgain(
        id=derived_id("raised_again", event.id),
        source=event.source,
        subject=incident.id,
        time=event.time,
        severity=event.severity,
        drill=event.drill,
        incident=incident.id,
        trigger=event.id,
        trigger_position=stored.position,
        count=incident.count + 1,
    )
    return (again,)


def _opened(stored: Stored) -> IncidentOpened:
    event = stored.event
    incident = derived_id("incident", event.id)
    return IncidentOpened(
        id=derived_id("opened", event.id),
        source=event.source,
        subject=incident,
        time=event.time,
        severity=event.severity,
        drill=event.drill,
        incident=incident,
        trigger=event.id,
        trigger_position=stored.position,
        kind=event.TYPE,
        origin=event.source,
        title=getattr(event, "name", "") or event.subject,
        place=getattr(event, "place", "") or getattr(event, "name", "") or event.subject,
        discreet=isinstance(event, ButtonPressed) and event.kind is not PressKind.PRESS,
    )


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
    seen = replace(incident, updated=moment, events=(*incident.events, stored.position))
    return _changed(seen, event)


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
    )


def _changed(incident: Incident, event: Event) -> Incident:
    moment = incident.updated
    changes: dict[str, Any] = {}
    match event:
        case IncidentRaisedAgain():
            triggers = (*incident.triggers, Trigger(event.trigger, event.trigger_position))
            events = (*incident.events[:-1], event.trigger_position, incident.events[-1])
            changes = {"state": RAISED, "count": event.count, "level": 0, "raised": moment}
            changes |= {"triggers": triggers, "events": events}
        case IncidentAcknowledged():
            changes = {"state": ACKNOWLEDGED, "owner": event.actor, "acknowledged": moment}
        case IncidentDispatched():
            changes = {"state": DISPATCHED}
        case IncidentNoted():
            changes = {"note": event.note}
        case IncidentEscalated():
            changes = {"level": event.level}
        case IncidentResolved():
            changes = {"state": RESOLVED, "verdict": event.verdict, "resolved": moment}
        case FaceVerified():
            changes = {"verification": event.verdict}
        case ButtonCleared():
            changes = {"active": False}
    return replace(incident, **changes)
