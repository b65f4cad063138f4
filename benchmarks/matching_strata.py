"""Thresholds per camera and face size against one for all: who bears the false warnings, and who misses visits.

Two gates with one list: a good one, and one whose faces are mostly small. The gateway's own `Calibration` sees a week
of both, chooses thresholds for one false warning a day, and the next 30 days are observed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matching_sites import RuleShape, Site

from gateway.matching import BIN, BINS, Calibration, DistanceCounts, FactoryModel, SiteCounts
from gateway.matching.calibration import Stratum

WEEK, DAYS, MATES = 7, 30, 1_000
# Tracks a day, and whether the faces are small.
STRATA: dict[Stratum, tuple[int, bool]] = {
    ("gate", "full"): (1_200, False),
    ("gate", "small"): (200, True),
    ("yard", "full"): (100, False),
    ("yard", "small"): (500, True),
}


@dataclass(frozen=True)
class Outcome:
    """What a month brought at one stratum: per choice of threshold, false warnings and the share of visits missed."""

    stratum: Stratum
    thresholds: dict[str, float]
    warnings: dict[str, int]
    missed: dict[str, float]


def run_site(seed: int, people: int, rule: RuleShape) -> list[Outcome]:
    """Calibrate on a week of all strata of one site, observe the month after it."""
    site = Site(seed, people)
    counts = {
        stratum: (DistanceCounts(people, _histogram(site.strangers(WEEK * daily, rule, float(small)).score)),)
        for stratum, (daily, small) in STRATA.items()
    }
    seen = SiteCounts(strata=counts, tracks_per_day={stratum: float(daily) for stratum, (daily, _) in STRATA.items()})
    calibration = Calibration(FactoryModel.load(), "track", people, seen)
    return [_observe(site, calibration, stratum, rule) for stratum in STRATA]


def _observe(site: Site, calibration: Calibration, stratum: Stratum, rule: RuleShape) -> Outcome:
    daily, small = STRATA[stratum]
    thresholds = {"one": calibration.threshold_for(1.0), "own": calibration.threshold_for(1.0, stratum)}
    month = site.strangers(DAYS * daily, rule, float(small))
    mates, who = site.mates(MATES, rule, float(small))
    return Outcome(
        stratum,
        thresholds,
        {name: int((month.score <= each).sum()) for name, each in thresholds.items()},
        {name: float(np.mean((mates.score > each) | (mates.person != who))) for name, each in thresholds.items()},
    )


def _histogram(distances: np.ndarray) -> tuple[int, ...]:
    places = np.minimum(np.nan_to_num(distances, posinf=9.0) / BIN + 1e-9, BINS - 1).astype(int)
    return tuple(int(each) for each in np.bincount(places, minlength=BINS))


def summary(sites: Sequence[Sequence[Outcome]]) -> list[dict[str, Any]]:
    """Per stratum, over all sites: mean threshold, false warnings in 10,000 tracks and visits missed, by choice."""
    rows = []
    for outcomes in zip(*sites, strict=True):
        stratum, daily = outcomes[0].stratum, STRATA[outcomes[0].stratum][0]
        row: dict[str, Any] = {"camera": stratum[0], "size": stratum[1], "tracks_a_day": daily}
        for name in ("one", "own"):
            hits = np.mean([each.warnings[name] for each in outcomes])
            row[name] = {
                "threshold": round(float(np.mean([each.thresholds[name] for each in outcomes])), 3),
                "false_warnings_a_day": round(float(hits) / DAYS, 3),
                "in_ten_thousand_tracks": round(1e4 * float(hits) / (DAYS * daily), 2),
                "missed": round(float(np.mean([each.missed[name] for each in outcomes])), 4),
            }
        rows.append(row)
    return rows


def report(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table."""
    print("\nthresholds per camera and face size, against one for all (100 people; one false warning a day wanted)")
    print("                tracks  | one for all: threshold, false a day (in 10,000 tracks), missed | each its own")
    for row in rows:
        parts = [
            f"{row[name]['threshold']:.3f} {row[name]['false_warnings_a_day']:6.3f}"
            f" ({row[name]['in_ten_thousand_tracks']:5.2f}) {100 * row[name]['missed']:5.1f} %"
            for name in ("one", "own")
        ]
        print(f"  {row['camera']:>5} {row['size']:<6} {row['tracks_a_day']:>6}  | {' | '.join(parts)}")
    total = {name: sum(row[name]["false_warnings_a_day"] for row in rows) for name in ("one", "own")}
    print(f"  all together: {total['one']:.2f} and {total['own']:.2f} false warnings a day")
