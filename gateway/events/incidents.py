"""The life of an incident (早处置): each transition is an event, the incident is their replay."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from gateway.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent(Event):
    """What all events of an incident hold.

    Attributes:
        incident: the incident's id.
        actor: the account that did it; empty if the gateway itself.
        post: the enrolled post that it was done at, if any.
        command_id: the client's id of the command, so that the same one again is one transition.
        was: the state that the incident was in.
        discreet: it is about a silent or duress press: nothing at the place may show it.
        out_of_service: true if its button is out of service: it is shown, neither sounds an alarm nor escalates.
    """

    incident: str
    actor: str = ""
    post: str = ""
    command_id: str = ""
    was: str = ""
    discreet: bool = False
    out_of_service: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened(IncidentEvent):
    """An event that somebody must act upon opened an incident.

    Attributes:
        trigger: id of the event that opened it.
        trigger_position: the journal's position of that event.
        kind: type of the trigger, such as ``campus.button.pressed``.
        origin: source of the trigger.
        title: what happened, in words of the place.
        place: where.
        key: what further events of the same origin and kind must share to join it.
        lasting: the source says when its condition is over; until then only a forced resolve ends the incident.
        during_drill: it is real, though a drill is on.
        press: how the button was pressed: press, silent or duress; empty if it was no press.
        arrived: when the press reached the gateway, if it was late; `time` is when it was made.
    """

    TYPE: ClassVar[str] = "campus.incident.opened"
    trigger: str
    trigger_position: int
    kind: str
    origin: str
    title: str = ""
    place: str = ""
    key: str = ""
    lasting: bool = False
    during_drill: bool = False
    press: str = ""
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRaisedAgain(IncidentEvent):
    """A further event joined the incident, or time put it before the guards again.

    Attributes:
        trigger, trigger_position: the event that joined; the newest one if none did.
        count: triggers by now.
        reason: ``trigger``; ``inhibited``: a loss behind this one, which raises nothing; ``grouped``: one of a flood;
            or ``acknowledgement_timeout``: acknowledged, and nobody was sent in time.
        origin: source of the trigger.
        press: how the button was pressed this time; empty if it was no press.
        arrived: when that press reached the gateway, if it was late.
    """

    TYPE: ClassVar[str] = "campus.incident.raised_again"
    trigger: str
    trigger_position: int
    count: int
    reason: str = "trigger"
    origin: str = ""
    press: str = ""
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAcknowledged(IncidentEvent):
    """Somebody owns the incident now."""

    TYPE: ClassVar[str] = "campus.incident.acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDispatched(IncidentEvent):
    """Somebody was sent; `to` says who."""

    TYPE: ClassVar[str] = "campus.incident.dispatched"
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNoted(IncidentEvent):
    """A remark on the incident."""

    TYPE: ClassVar[str] = "campus.incident.noted"
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEscalated(IncidentEvent):
    """Nobody acknowledged in time; `level` rises from 1.

    Who is called out by it may have been told of nothing before, so it says of what kind the incident is and where.

    Attributes:
        level: that it reached; one event where several were due at once.
        kind, title, place: of the incident.
        unattended: nobody took it for so long, or nobody can have heard it, that others must act.
    """

    TYPE: ClassVar[str] = "campus.incident.escalated"
    level: int
    reason: str = ""
    unattended: bool = False
    kind: str = ""
    title: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResolved(IncidentEvent):
    """The end: `verdict` is genuine, false_alarm, test or duplicate."""

    TYPE: ClassVar[str] = "campus.incident.resolved"
    verdict: str
    note: str = ""
    forced: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentChecked(IncidentEvent):
    """A step of the procedure (预案) was done, or was not done after all; `text` is what the step said."""

    TYPE: ClassVar[str] = "campus.incident.checked"
    procedure: str
    step: str
    text: str = ""
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentShelved(IncidentEvent):
    """Put aside by a guard for a time (ISA-18.2 shelving): it neither sounds nor escalates until then."""

    TYPE: ClassVar[str] = "campus.incident.shelved"
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUnshelved(IncidentEvent):
    """Back before the guards, because its time was over or somebody took it back."""

    TYPE: ClassVar[str] = "campus.incident.unshelved"
    reason: str = ""
