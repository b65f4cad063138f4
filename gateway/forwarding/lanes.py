"""What waits for a destination: one lane per source, in order; a lane with something critical in it goes first."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.events import Severity
from gateway.forwarding.sinks import Outcome
from gateway.storage import Stored

LANE = 200
_STUCK_TRIES = 5
_POISON_TRIES = 10


@dataclass(slots=True, eq=False)
class Waiting:
    """An event on its way.

    Attributes:
        attempts: how often it was tried.
        not_before: monotonic seconds of the next try.
        in_flight: whether it is being tried.
        urgent: whether it is critical, or something critical of its source waits behind it.
        outlived: whether the destination took something else after a try of this one failed.
        outcome: the receiver's last word, once there is one; it only remains to be kept.
    """

    stored: Stored
    attempts: int = 0
    not_before: float = 0.0
    in_flight: bool = False
    urgent: bool = False
    outlived: bool = False
    outcome: Outcome | None = None

    @property
    def critical(self) -> bool:
        """Whether it may overtake."""
        return self.stored.event.severity is Severity.CRITICAL


@dataclass(slots=True)
class _Lane:
    """One source's events; `whole_to` is set once it is full: up to there it holds everything that waits."""

    queue: deque[Waiting] = field(default_factory=deque)
    whole_to: int | None = None
    missing: int = 0
    critical: int = 0


class Lanes:
    """All events that wait, by source.

    A lane has room for `LANE` events, so that a source whose events a receiver cannot take does not use up the room of
    the others; what finds none stays in the journal until the lane is half empty. Critical events have as much room of
    their own, so that a button that does not stop leaves room for the presses of the others.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._positions: set[int] = set()
        self._failed: set[Waiting] = set()

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def missing(self) -> int:
        """How many events found no room in their lane."""
        return sum(lane.missing for lane in self._lanes.values())

    def add(self, stored: Stored, *, in_order: bool = True) -> None:
        """Put an event into its source's lane, in order of position; one that is there already stays.

        Args:
            stored: the event.
            in_order: False for one ahead of what was read in order: if it finds no room it will come again.
        """
        if stored.position in self._positions:
            return
        lane = self._lanes.setdefault(stored.event.source, _Lane())
        waiting = Waiting(stored)
        full = lane.whole_to is not None or len(lane.queue) >= LANE
        if lane.critical >= LANE if waiting.critical else full:
            lane.whole_to = stored.position - 1 if lane.whole_to is None else lane.whole_to
            lane.missing += in_order
            return
        self._insert(lane, waiting)

    def _insert(self, lane: _Lane, waiting: Waiting) -> None:
        self._positions.add(waiting.stored.position)
        lane.critical += waiting.critical
        place = len(lane.queue)
        while place and lane.queue[place - 1].stored.position > waiting.stored.position:
            place -= 1
        lane.queue.insert(place, waiting)

    def lacks(self, source: str, after: int) -> None:
        """What a source has behind a position may be in the journal only; nothing of it goes before that is fetched."""
        lane = self._lanes.get(source)
        if lane is not None:
            lane.whole_to = after if lane.whole_to is None else min(lane.whole_to, after)

    def hungry(self) -> list[tuple[str, int]]:
        """Sources whose lane lacks events and has few before them, and the position behind which it lacks them."""
        return [
            (source, lane.whole_to)
            for source, lane in self._lanes.items()
            if lane.whole_to is not None and _reaches(lane.queue, lane.whole_to) <= LANE // 2
        ]

    def beyond(self, position: int) -> int:
        """How many events behind a position wait here."""
        return sum(each > position for each in self._positions)

    def refill(self, source: str, events: list[Stored], *, whole_to: int | None, read: int) -> None:
        """Give a lane what it lacks; it is then whole up to `whole_to`, or altogether.

        What lies behind `read` was not looked at in order yet, and so is not among the missing.
        """
        lane = self._lanes[source]
        fresh = [each for each in events if each.position not in self._positions]
        for stored in fresh:
            self._insert(lane, Waiting(stored))
        lane.whole_to = whole_to
        found = sum(each.position <= read for each in fresh)
        lane.missing = max(0, lane.missing - found) if whole_to is not None else 0
        self._drop_if_empty(source)

    def done(self, waiting: Waiting) -> None:
        """An event left: delivered or refused."""
        source = waiting.stored.event.source
        self._lanes[source].queue.remove(waiting)
        self._lanes[source].critical -= waiting.critical
        self._positions.discard(waiting.stored.position)
        self._failed.discard(waiting)
        self._drop_if_empty(source)

    def _drop_if_empty(self, source: str) -> None:
        lane = self._lanes[source]
        if not lane.queue and lane.whole_to is None:
            del self._lanes[source]

    def failed(self, waiting: Waiting, not_before: float) -> None:
        """A try failed; the next one not before then."""
        waiting.attempts += 1
        waiting.not_before = not_before
        self._failed.add(waiting)

    def stuck(self, tries: int, *, besides: Waiting) -> bool:
        """Whether another event failed so often."""
        return any(each.attempts >= tries for each in self._failed if each is not besides)

    def took_one(self) -> None:
        """The destination took something: what keeps failing beside it has itself to blame."""
        for waiting in self._failed:
            waiting.outlived = True

    def ready(self, now: float) -> list[Waiting]:
        """What may be tried now, what is urgent first, then the oldest."""
        found = [each for each in self._candidates() if each.not_before <= now]
        return sorted(found, key=lambda each: (not each.urgent, each.stored.position))

    def next_try(self, now: float) -> float | None:
        """Monotonic seconds of the earliest retry that is still to come; None if there is none."""
        return min((each.not_before for each in self._candidates() if each.not_before > now), default=None)

    def _candidates(self) -> Iterator[Waiting]:
        for lane in self._lanes.values():
            for waiting in _candidates_of(lane.queue):
                waiting.urgent = lane.critical > 0
                yield waiting

    def oldest(self) -> Waiting | None:
        """The oldest event that waits."""
        heads = [lane.queue[0] for lane in self._lanes.values() if lane.queue]
        return min(heads, key=lambda waiting: waiting.stored.position, default=None)

    def hurry(self) -> None:
        """Try everything now."""
        for waiting in self._failed:
            waiting.not_before = 0.0


def _reaches(queue: deque[Waiting], position: int) -> int:
    """How many of a lane stand at or before a position."""
    return sum(each.stored.position <= position for each in queue)


def _candidates_of(queue: deque[Waiting]) -> Iterator[Waiting]:
    """The head of a lane, if nobody tries it; behind a head that is stuck, the first critical one, too."""
    if not queue:
        return
    head = queue[0]
    if not head.in_flight:
        yield head
    if _may_be_overtaken(head):
        critical = next((each for each in list(queue)[1:] if each.critical), None)
        if critical is not None and not critical.in_flight:
            yield critical


def _may_be_overtaken(head: Waiting) -> bool:
    """Whether a press may go before an older event of its own button.

    Before a lesser event after some tries; before another press only if the destination is proven to take others.
    """
    if head.critical:
        return head.attempts >= _POISON_TRIES and head.outlived
    return head.attempts >= _STUCK_TRIES
