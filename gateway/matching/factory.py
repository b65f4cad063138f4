"""The factory model: how often strangers match and listed people are missed, before a site has seen anybody itself."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

Rule = Literal["look", "median", "mean", "track"]
FaceSize = Literal["small", "full"]
RULES: tuple[Rule, ...] = ("look", "median", "mean", "track")
SIZES: tuple[FaceSize, ...] = ("small", "full")
# How much farther than the mean vector the median look may be; `MatchPolicy` holds the reason.
MEDIAN_SLACK = 0.15
_FILE = Path(__file__).with_name("factory.json")
_LEAST_MISSED = 1e-3

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FactoryModel:
    """Curves of false matches and misses against the threshold, by rule; straight between their points in log-log.

    Attributes:
        source: where the figures come from.
        tracks_per_day: unknown tracks a day, as long as a site has not counted its own.
        false_match: per rule, points (threshold, chance that an unknown track matches one listed person).
        missed: per rule, points (threshold, share of listed people's tracks that do not match).
        small_face_scale: by how much distances shrink for faces under 40 px.
        camera_scale: by how much a camera's noise takes strangers farther than photos are from one another.
        hits_per_lookalike: how many false matches come in one clump (variance by mean of the hits of a probe).
    """

    source: str
    tracks_per_day: float
    false_match: Mapping[str, Curve]
    missed: Mapping[str, Curve]
    small_face_scale: float
    camera_scale: float
    hits_per_lookalike: float

    @classmethod
    def load(cls, file: Path = _FILE) -> Self:
        """The model as it is shipped."""
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        tracks = float(data["tracks_per_day"])
        return cls(
            source=data["source"],
            tracks_per_day=tracks,
            false_match={
                rule: _curve([(at, of_person(count / tracks, people)) for at, people, count in points])
                for rule, points in data["false_warnings_per_day"].items()
            },
            missed={rule: _curve(points) for rule, points in data["missed"].items()},
            small_face_scale=float(data["small_face_scale"]),
            camera_scale=float(data["camera_scale"]),
            hits_per_lookalike=float(data["hits_per_lookalike"]),
        )

    def fmr(self, rule: Rule, threshold: float) -> float:
        """The chance that an unknown track matches one listed person (FMR, ISO/IEC 19795-1).

        The track rule needs mean and median to agree, so it is at most as likely as either: that bound is taken.
        """
        if rule == "track":
            return min(self.fmr("mean", threshold), self.fmr("median", threshold + MEDIAN_SLACK))
        return min(1.0, _read(self.false_match[rule], threshold))

    def fnmr(self, rule: Rule, threshold: float) -> float:
        """The share of listed people's tracks that do not match (FNMR, ISO/IEC 19795-1); never below 1 in 1000.

        For the track rule the sum over mean and median: it cannot miss more.
        """
        if rule == "track":
            return min(1.0, self.fnmr("mean", threshold) + self.fnmr("median", threshold + MEDIAN_SLACK))
        return min(1.0, max(_LEAST_MISSED, _read(self.missed[rule], threshold)))

    def small_face_factor(self, rule: Rule, threshold: float) -> float:
        """How many times likelier a face under 40 px matches at this threshold: its distances are scaled down."""
        return self.fmr(rule, threshold / self.small_face_scale) / self.fmr(rule, threshold)


def of_person(of_track: float, people: int) -> float:
    """The chance per listed person behind the chance `of_track` (0..1) that a track matches anybody of `people`."""
    return -math.expm1(math.log1p(-min(of_track, 1 - 1e-12)) / people)


def of_track(of_one: float, people: int) -> float:
    """The chance that a track matches anybody: 1 - (1 - FMR)^N (FPIR, ISO/IEC 19795-1); an upper figure."""
    return -math.expm1(people * math.log1p(-min(of_one, 1 - 1e-12)))


def _curve(points: Sequence[Sequence[float]]) -> Curve:
    """The points in order of threshold; figures of one threshold are averaged in the logarithm."""
    grouped: dict[float, list[float]] = {}
    for at, value in points:
        grouped.setdefault(at, []).append(math.log(value))
    return tuple((math.log(at), sum(values) / len(values)) for at, values in sorted(grouped.items()))


def _read(curve: Curve, threshold: float) -> float:
    """The value at a threshold; beyond the ends the last two points' line goes on."""
    x = math.log(max(threshold, 1e-6))
    pieces = list(itertools.pairwise(curve))
    (x0, y0), (x1, y1) = next((each for each in pieces if x <= each[1][0]), pieces[-1])
    return math.exp(min(0.0, y0 + (y1 - y0) * (x - x0) / (x1 - x0)))
