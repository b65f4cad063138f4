"""The unresolved incidents in memory: by id and by the key that further events join them with."""

from gateway.incidents.replay import RESOLVED
from gateway.incidents.rules import Key, key_of_incident
from gateway.storage import Incident


class Board:
    """What the guards have before them."""

    def __init__(self) -> None:
        self._open: dict[str, Incident] = {}
        self._keys: dict[Key, str] = {}

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

    def of_source(self, source: str) -> list[Incident]:
        """All unresolved incidents of a source."""
        return [each for each in self._open.values() if each.source == source]

    def all(self) -> tuple[Incident, ...]:
        """All, oldest first."""
        return tuple(self._open.values())
