"""Does the gateway foresee its false warnings? Predicted against observed on synthetic gates it has never seen.

For each site the gateway's own `Calibration` gets what a gateway would have: the list's cross-person pairs and one week
of histograms. It chooses the threshold for one false warning a day and says what to expect; the next 30 days are then
observed. Beside it: what the factory model alone foresees, and the usual practice, dlib's 0.6 on single frames.

Run:  .venv/bin/python benchmarks/matching_calibration.py [--quick] [--json] [--sites N] [--jobs N]
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import matching_strata  # noqa: E402
import numpy as np  # noqa: E402  # BLAS counts its threads when it is loaded
from matching_sites import MOMENTS, RuleShape, Site, Tracks  # noqa: E402

from gateway.matching import (  # noqa: E402
    BIN,
    BINS,
    Calibration,
    DistanceCounts,
    FactoryModel,
    Gallery,
    Look,
    MatchPolicy,
    RunningLooks,
    SiteCounts,
    TemplateRow,
    Thresholds,
    Verdict,
)
from gateway.vision.gallery.list_pairs import list_pairs  # noqa: E402

PER_DAY, CALIBRATION_DAYS, DAYS, MATES = 2000, 7, 30, 2000
POLICY = MatchPolicy()
REACH = 0.54
RULE = RuleShape(POLICY.median_slack, POLICY.few_looks, POLICY.unclear, POLICY.margin, POLICY.minimum_looks, REACH)
RULES = ("look", "mean", "median", "track")
USUAL = 0.6
_ENOUGH = 10


@dataclass(frozen=True)
class Outcome:
    """One site: what was foreseen and what came.

    Attributes:
        points: (threshold, foreseen a day, low, high, observed in 30 days) over thresholds.
        missed: per rule the share of mates missed at the threshold of one observed false warning a day.
        usual: false warnings a day observed with single frames at 0.6.
    """

    people: int
    threshold: float
    foreseen: float
    low: float
    high: float
    observed: int
    factory: float
    factory_low: float
    factory_high: float
    points: tuple[tuple[float, float, float, float, int], ...]
    missed: dict[str, float]
    missed_in_use: float
    missed_foreseen: float
    usual: float


def histogram(distances: np.ndarray) -> tuple[int, ...]:
    """The counts that a video child would keep of these best distances."""
    places = np.minimum(np.nan_to_num(distances, posinf=9.0) / BIN + 1e-9, BINS - 1).astype(int)
    return tuple(int(each) for each in np.bincount(places, minlength=BINS))


def pairs_of(site: Site) -> DistanceCounts | None:
    """The list's cross-person pairs, as the gallery child counts them."""
    rows = [
        TemplateRow(f"p{owner}", f"t{number}", vector)
        for number, (owner, vector) in enumerate(zip(site.owners, site.templates, strict=True))
    ]
    return list_pairs(Gallery.build(rows, fingerprint="synthetic", dimension=site.templates.shape[1]), rows)


def run_site(seed: int, people: int) -> Outcome:
    """Calibrate on a week of one site, observe the month after it."""
    site, factory = Site(seed, people), FactoryModel.load()
    week = site.strangers(PER_DAY * CALIBRATION_DAYS, RULE)
    counts = SiteCounts(
        strata={("gate", "full"): (DistanceCounts(people, histogram(week.score)),)},
        tracks_per_day={("gate", "full"): float(PER_DAY)},
    )
    pairs = pairs_of(site)
    calibration = Calibration(factory, "track", people, counts, pairs)
    before = Calibration(factory, "track", people, SiteCounts(), pairs)
    month = site.strangers(PER_DAY * DAYS, RULE)
    mates, who = site.mates(MATES, RULE)
    threshold = calibration.threshold_for(1.0)
    rate, first = calibration.warnings_per_day(threshold), before.warnings_per_day(before.threshold_for(1.0))
    grid = [round(threshold + step * 0.01, 3) for step in range(-4, 7)]
    points = [(t, calibration.warnings_per_day(t), _hits(month, t)) for t in grid]
    return Outcome(
        people=people,
        threshold=threshold,
        foreseen=rate.expected,
        low=rate.low,
        high=rate.high,
        observed=_hits(month, threshold),
        factory=_hits(month, before.threshold_for(1.0)) / DAYS,
        factory_low=first.low,
        factory_high=first.high,
        points=tuple((t, r.expected, r.low, r.high, hits) for t, r, hits in points),
        missed={rule: _missed(month, mates, who, rule) for rule in RULES},
        missed_in_use=float(np.mean((mates.score > threshold) | (mates.person != who))),
        missed_foreseen=calibration.missed(threshold),
        usual=float((month.look <= USUAL).sum()) / DAYS,
    )


def _hits(tracks: Tracks, threshold: float) -> int:
    return int((tracks.score <= threshold).sum())


def _missed(month: Tracks, mates: Tracks, who: np.ndarray, rule: str) -> float:
    """The share of mates missed at the threshold that gives this rule one observed false warning a day."""
    threshold = np.partition(month.by(rule), DAYS - 1)[DAYS - 1]
    missed = mates.by(rule) > threshold
    if rule == "track":
        missed |= mates.person != who
    return float(missed.mean())


