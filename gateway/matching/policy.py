"""Decides from several looks whether a face is somebody of the watch-list."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import PermanentError
from gateway.matching.gallery_values import Candidate, margin
from gateway.matching.looks import Evidence, Opinion

_LAXEST = 0.6


class Verdict(StrEnum):
    """What the looks add up to."""

    MATCH = "match"
    NOBODY = "nobody"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's answer about one face, with all it rests on.

    `person` and `template` are named for a match only. `distance` is that of the looks' mean vector to the nearest
    person, `median_distance` the median over the looks to the same; None where nobody was within reach. `threshold` is
    the one that both had to meet after every tightening. `votes` of `looks` named the person. `rival` is a second
    person about as near; None if there is none.
    """

    verdict: Verdict
    person: str | None
    template: str | None
    distance: float | None
    median_distance: float | None
    threshold: float
    margin: float
    rival: str | None
    votes: int
    looks: int
    height_px: float
    quality: float
    model: str


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """The rules of a decision; distances are Euclidean distances of dlib's network.

    Attributes:
        threshold: the largest distance of a match; at most 0.6.
        early_threshold: a distance so sure that it needs neither a margin nor `minimum_looks`.
        small_face_threshold: the largest distance for faces lower than `full_height_px`.
        margin: how much farther the second person must be than the first, unless the distance is sure.
        minimum_looks: with fewer looks only `early_threshold` decides.
        mean_strictness: how much tighter the mean vector is judged than a single look: averaging takes noise out of
            strangers' distances too.
        least_height_px: lower faces are not judged.
        full_height_px: from this height on a face is not small.
        agreement: the share of the looks that must name the person; more than this.
    """

    threshold: float = _LAXEST
    early_threshold: float = 0.5
    small_face_threshold: float = 0.53
    margin: float = 0.03
    minimum_looks: int = 3
    mean_strictness: float = 0.03
    least_height_px: float = 32.0
    full_height_px: float = 40.0
    agreement: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= _LAXEST:
            raise PermanentError(
                f"a matching threshold of {self.threshold}", remedy=f"Give one above 0 and at most {_LAXEST}"
            )
        if self.full_height_px < self.least_height_px or self.minimum_looks < 1:
            raise PermanentError("the matching policy contradicts itself", remedy="Check its heights and looks")

    @property
    def reach(self) -> float:
        """The distance within which candidates must be known for a decision."""
        return self.threshold + self.margin

    def threshold_at(self, height_px: float) -> float:
        """The largest distance of a match for a face of this height; negative, so never met, below the least."""
        if height_px < self.least_height_px:
            return -1.0
        return self.threshold if height_px >= self.full_height_px else min(self.threshold, self.small_face_threshold)

    def decide(self, evidence: Evidence, *, final: bool = False) -> Decision:
        """Judge the looks so far.

        Args:
            evidence: from `weigh_looks`.
            final: no look will follow; what is open until then becomes "nobody".

        A match needs more than `agreement` of the looks to name the person, and both the looks' median distance and
        their mean vector's distance within the threshold. With few looks the threshold is the early one and every look
        must name the person.
        """
        opinions = [o for o in evidence.opinions if o.height_px >= self.least_height_px]
        height = statistics.median([o.height_px for o in opinions]) if opinions else 0.0
        few = len(opinions) < self.minimum_looks
        threshold = self._effective(height, few=few)
        person, votes = self._elect(opinions)
        matched = person is not None and self._holds(evidence.mean, opinions, person, votes, threshold)
        verdict = Verdict.MATCH if matched else self._otherwise(few=few, final=final)
        return _decision(verdict, evidence, opinions, votes if matched else 0, threshold, height, self.margin)

    def _effective(self, height: float, *, few: bool) -> float:
        """The threshold for looks of this median height; few looks at a small face get both tightenings together."""
        threshold = self.threshold_at(height)
        if not few or threshold < 0:
            return threshold
        return min(threshold, self.early_threshold) - (self.threshold - threshold)

    def _elect(self, opinions: Sequence[Opinion]) -> tuple[str | None, int]:
        """The person whom most looks name, and how many do; looks that name nobody vote, too."""
        votes = Counter(self._vote(opinion) for opinion in opinions)
        votes[None] += 0
        person, count = max(votes.items(), key=lambda item: item[1])
        return person, count

    def _vote(self, opinion: Opinion) -> str | None:
        clear = self._clear(opinion.candidates)
        if not clear or opinion.candidates[0].distance > self.threshold_at(opinion.height_px):
            return None
        return opinion.candidates[0].person

    def _clear(self, candidates: tuple[Candidate, ...]) -> bool:
        """Whether the first candidate stands apart from the second, or is near enough not to need it."""
        if not candidates:
            return False
        return candidates[0].distance <= self.early_threshold or margin(candidates) >= self.margin

    def _holds(
        self,
        mean: tuple[Candidate, ...],
        opinions: Sequence[Opinion],
        person: str,
        votes: int,
        threshold: float,
    ) -> bool:
        needed = 1.0 if len(opinions) < self.minimum_looks else self.agreement
        agreed = votes == len(opinions) if needed == 1.0 else votes > needed * len(opinions)
        if not agreed or not self._clear(mean) or mean[0].person != person:
            return False
        strict = threshold - (self.mean_strictness if len(opinions) > 1 else 0.0)
        return mean[0].distance <= strict and _median_distance(opinions, person) <= threshold

    def _otherwise(self, *, few: bool, final: bool) -> Verdict:
        return Verdict.UNDECIDED if few and not final else Verdict.NOBODY


def _median_distance(opinions: Sequence[Opinion], person: str) -> float:
    """The median of the looks' distances to a person; looks for which they are out of reach count as infinite."""
    found = [next((c.distance for c in opinion.candidates if c.person == person), float("inf")) for opinion in opinions]
    return statistics.median_high(found)


def _decision(
    verdict: Verdict,
    evidence: Evidence,
    opinions: Sequence[Opinion],
    votes: int,
    threshold: float,
    height: float,
    least_margin: float,
) -> Decision:
    best = evidence.mean[0] if evidence.mean and opinions else None
    named = best if verdict is Verdict.MATCH else None
    median = _median_distance(opinions, best.person) if best else float("inf")
    apart = margin(evidence.mean)
    return Decision(
        verdict=verdict,
        person=named.person if named else None,
        template=named.template if named else None,
        distance=best.distance if best else None,
        median_distance=median if median != float("inf") else None,
        threshold=threshold,
        margin=apart,
        rival=evidence.mean[1].person if named and apart < least_margin else None,
        votes=votes,
        looks=len(opinions),
        height_px=height,
        quality=max((opinion.quality for opinion in opinions), default=0.0),
        model=evidence.model,
    )
