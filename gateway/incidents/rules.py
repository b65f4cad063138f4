"""The pure rules of incidents (ISA-18.2 terms): which events open one, which join, and what time and guards make of it.

Sources: ISA-18.2 / IEC 62682 (alarm states, shelving, flood), OPC UA Part 9 (condition apart from acknowledgement).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from gateway.events import (
    Event,
    FaceMatched,
    IncidentEvent,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    derived_id,
)
from gateway.incidents.keys import (
    LOSS_KINDS,
    LOSSES,
    Key,
    arrival_of,
    group_key,
    is_discreet,
    is_emergency,
    is_group,
    is_out_of_service,
    is_worse,
    key_of,
    name_of_loss,
    place_of,
    press_of,
)
from gateway.incidents.policy import Policy
from gateway.incidents.replay import ACKNOWLEDGED, DISPATCHED, RESOLVED
from gateway.incidents.situation import CALM, GROUPED, Situation
from gateway.storage import Incident, Stored

INHIBITED = "inhibited"
TIMED_OUT = "acknowledgement_timeout"
_AND_MORE = " …"


def decisions_of(trigger: str) -> tuple[str, ...]:
    """The ids of the events, of which a trigger causes one: that it opened an incident, or that it joined one.

    A loss that was inhibited causes a second one once nothing explains it any more.
    """
    return _opening_of(trigger), *(_joining_of(trigger, reason) for reason in ("trigger", GROUPED, INHIBITED))


def _opening_of(trigger: str) -> str:
    return derived_id("opened", trigger)


def _joining_of(trigger: str, reason: str = "trigger") -> str:
    """Each way to join has an id of its own: what was inhibited may join, or be grouped, later."""
    return derived_id(reason if reason in (GROUPED, INHIBITED) else "raised_again", trigger)


def decide(
    incident: Incident | None,
    stored: Stored,
    policy: Policy,
    situation: Situation = CALM,
    group: Incident | None = None,
    cause: Incident | None = None,
    group_by: Key | None = None,
) -> tuple[IncidentEvent, ...]:
    """What a stored event means for incidents.

    Args:
        incident: the unresolved incident of the same key, if there is one.
        stored: the event.
        policy: the site's.
        situation: of the site.
        group: the unresolved incident of the flood that the event would be grouped in.
        cause: an unresolved incident that explains the event.
        group_by: what events share that a flood's new group would hold; type and place if None.

    Returns:
        the incident events to store; their ids are derived from the trigger, so that a replay stores nothing twice.
    """
    event, key = stored.event, key_of(stored.event)
    if key is None:
        return ()
    known = [each for each in (incident, group, cause) if each is not None]
    if any(stored.position in each.events for each in known):
        return ()
    if incident is not None and not _stands_alone(incident, event, policy):
        return (_raised_again(incident, stored),)
    if cause is not None and isinstance(event, LOSSES) and not is_emergency(event):
        return (_raised_again(cause, stored, INHIBITED),)
    if situation.flood and not is_emergency(event):
        key = group_by or group_key(event)
        if group is not None and not is_worse(event, group):
            return (_raised_again(group, stored, GROUPED),)
    return (_opened(stored, key, policy, situation),)


def explains(incident: Incident, stored: Stored, policy: Policy) -> bool:
    """Whether an open incident, while its condition lasts, explains a loss: the site says what is behind what."""
    if not incident.active or is_group(incident) or not isinstance(stored.event, LOSSES):
        return False
    return incident.source.rsplit("/", 1)[-1] in policy.inhibitors_of(stored.event.subject)


def _stands_alone(incident: Incident, event: Event, policy: Policy) -> bool:
    if is_worse(event, incident):
        return True
    if not isinstance(event, FaceMatched):
        return False
    moment = event.recorded or event.time
    newest, first = incident.triggered or incident.raised or incident.opened, incident.opened
    return moment - newest > timedelta(seconds=policy.join_window_seconds) or moment - first > timedelta(
        seconds=policy.join_cap_seconds
    )


def _raised_again(incident: Incident, stored: Stored, reason: str = "trigger") -> IncidentRaisedAgain:
    event = stored.event
    return IncidentRaisedAgain(
        id=_joining_of(event.id, reason),
        source=name_of_loss(event),
        subject=incident.id,
        time=event.time,
        severity=event.severity,
        drill=event.drill,
        incident=incident.id,
        was=incident.state,
        discreet=incident.discreet,
        out_of_service=incident.out_of_service or None,
        trigger=event.id,
        trigger_position=stored.position,
        count=incident.count + (reason != INHIBITED),
        reason=reason,
        origin=name_of_loss(event),
        press=press_of(event),
        arrived=arrival_of(event),
    )


def _opened(stored: Stored, key: Key, policy: Policy, situation: Situation) -> IncidentOpened:
    event = stored.event
    incident = derived_id("incident", event.id)
    device = getattr(event, "device", "")
    return IncidentOpened(
        id=_opening_of(event.id),
        source=name_of_loss(event),
        subject=incident,
        time=event.time,
        severity=event.severity,
        drill=event.drill,
        incident=incident,
        trigger=event.id,
        trigger_position=stored.position,
        kind=key[1],
        origin=name_of_loss(event),
        title=getattr(event, "name", "") or event.subject,
        place=place_of(event) + (_AND_MORE if key == group_key(event, everywhere=True) else ""),
        discreet=is_discreet(event),
        key=key[2],
        lasting=bool(device) and is_emergency(event) and policy.reports_clear(device),
        during_drill=bool(situation.drill) and not event.drill,
        press=press_of(event),
        arrived=arrival_of(event),
        out_of_service=is_out_of_service(event) or None,
    )


def settled(incidents: Iterable[Incident], situation: Situation) -> Iterator[IncidentResolved]:
    """Incidents that end by themselves: a loss that is over and was acknowledged, and a drill's once the drill is over.

    An emergency of a real press never does.
    """
    for each in incidents:
        if each.state == RESOLVED:
            continue
        if each.drill and situation.drill_over is not None and each.triggers[0].position < situation.drill_over:
            yield _ended(each, "test", "the drill is over", situation.drill_ended or each.updated)
        elif each.kind in LOSS_KINDS and not each.active and each.state in (ACKNOWLEDGED, DISPATCHED):
            yield _ended(each, "genuine", "the condition is over", each.updated)


def _ended(incident: Incident, verdict: str, reason: str, at: datetime) -> IncidentResolved:
    raised = (incident.raised or incident.opened).isoformat()
    common = common_of(incident, derived_id("settled", incident.id, raised, str(incident.count)))
    return IncidentResolved(verdict=verdict, reason=reason, **(common | {"time": max(at, incident.updated)}))


def timed_out(incident: Incident, now: datetime) -> IncidentRaisedAgain:
    """Acknowledged, and nobody was sent: it is before the guards again."""
    last = incident.triggers[-1]
    since = (incident.acknowledged or incident.updated).isoformat()
    return IncidentRaisedAgain(
        trigger=last.event,
        trigger_position=last.position,
        count=incident.count,
        reason=TIMED_OUT,
        **(common_of(incident, derived_id("timed out", incident.id, since)) | {"time": now}),
    )


def common_of(incident: Incident, identity: str) -> dict[str, Any]:
    """What every event about an incident says of it; its moment is the incident's last unless another one is given."""
    return {
        "id": identity,
        "source": incident.source,
        "subject": incident.id,
        "time": incident.updated,
        "severity": incident.severity,
        "drill": incident.drill,
        "incident": incident.id,
        "was": incident.state,
        "discreet": incident.discreet,
        "out_of_service": incident.out_of_service or None,
    }
