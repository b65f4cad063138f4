"""The life of an incident (早处置): each transition is an event, the incident is their replay."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent(Event):
    """What all events of an incident hold.

    Attributes:
        incident: the incident's id.
        actor: the account that did it; empty if the gateway itself.
        command_id: the client's id of the command, so that the same one again is one transition.
    """

    incident: str
    actor: str = ""
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened(IncidentEvent):
    """A critical or high event opened an incident.

    Attributes:
        trigger: id of the event that opened it.
        trigger_position: the journal's position of that event.
        kind: type of the trigger, such as ``campus.button.pressed``.
        origin: source of the trigger.
        title: what happened, in words of the place.
        place: where.
        discreet: true for silent and duress presses: nothing at the place may show it.
        key: what further events of the same origin and kind must share to join it.
    """

    TYPE: ClassVar[str] = "campus.incident.opened"
    trigger: str
    trigger_position: int
    kind: str
    origin: str
    title: str = ""
    place: str = ""
    discreet: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRaisedAgain(IncidentEvent):
    """A further event of the same source joined the incident; `count` triggers by now."""

    TYPE: ClassVar[str] = "campus.incident.raised_again"
    trigger: str
    trigger_position: int
    count: int


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
    """Nobody acknowledged in time; `level` rises from 1."""

    TYPE: ClassVar[str] = "campus.incident.escalated"
    level: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResolved(IncidentEvent):
    """The end: `verdict` is genuine, false_alarm, test or duplicate."""

    TYPE: ClassVar[str] = "campus.incident.resolved"
    verdict: str
    note: str = ""
    forced: bool = False
    reason: str = ""
