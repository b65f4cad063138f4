"""What the journal's events make of all incidents and of the site, in memory."""

from collections.abc import Callable, Iterable, Iterator

from gateway.events import (
    Event,
    FaceVerified,
    FloodEnded,
    FloodStarted,
    IncidentEvent,
    IncidentOpened,
    IncidentRaisedAgain,
)
from gateway.incidents.board import Board, concerns
from gateway.incidents.keys import CLEARING, is_group, name_of_loss
from gateway.incidents.policy import Policy
from gateway.incidents.replay import RESOLVED, apply
from gateway.incidents.situation import CALM, Situation, advance, is_of_situation
from gateway.storage import Incident, Stored

Tell = Callable[[Incident, Stored], None]
_OF_ONE = IncidentEvent | FaceVerified
_DECIDED = IncidentEvent | FaceVerified | FloodStarted | FloodEnded
_SOURCES, _OF_A_SOURCE = 1000, 64


def _nobody(_incident: Incident, _stored: Stored) -> None:
    return


class Projection:
    """All incidents as the events so far make them; an event that was taken already changes nothing.

    Args:
        policy: the site's.
        tell: told of each incident that an event changed, with that event.

    Attributes:
        board: the unresolved ones.
        situation: of the site.
        changed: by id, those that changed since the store was told; who tells it empties this.
        aside: by id, resolved ones that the events at hand are about.
        unsettled: whether something changed from which more may follow.
    """

    def __init__(self, policy: Policy, tell: Tell = _nobody) -> None:
        self._policy = policy
        self._tell = tell
        self.board = Board()
        self.situation = CALM
        self.changed: dict[str, Incident] = {}
        self.aside: dict[str, Incident] = {}
        self.unsettled = True
        self._newest = 0
        self._released: list[Incident] = []
        self._clearings: dict[str, list[Stored]] = {}

    def load(self, incidents: Iterable[Incident], situation: Situation, clearings: Iterable[Stored]) -> None:
        """Begin anew with what is known of a former run."""
        for kept in (self.board, self.changed, self.aside, self._released, self._clearings):
            kept.clear()
        for incident in incidents:
            self.board.keep(incident)
        for stored in clearings:
            self._note_clearing(stored)
        self.situation, self.unsettled, self._newest = situation, True, 0

    def copy(self) -> "Projection":
        """One that goes on from here by itself, and tells nobody."""
        other = Projection(self._policy)
        other.board = self.board.copy()
        other.situation, other._newest = self.situation, self._newest
        other.aside, other._clearings = dict(self.aside), dict(self._clearings)
        return other

    def get(self, incident: str) -> Incident | None:
        """An incident that is unresolved or laid aside."""
        return self.board.get(incident) or self.aside.get(incident)

    def misses(self, event: Event) -> str:
        """Id of the incident that an event is about, if it must be laid aside before the event can be taken."""
        return event.incident if isinstance(event, _OF_ONE) and self.get(event.incident) is None else ""

    def take(self, stored: Stored) -> list[Incident]:
        """The incidents that an event changed, the one that it is about first."""
        event = stored.event
        if isinstance(event, _DECIDED):
            if stored.position <= self._newest:
                return []
            self._newest = stored.position
        if is_of_situation(event) or isinstance(event, IncidentEvent):
            self.situation = advance(self.situation, stored, self._policy)
            self.unsettled = True
        changed = [after for each in self._concerned(stored) if (after := self._apply(each, stored)) is not None]
        if isinstance(event, IncidentOpened | IncidentRaisedAgain):
            return [self._cleared_meanwhile(each, event.trigger_position) for each in changed]
        return changed

    def let_go(self) -> Iterator[Incident]:
        """Incidents whose hidden losses nothing explains any more, each once after its end."""
        yield from [each for each in self.board.all() if not each.active and each.hidden and not is_group(each)]
        yield from self._released
        self._released.clear()

    def _concerned(self, stored: Stored) -> list[Incident | None]:
        event = stored.event
        if isinstance(event, _OF_ONE):
            hiding = self.board.hiding(event) if isinstance(event, IncidentOpened | IncidentRaisedAgain) else []
            return [self.get(event.incident), *hiding]
        if isinstance(event, CLEARING):
            self._note_clearing(stored)
            return [*self.board.cleared_by(event)]
        return []

    def _note_clearing(self, stored: Stored) -> None:
        name = name_of_loss(stored.event)
        self._clearings[name] = [*self._clearings.pop(name, []), stored][-_OF_A_SOURCE:]
        while len(self._clearings) > _SOURCES:
            self._clearings.pop(next(iter(self._clearings)))

    def _cleared_meanwhile(self, incident: Incident, trigger: int) -> Incident:
        """The incident after clearings that stand between its trigger and what was decided about that."""
        names = {incident.source, *(each.source for each in incident.hidden)}
        for name in sorted(names & self._clearings.keys()):
            for stored in self._clearings[name]:
                if stored.position > trigger and concerns(stored.event, incident):
                    incident = self._apply(incident, stored) or incident
        return incident

    def _apply(self, known: Incident | None, stored: Stored) -> Incident | None:
        incident = apply(known, stored)
        if incident is None or incident is known:
            return None
        self.unsettled = True
        self.board.keep(incident)
        self.changed[incident.id] = incident
        if incident.state == RESOLVED:
            self.aside[incident.id] = incident
            if incident.hidden:
                self._released.append(incident)
        self._tell(incident, stored)
        return incident
