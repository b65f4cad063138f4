"""The pure rules of incidents (ISA-18.2 terms): which events open one, and which join."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.events import (
    ButtonPressed,
    Event,
    FaceMatched,
    IncidentEvent,
    IncidentOpened,
    IncidentRaisedAgain,
    PressKind,
    Severity,
    derived_id,
)
from gateway.storage import Incident, Stored, type_of

Key = tuple[str, str, str]
_OWN = "campus.incident."


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site decided about its incidents.

    Attributes:
        join_window_seconds: a further warning of the same person at the same camera joins the open incident within
            it. A press joins however old the incident is.
    """

    join_window_seconds: float = 600.0


def key_of(event: Event) -> Key | None:
    """What events share that belong to one incident: source, type and detail; None if it opens none.

    Every critical event opens one, and every face warning. A silent press never shares one with a loud press, and a
    real one never with a drill, so that neither is told, or kept quiet, in the other's place.
    """
    type_ = type_of(event)
    if isinstance(event, IncidentEvent) or type_.startswith(_OWN):
        return None
    if event.severity is not Severity.CRITICAL and not isinstance(event, FaceMatched):
        return None
    detail = event.person if isinstance(event, FaceMatched) else "discreet" if _is_discreet(event) else ""
    return (event.source, type_, f"drill {detail}".rstrip() if event.drill else detail)


def key_of_incident(incident: Incident) -> Key:
    """The key that further events must have to join an incident."""
    return (incident.source, incident.kind, incident.key)


def decisions_of(trigger: str) -> tuple[str, str]:
    """The ids of the two events, of which a trigger causes one: that it opened an incident, or that it joined one."""
    return derived_id("opened", trigger), derived_id("raised_again", trigger)


def decide(incident: Incident | None, stored: Stored, policy: Policy) -> tuple[IncidentEvent, ...]:
    """What a stored event means for incidents.

    Args:
        incident: the unresolved incident of the same key, if there is one.
        stored: the event.
        policy: the site's.

    Returns:
        the incident events to store; their ids are derived from the trigger, so that a replay stores nothing twice.
    """
    key = key_of(stored.event)
    if key is None:
        return ()
    if incident is None or _stands_alone(incident, stored.event, policy):
        return (_opened(stored, key),)
    if any(trigger.event == stored.event.id for trigger in incident.triggers):
        return ()
    return (_raised_again(incident, stored),)


def _stands_alone(incident: Incident, event: Event, policy: Policy) -> bool:
    since = incident.raised or incident.opened
    late = (event.recorded or event.time) - since > timedelta(seconds=policy.join_window_seconds)
    return late and isinstance(event, FaceMatched)


def _raised_again(incident: Incident, stored: Stored) -> IncidentRaisedAgain:
    event = stored.event
    return IncidentRaisedAgain(
        id=decisions_of(event.id)[1],
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


def _opened(stored: Stored, key: Key) -> IncidentOpened:
    event = stored.event
    incident = derived_id("incident", event.id)
    name = getattr(event, "name", "") or event.subject
    return IncidentOpened(
        id=decisions_of(event.id)[0],
        source=event.source,
        subject=incident,
        time=event.time,
        severity=event.severity,
        drill=event.drill,
        incident=incident,
        trigger=event.id,
        trigger_position=stored.position,
        kind=key[1],
        origin=event.source,
        title=name,
        place=getattr(event, "place", "") or name,
        discreet=_is_discreet(event),
        key=key[2],
    )


def _is_discreet(event: Event) -> bool:
    return isinstance(event, ButtonPressed) and event.kind is not PressKind.PRESS
