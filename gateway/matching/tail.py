"""The nearest strangers of a site: histograms of best distances, and the local-dimension fit on their lowest 2 %."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from gateway.matching.faults import CalibrationError

BIN = 0.01
BINS = 151
_TAIL = 0.02
_LEAST_HITS = 20
# A fit says less the farther it reaches: so much (in natural logarithm) for each decade. The true curve is steeper.
_DOUBT_PER_DECADE = 0.5
_STEPS = 60
_STEEPEST = 500.0


@dataclass(frozen=True, slots=True)
class DistanceCounts:
    """How many tracks came how near: `counts` in bins of 0.01 from 0 to 1.5, the last holds the rest.

    Attributes:
        people: on the list that they were compared with.
    """

    people: int
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != BINS or self.people < 0 or any(not 0 <= each < math.inf for each in self.counts):
            raise CalibrationError(
                f"a histogram of {len(self.counts)} bins for {self.people} people, or one with impossible counts",
                where="calibration",
                remedy=f"Give {BINS} counts of 0 or more",
            )

    @property
    def tracks(self) -> int:
        """How many tracks there are."""
        return sum(self.counts)

    def within(self, threshold: float) -> float:
        """How many tracks came as near as this; inside a bin in proportion."""
        place = max(0.0, min(threshold / BIN, float(BINS - 1)))
        whole = int(place + 1e-9)
        part = max(0.0, place - whole) * self.counts[whole] if whole < BINS - 1 else 0.0
        return sum(self.counts[:whole]) + part


@dataclass(frozen=True, slots=True)
class Pool:
    """Histograms that are compared together, whatever the size of the list was that each is of."""

    parts: tuple[DistanceCounts, ...] = ()

    @property
    def tracks(self) -> int:
        """How many tracks there are."""
        return sum(part.tracks for part in self.parts)

    @property
    def comparisons(self) -> float:
        """Tracks times people, each with the list of its time: what false matches are counted against."""
        return float(sum(part.tracks * part.people for part in self.parts))

    def hits(self, threshold: float) -> float:
        """Expected false matches within the threshold.

        A track counts once however many it matches; -n ln(1 - k/n) undoes that where the shares are large.
        """
        return sum(_undone(part.within(threshold), part.tracks) for part in self.parts)

    def lowest(self) -> "TailFit | None":
        """The fit on the nearest 2 % of the tracks; None while they are fewer than 20."""
        total = [sum(column) for column in zip(*(part.counts for part in self.parts), strict=True)]
        wanted = max(_TAIL * self.tracks, _LEAST_HITS)
        below = 0
        for number, count in enumerate(total[: BINS - 1]):
            below += count
            if below >= wanted:
                return TailFit.of(total[: number + 1], self) if number else None
        return None


@dataclass(frozen=True, slots=True)
class TailFit:
    """P(distance <= x) ~ x^dimension below `at`: how fast a small ball around a face empties (Levina and Bickel 2004).

    Attributes:
        at: the distance (a bin's edge) that the fit is made below.
        fmr: chance per listed person at `at`.
        dimension: the local dimension; `hits`: of how many tracks it is.
    """

    at: float
    fmr: float
    dimension: float
    hits: int

    @classmethod
    def of(cls, counts: Sequence[int], pool: Pool) -> Self:
        """The maximum-likelihood fit to the counts of the bins below the last one's end."""
        at = len(counts) * BIN
        low, high = 1e-3, _STEEPEST
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if _slope(counts, middle) > 0 else (low, middle)
        return cls(at, pool.hits(at) / max(pool.comparisons, 1.0), low, sum(counts))

    def reaching(self, threshold: float) -> float:
        """The chance per listed person at a threshold below `at`."""
        return float(self.fmr * (max(threshold, 1e-6) / self.at) ** self.dimension)

    def doubt(self, threshold: float) -> float:
        """The standard deviation of the logarithm of `reaching`: of the sample, and of the law itself."""
        steps = self.dimension * max(0.0, math.log(self.at / max(threshold, 1e-6)))
        sampling = math.sqrt((1 + steps**2) / self.hits)
        return math.hypot(sampling, _DOUBT_PER_DECADE * steps / math.log(10))


def _slope(counts: Sequence[int], dimension: float) -> float:
    """The derivative of the log-likelihood of grouped power-law distances by the dimension."""
    edges = [number / len(counts) for number in range(len(counts) + 1)]
    total = 0.0
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        if count:
            a, b = high**dimension, low**dimension if low else 0.0
            total += count * (a * math.log(high) - (b * math.log(low) if low and b else 0.0)) / max(a - b, 1e-300)
    return total


def _undone(within: float, tracks: int) -> float:
    if not within:
        return 0.0
    return -tracks * math.log1p(-min(within / tracks, 1 - 1 / (tracks + 1)))
