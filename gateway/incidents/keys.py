"""Which events belong together: what opens an incident, what joins it, what says that its condition is over."""

from datetime import datetime

from gateway.events import (
    ButtonCleared,
    ButtonLost,
    ButtonPressed,
    ButtonRestored,
    ButtonTested,
    CameraInputTriggered,
    CameraLost,
    CameraRestored,
    DestinationFailing,
    DestinationRecovered,
    Event,
    FaceMatched,
    GatewayFault,
    IncidentEvent,
    PressKind,
    Severity,
)
from gateway.storage import Incident, UnreadableEvent, type_of

Key = tuple[str, str, str]
LOSSES = (ButtonLost, CameraLost, DestinationFailing)
LOSS_KINDS = frozenset(kind.TYPE for kind in LOSSES)
CLEARING = (ButtonCleared, ButtonRestored, CameraRestored, DestinationRecovered)
GROUP = "flood "
_OWN = ("campus.incident.", "campus.flood.", "campus.drill.")
_MAYBE_DISCREET = (ButtonPressed.TYPE, ButtonTested.TYPE, "campus.incident.")
_RANK = {severity: number for number, severity in enumerate(Severity)}
_OVER: dict[type[Event], str] = {
    ButtonRestored: ButtonLost.TYPE,
    CameraRestored: CameraLost.TYPE,
    DestinationRecovered: DestinationFailing.TYPE,
}


def key_of(event: Event) -> Key | None:
    """What events share that belong to one incident: source, type and detail; None if it opens none.

    Every critical event opens one, every face warning, and every loss of protection: nobody need act on anything else
    (ISA-18.2: an alarm requires a response). A silent press never shares one with a loud press, and a real one never
    with a drill or one of a button that is out of service, so that neither is told, or kept quiet, in the other's
    place. What is damaged in the journal opens none by itself: the fault that tells of it does. A button that is out of
    service is not missed.
    """
    type_ = type_of(event)
    if isinstance(event, IncidentEvent | UnreadableEvent) or type_.startswith(_OWN) or not _needs_somebody(event):
        return None
    detail = _detail_of(event)
    return (name_of_loss(event), type_, f"drill {detail}".rstrip() if event.drill else detail)


def _needs_somebody(event: Event) -> bool:
    if isinstance(event, ButtonLost) and event.out_of_service:
        return False
    return event.severity is Severity.CRITICAL or isinstance(event, (FaceMatched, *LOSSES))


def _detail_of(event: Event) -> str:
    match event:
        case FaceMatched():
            return event.person
        case GatewayFault():
            return f"{event.fault} {event.device}".strip()
        case _:
            marks = ("out of service" if is_out_of_service(event) else "", "discreet" if is_discreet(event) else "")
            return " ".join(each for each in marks if each)


def key_of_incident(incident: Incident) -> Key:
    """The key that further events must have to join an incident; a group of a flood has no source of its own."""
    source = "" if incident.key.startswith(GROUP) else incident.source
    return (source, incident.kind, incident.key)


def group_key(event: Event, *, everywhere: bool = False) -> Key:
    """In a flood: type and place are what events share; `everywhere`: the type alone."""
    drill = "drill " if event.drill else ""
    return ("", type_of(event), f"{GROUP}{drill}{'' if everywhere else place_of(event)}")


def place_of(event: Event) -> str:
    """Where, in words; the name of what it happened at if no place is known."""
    return getattr(event, "place", "") or getattr(event, "name", "") or event.subject


_TOLD_DISCREET = (IncidentEvent, ButtonCleared, CameraInputTriggered)


def is_discreet(event: Event) -> bool:
    """Whether nothing at the place may show an event: a silent or duress press, what follows or may have been one.

    The test of a silent button tells which one is silent, and is not shown there either.
    """
    if isinstance(event, _TOLD_DISCREET):
        return event.discreet
    if isinstance(event, UnreadableEvent):
        return not event.was or event.was.startswith(_MAYBE_DISCREET)
    if isinstance(event, ButtonTested):
        return event.kind in (PressKind.SILENT, PressKind.DURESS)
    return isinstance(event, ButtonPressed) and event.kind is not PressKind.PRESS


def press_of(event: Event) -> str:
    """How a button was pressed: press, silent or duress; empty if it was none."""
    return event.kind.value if isinstance(event, ButtonPressed) else ""


def is_out_of_service(event: Event) -> bool:
    """Whether two administrators took what it is of out of service: it is shown, and calls nobody out."""
    return bool(getattr(event, "out_of_service", False))


def arrival_of(event: Event) -> datetime | None:
    """When a press that was late reached the gateway; None if it was not late, or is none."""
    return (event.recorded or event.time) if isinstance(event, ButtonPressed) and event.late else None


def is_group(incident: Incident) -> bool:
    """Whether it holds what came in a flood, by place and kind."""
    return incident.key.startswith(GROUP)


def is_emergency(event: Event) -> bool:
    """Whether it always stands alone: never grouped, inhibited or shelved."""
    return event.severity is Severity.CRITICAL


def is_worse(event: Event, incident: Incident) -> bool:
    """Whether an event is more severe than an incident, and so must not disappear in it."""
    return _RANK[event.severity] < _RANK[incident.severity]


def name_of_loss(event: Event) -> str:
    """What was lost, or is there again: its source; a destination is named beside the gateway's."""
    destination = getattr(event, "destination", "")
    return f"{event.source}#{destination}" if destination else event.source


def ends(event: Event, incident: Incident) -> bool:
    """Whether an event says that the condition of an incident is over."""
    if isinstance(event, ButtonCleared):
        return incident.source == event.source and incident.kind == ButtonPressed.TYPE
    lost = _OVER.get(type(event))
    return lost is not None and key_of_incident(incident) == (name_of_loss(event), lost, "")