def check_rule(tracks: int = 300) -> int:
    """How many of so many tracks the gateway's own code judges otherwise than the simulation; must be 0."""
    site = Site(3, 100)
    wrong = 0
    rows = [TemplateRow(f"{o}", f"t{i}", v) for i, (o, v) in enumerate(zip(site.owners, site.templates, strict=True))]
    gallery = Gallery.build(rows, fingerprint="synthetic", dimension=site.templates.shape[1])
    for seen, score, person in site.examples(tracks, RULE):
        running = RunningLooks(reach=0.65, near=REACH)
        best, named = float("inf"), ""
        for vector, quality in seen:
            running.add(Look(vector, 90.0, quality))
            evidence = running.weigh(gallery) if len(running) in MOMENTS else None
            if evidence is None:
                continue
            decision = POLICY.decide(evidence, Thresholds(USUAL, USUAL))
            if decision.score < best:
                best, named = decision.score, decision.person or "" if decision.verdict is Verdict.MATCH else named
        wrong += abs(best - score) > 1e-3 and min(best, score) < REACH - 0.06
        wrong += bool(named) and score < REACH - 0.06 and int(named) != person
    return wrong


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The figures of one size of list."""
    ratios = [
        foreseen * DAYS / hits for each in outcomes for _t, foreseen, _low, _high, hits in each.points if hits > _ENOUGH
    ]
    covered = [each.low <= each.observed / DAYS <= each.high for each in outcomes]
    inside = [
        low <= hits / DAYS <= high for each in outcomes for _t, _f, low, high, hits in each.points if hits > _ENOUGH
    ]
    return {
        "sites": len(outcomes),
        "threshold_median": float(np.median([each.threshold for each in outcomes])),
        "foreseen_a_day": float(np.mean([each.foreseen for each in outcomes])),
        "observed_a_day": float(np.mean([each.observed / DAYS for each in outcomes])),
        "points_over_10": len(ratios),
        "ratio_median": float(np.median(ratios)),
        "ratio_least": float(np.min(ratios)),
        "ratio_most": float(np.max(ratios)),
        "within_factor_2": float(np.mean([0.5 <= ratio <= 2 for ratio in ratios])),
        "interval_covers": float(np.mean(covered)),
        "interval_covers_all_points": float(np.mean(inside)),
        "day_zero_observed_a_day": float(np.median([each.factory for each in outcomes])),
        "day_zero_covers": float(np.mean([e.factory_low <= e.factory <= e.factory_high for e in outcomes])),
        **{f"missed_{rule}": float(np.mean([each.missed[rule] for each in outcomes])) for rule in RULES},
        "missed_in_use": float(np.mean([each.missed_in_use for each in outcomes])),
        "missed_foreseen": float(np.mean([each.missed_foreseen for each in outcomes])),
        "usual_a_day": float(np.mean([each.usual for each in outcomes])),
    }


def report(people: int, figures: dict[str, float]) -> None:
    """Print one size of list in words."""
    f = figures
    print(
        f"\n{people} people, {f['sites']:.0f} sites, {PER_DAY} tracks a day; {CALIBRATION_DAYS} days seen, next {DAYS}"
    )
    print(f"  threshold chosen for 1 a day     {f['threshold_median']:.3f} (median)")
    print(f"  foreseen / observed a day        {f['foreseen_a_day']:.2f} / {f['observed_a_day']:.2f}")
    print(
        f"  foreseen by observed, over 10    median {f['ratio_median']:.2f}, {f['ratio_least']:.2f} to"
        f" {f['ratio_most']:.2f} at {f['points_over_10']:.0f} points;"
        f" within a factor of 2: {100 * f['within_factor_2']:.1f} %"
    )
    print(f"  95 % interval covers observed    {100 * f['interval_covers']:.1f} % of sites")
    print(f"  the same at all points over 10   {100 * f['interval_covers_all_points']:.1f} %")
    print(
        f"  day zero (no track seen yet)     {f['day_zero_observed_a_day']:.2f} a day observed (median),"
        f" interval covers {100 * f['day_zero_covers']:.0f} %"
    )
    print("  missed visits at 1 observed a day  " + ", ".join(f"{r} {100 * f[f'missed_{r}']:.1f} %" for r in RULES))
    print(f"  missed in use / foreseen         {100 * f['missed_in_use']:.1f} % / {100 * f['missed_foreseen']:.1f} %")
    print(
        f"  single frames at 0.6, as usual   {f['usual_a_day']:.0f} false warnings a day;"
        f" ours {f['observed_a_day']:.2f} (ratio {f['usual_a_day'] / max(f['observed_a_day'], 1e-9):.0f})"
    )


def main(arguments: Sequence[str]) -> int:
    """Run; 0 when the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four sites, under 50 s")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sites", type=int, default=200, help="of 100 people; a tenth as many of 1,000")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    sites = 3 if options.quick else options.sites
    began = time.process_time()
    work = [(50_000 + number, 100) for number in range(sites)]
    work += [(900_000 + number, 1000) for number in range(1 if options.quick else max(2, sites // 10))]
    with ProcessPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(run_site, *zip(*work, strict=True)))
        seeds = range(700_000, 700_000 + (1 if options.quick else max(2, sites // 10)))
        strata = matching_strata.summary(
            list(pool.map(matching_strata.run_site, seeds, [100] * len(seeds), [RULE] * len(seeds)))
        )
    figures = {str(people): summary([o for o in outcomes if o.people == people]) for people in (100, 1000)}
    differing = check_rule()
    if options.json:
        told = {"rule_differs": differing, "lists": figures, "strata": strata}
        print(json.dumps(told | {"sites": [asdict(each) for each in outcomes]}))
        return 1 if differing else 0
    print(f"the gateway's own rule judges {differing} of 300 simulated tracks otherwise")
    for people, found in figures.items():
        report(int(people), found)
    matching_strata.report(strata)
    print(f"\nCPU of the parent {time.process_time() - began:.0f} s; seeds are fixed: the figures repeat exactly")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
