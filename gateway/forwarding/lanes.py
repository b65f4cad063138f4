"""What waits for a destination: one lane per source, in order; a lane whose head is critical goes first."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.events import Severity
from gateway.storage import Stored

_POISON_TRIES = 5


@dataclass(slots=True)
class Waiting:
    """An event on its way.

    Attributes:
        attempts: how often it was tried.
        not_before: monotonic seconds of the next try.
        in_flight: whether it is being tried.
    """

    stored: Stored
    attempts: int = 0
    not_before: float = 0.0
    in_flight: bool = False

    @property
    def critical(self) -> bool:
        """Whether it may overtake."""
        return self.stored.event.severity is Severity.CRITICAL


@dataclass(slots=True)
class _Lane:
    queue: deque[Waiting] = field(default_factory=deque)


class Lanes:
    """All events that wait, by source."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._positions: set[int] = set()

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, stored: Stored) -> None:
        """Put an event into its source's lane, in order of position; one that is there already stays."""
        if stored.position in self._positions:
            return
        self._positions.add(stored.position)
        queue = self._lanes.setdefault(stored.event.source, _Lane()).queue
        place = len(queue)
        while place and queue[place - 1].stored.position > stored.position:
            place -= 1
        queue.insert(place, Waiting(stored))

    def done(self, waiting: Waiting) -> None:
        """An event left: delivered or refused."""
        source = waiting.stored.event.source
        lane = self._lanes[source]
        lane.queue.remove(waiting)
        self._positions.discard(waiting.stored.position)
        if not lane.queue:
            del self._lanes[source]

    def ready(self, now: float) -> list[Waiting]:
        """What may be tried now, critical first, then the oldest."""
        found = [each for lane in self._lanes.values() for each in _candidates(lane) if each.not_before <= now]
        return sorted(found, key=lambda each: (not each.critical, each.stored.position))

    def next_try(self) -> float | None:
        """Monotonic seconds of the earliest retry; None if nothing waits for one."""
        times = [each.not_before for lane in self._lanes.values() for each in _candidates(lane)]
        return min(times, default=None)

    def oldest(self) -> Stored | None:
        """The oldest event that waits."""
        heads = [lane.queue[0].stored for lane in self._lanes.values()]
        return min(heads, key=lambda stored: stored.position, default=None)

    def hurry(self) -> None:
        """Try everything now."""
        for lane in self._lanes.values():
            for waiting in lane.queue:
                waiting.not_before = 0.0


def _candidates(lane: _Lane) -> Iterator[Waiting]:
    """The head of a lane, if nobody tries it; behind a head that fails again and again, the first critical one, too."""
    head = lane.queue[0]
    if not head.in_flight:
        yield head
    if head.attempts >= _POISON_TRIES:
        critical = next((each for each in list(lane.queue)[1:] if each.critical), None)
        if critical is not None and not critical.in_flight:
            yield critical
