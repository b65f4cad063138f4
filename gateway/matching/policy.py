"""Decides from several looks whether a face is somebody of the watch-list: one score, one threshold."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import PermanentError
from gateway.matching.calibration import HIGHEST_THRESHOLD
from gateway.matching.factory import MEDIAN_SLACK, FaceSize
from gateway.matching.gallery_values import margin
from gateway.matching.looks import Evidence, Opinion

_INFINITE = float("inf")


class Verdict(StrEnum):
    """What the looks add up to."""

    MATCH = "match"
    NOBODY = "nobody"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a score must not pass, by the size of the face, and what that was chosen for.

    Attributes:
        full, small: for faces from `MatchPolicy.full_height_px` on, and for lower ones; above 0 and at most 0.6.
        warnings_per_day: false warnings a day that are expected of the whole site; None if nobody said.
        basis: where that expectation is from: ``site``, ``factory`` or ``configured`` (a threshold set by hand).
    """

    full: float
    small: float
    warnings_per_day: float | None = None
    basis: str = "factory"

    def __post_init__(self) -> None:
        for value in (self.full, self.small):
            if not 0 < value <= HIGHEST_THRESHOLD:
                remedy = f"Give one above 0 and at most {HIGHEST_THRESHOLD}"
                raise PermanentError(f"a matching threshold of {value}", remedy=remedy)

    def of(self, size: FaceSize) -> float:
        """The threshold for faces of this size."""
        return self.small if size == "small" else self.full


@dataclass(frozen=True, slots=True)
class Decision:
    """The policy's answer about one face, with all it rests on.

    `person` and `template` are named for a match only. `distance` is that of the looks' mean vector to the nearest
    person, `median_distance` the median over the looks to the same; None where nobody was within reach. `score` met
    `threshold` if it is a match. `votes` of `looks` named the person. `rival` is a second person about as near; None
    if there is none. `look_distance` is the first look's to whoever was nearest to it.
    """

    verdict: Verdict
    person: str | None
    template: str | None
    distance: float | None
    median_distance: float | None
    look_distance: float | None
    score: float
    threshold: float
    size: FaceSize
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

    All rules end in one number, the score, which does not depend on the threshold: so that how often strangers come
    how near tells exactly what each threshold would do (`Calibration`).

    Attributes:
        median_slack: how much farther the looks' median may be than the mean vector, which is nearer to everybody
            because averaging takes the noise out: 0.15 costs hardly a listed visit, and is still within 0.6 of a look.
        margin: a second person less than this farther than the first makes a distance unclear.
        unclear: what an unclear distance is worse by.
        few_looks: what fewer than `minimum_looks` are worse by; all of them must then name the person.
        agreement: the share of the looks that must name the person; more than this.
        least_height_px: lower faces are not judged.
        full_height_px: from this height on a face is not small.
    """

    median_slack: float = MEDIAN_SLACK
    margin: float = 0.03
    unclear: float = 0.05
    few_looks: float = 0.05
    minimum_looks: int = 3
    agreement: float = 0.5
    least_height_px: float = 32.0
    full_height_px: float = 40.0

    def __post_init__(self) -> None:
        if self.full_height_px < self.least_height_px or self.minimum_looks < 1:
            raise PermanentError("the matching policy contradicts itself", remedy="Check its heights and looks")

    def size_of(self, height_px: float) -> FaceSize:
        """Whether faces of this height have a threshold of their own."""
        return "full" if height_px >= self.full_height_px else "small"

    def decide(self, evidence: Evidence, thresholds: Thresholds, *, final: bool = False) -> Decision:
        """Judge the looks so far.

        Args:
            evidence: from `weigh_looks` or `RunningLooks`, of looks that are high enough.
            thresholds: of this camera.
            final: no look will follow; what is open until then becomes "nobody".
        """
        opinions = evidence.opinions
        height = statistics.median([each.height_px for each in opinions]) if opinions else 0.0
        threshold = thresholds.of(self.size_of(height))
        score, votes = self._score(evidence)
        matched = evidence.asked and score <= threshold
        open_still = self._are_few(evidence) and not final
        verdict = Verdict.MATCH if matched else Verdict.UNDECIDED if open_still else Verdict.NOBODY
        return self._told(verdict, evidence, score, votes if matched else 0, threshold, height)

    def _score(self, evidence: Evidence) -> tuple[float, int]:
        """The score and how many looks name the person whom the mean vector is nearest to.

        While the looks were not asked (the mean is too far), the mean's own distance: the score is no less.
        """
        opinions, mean = evidence.opinions, evidence.mean
        if not opinions or not mean:
            return _INFINITE, 0
        few = self.few_looks if self._are_few(evidence) else 0.0
        if not evidence.asked:
            return mean[0].distance + few, 0
        person = mean[0].person
        votes = Counter(each.candidates[0].person if each.candidates else None for each in opinions)[person]
        enough = votes == len(opinions) if few else votes > self.agreement * len(opinions)
        if not enough:
            return _INFINITE, votes
        unclear = self.unclear if margin(mean) < self.margin else 0.0
        agreed = max(mean[0].distance, _median_distance(opinions, person) - self.median_slack)
        return agreed + few + unclear, votes

    def _are_few(self, evidence: Evidence) -> bool:
        """Whether more looks are to come; those from when the face was small count, although they no longer speak."""
        return len(evidence.opinions) + evidence.before < self.minimum_looks

    def _told(
        self, verdict: Verdict, evidence: Evidence, score: float, votes: int, threshold: float, height: float
    ) -> Decision:
        best = evidence.mean[0] if evidence.mean and evidence.opinions else None
        named = best if verdict is Verdict.MATCH else None
        median = _median_distance(evidence.opinions, best.person) if best and evidence.asked else _INFINITE
        apart = margin(evidence.mean)
        return Decision(
            verdict=verdict,
            person=named.person if named else None,
            template=named.template if named else None,
            distance=best.distance if best else None,
            median_distance=median if median != _INFINITE else None,
            look_distance=evidence.first,
            score=score,
            threshold=threshold,
            size=self.size_of(height),
            margin=apart,
            rival=evidence.mean[1].person if named and apart < self.margin else None,
            votes=votes,
            looks=len(evidence.opinions),
            height_px=height,
            quality=max((each.quality for each in evidence.opinions), default=0.0),
            model=evidence.model,
        )


def _median_distance(opinions: Sequence[Opinion], person: str) -> float:
    """The median of the looks' distances to a person; looks for which they are out of reach count as infinite."""
    found = [next((c.distance for c in each.candidates if c.person == person), _INFINITE) for each in opinions]
    return statistics.median_high(found)
