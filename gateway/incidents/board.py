"""The unresolved incidents in memory: by id and by the key that further events join them with."""

from gateway.events import Event, IncidentOpened, IncidentRaisedAgain
from gateway.incidents.keys import Key, ends, key_of_incident, name_of_loss
from gateway.incidents.replay import RESOLVED
from gateway.storage import Incident


def concerns(event: Event, incident: Incident) -> bool:
    """Whether a clearing ends the condition of an incident, or of a loss that it hides; once is enough."""
    lost = name_of_loss(event)
    return (incident.active and ends(event, incident)) or any(each.source == lost for each in incident.hidden)


class Board:
    """What the guards have before them."""

    def __init__(self) -> None:
        self._open: dict[str, Incident] = {}
        self._keys: dict[Key, str] = {}

    def copy(self) -> "Board":
        """Another one with the same on it."""
        other = Board()
        other._open, other._keys = dict(self._open), dict(self._keys)
        return other

    def clear(self) -> None:
        """Take everything off."""
        self._open.clear()
        self._keys.clear()

    def keep(self, incident: Incident) -> None:
        """Put an incident up in its newest form; one that is resolved leaves."""
        key = key_of_incident(incident)
        if incident.state != RESOLVED:
            self._open[incident.id] = incident
            self._keys[key] = incident.id
            return
        self._open.pop(incident.id, None)
        if self._keys.get(key) == incident.id:
            del self._keys[key]

    def get(self, incident: str) -> Incident | None:
        """The incident of that id, if it is unresolved."""
        return self._open.get(incident)

    def of_key(self, key: Key) -> Incident | None:
        """The newest unresolved incident that events of this key join."""
        return self._open.get(self._keys.get(key, ""))

    def cleared_by(self, event: Event) -> list[Incident]:
        """All unresolved incidents whose condition an event ends, or that hide what it ends."""
        return [each for each in self._open.values() if concerns(event, each)]

    def hiding(self, event: IncidentOpened | IncidentRaisedAgain) -> list[Incident]:
        """All unresolved incidents that hide what opened another one, or joined it."""
        return [
            each
            for each in self._open.values()
            if each.hidden and each.id != event.incident and any(one.event == event.trigger for one in each.hidden)
        ]

    def all(self) -> tuple[Incident, ...]:
        """All, oldest first."""
        return tuple(self._open.values())
