"""Counts how near passers-by came to the watch-list, in sum: no passage, time or template of one is kept."""

from collections import defaultdict
from dataclasses import dataclass, field

from gateway.clock import Clock, SystemClock
from gateway.matching import BIN, BINS, Decision, FaceSize, Rule
from gateway.wire import PassageStatistics, TrackDistances

_ROUNDING = 1e-9


@dataclass(slots=True)
class Nearest:
    """The smallest distances of one passage so far, by rule; they stand once it was warned of."""

    distances: dict[Rule, float] = field(default_factory=dict)
    size: FaceSize = "full"

    def note(self, decision: Decision) -> None:
        """Take in what one judgement of a track came to."""
        if not decision.looks:
            return
        if decision.score < self.distances.get("track", float("inf")):
            self.size = decision.size
        found: dict[Rule, float | None] = {
            "look": decision.look_distance,
            "mean": decision.distance,
            "median": decision.median_distance,
            "track": decision.score,
        }
        for rule, distance in found.items():
            far = float("inf") if distance is None else distance
            self.distances[rule] = min(far, self.distances.get(rule, far))


class PassageCounts:
    """The histograms of one camera since they were last taken, one for each face size and rule.

    Passages that were warned of are not in them: each is an event of its own, with its distances and its verdict.
    Bins of 0.01 from 0 to 1.5; the last holds the rest, among them passages of whom nobody was within reach.
    """

    def __init__(self, camera: str, clock: Clock | None = None) -> None:
        self._camera = camera
        self._clock = clock or SystemClock()
        self._begin()
        self.total = 0

    def _begin(self) -> None:
        self._histograms: dict[tuple[FaceSize, Rule], list[int]] = defaultdict(lambda: [0] * BINS)
        self._passages = self._warned = 0
        self._since = self._clock.monotonic()

    def count(self, nearest: Nearest, *, warned: bool) -> None:
        """A passage ended."""
        self.total += 1
        self._passages += 1
        self._warned += int(warned)
        if warned:
            return
        for rule, distance in nearest.distances.items():
            place = BINS - 1 if distance >= BIN * (BINS - 1) else int(distance / BIN + _ROUNDING)
            self._histograms[nearest.size, rule][place] += 1

    def take(self, people: int = 0, model: str = "") -> PassageStatistics:
        """What was counted, and begin anew.

        Args:
            people: on the list that they were compared with.
            model: fingerprint of the face network.
        """
        taken = PassageStatistics(
            camera=self._camera,
            passages=self._passages,
            warned=self._warned,
            seconds=round(self._clock.monotonic() - self._since, 1),
            people=people,
            model=model,
            distances=tuple(
                TrackDistances(size=size, rule=rule, counts=tuple(counts))
                for (size, rule), counts in self._histograms.items()
            ),
        )
        self._begin()
        return taken
