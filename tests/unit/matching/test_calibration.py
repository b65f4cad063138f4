"""Error rates told from the factory, the list and the site: known cases, bad input, and what must never be said."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.matching import BINS, Calibration, CalibrationError, DistanceCounts, FactoryModel, SiteCounts
from gateway.matching.calibration import Stratum
from gateway.matching.factory import of_person, of_track
from gateway.matching.intervals import gamma_below, gamma_quantile, poisson_at_most
from gateway.matching.tail import Pool

FACTORY = FactoryModel.load()
GATE: Stratum = ("gate", "full")


def power_law(tracks: int, people: int, share: float, at: float, dimension: float) -> DistanceCounts:
    """Expected counts, rounded, of a site where P(best <= x) = share (x / at)^dimension below 0.6."""
    below = [min(1.0, share * (number * 0.01 / at) ** dimension) for number in range(BINS)]
    steps = [round(tracks * each) for each in below] + [tracks]
    return DistanceCounts(people, tuple(b - a for a, b in itertools.pairwise(steps)))


def site(counts: DistanceCounts, per_day: float = 2000.0, confirmed: DistanceCounts | None = None) -> SiteCounts:
    return SiteCounts({GATE: (counts,)}, confirmed, {GATE: per_day})


def counts_at(people: int, **distances: int) -> DistanceCounts:
    """Counts by bin, such as d45=3 for three at 0.45."""
    values = [0] * BINS
    for name, count in distances.items():
        values[int(name[1:])] = count
    return DistanceCounts(people, tuple(values))


def test_gamma_tails_are_those_of_the_tables() -> None:
    assert gamma_below(1, 1) == pytest.approx(1 - math.exp(-1))
    assert gamma_below(0.5, 1.92072941) == pytest.approx(0.95, abs=1e-6), "chi-square of one degree at 3.841"
    assert gamma_below(5, 9.1535) == pytest.approx(0.95, abs=1e-5), "chi-square of ten degrees at 18.307"
    assert gamma_quantile(1, 0.95) == pytest.approx(-math.log(0.05)), "the rule of three"
    assert poisson_at_most(2, 3) == pytest.approx(math.exp(-3) * (1 + 3 + 4.5))
    assert poisson_at_most(-1, 3) == 0.0
    assert poisson_at_most(10_000, 9_000) == pytest.approx(1.0)


@given(shape=st.floats(0.3, 5000), share=st.floats(0.001, 0.999))
def test_quantiles_undo_tails(shape: float, share: float) -> None:
    assert gamma_below(shape, gamma_quantile(shape, share)) == pytest.approx(share, abs=1e-6)


def test_the_factory_gives_back_the_figures_that_it_is_made_of() -> None:
    for rule, threshold, people, a_day in (
        ("look", 0.5, 100, 57),
        ("look", 0.438, 100, 1),
        ("median", 0.465, 100, 1),
        ("mean", 0.413, 100, 1),
        ("mean", 0.388, 1000, 1),
        ("mean", 0.6, 100, 1690),
    ):
        fmr = FACTORY.fmr(rule, threshold)  # type: ignore[arg-type]  # of the loop
        assert 2000 * of_track(fmr, people) == pytest.approx(a_day, rel=0.01), rule
    assert FACTORY.fnmr("mean", 0.413) == pytest.approx(0.007, rel=0.01)
    assert FACTORY.fmr("track", 0.413) <= FACTORY.fmr("mean", 0.413)
    assert FACTORY.fnmr("track", 0.413) >= FACTORY.fnmr("mean", 0.413)
    assert "geometry" in FACTORY.source


@given(one=st.floats(1e-9, 0.5), people=st.integers(1, 10_000))
def test_track_and_person_undo_each_other(one: float, people: int) -> None:
    whole = of_track(one, people)
    assert whole <= min(1.0, one * people * (1 + 1e-9))
    if whole < 1 - 1e-9:
        assert of_person(whole, people) == pytest.approx(one, rel=1e-3)


@given(threshold=st.floats(0.2, 0.59), rule=st.sampled_from(["look", "median", "mean", "track"]))
def test_a_laxer_threshold_warns_more_and_misses_less(threshold: float, rule: str) -> None:
    calibration = Calibration(FACTORY, rule, 120)  # type: ignore[arg-type]  # of the strategy
    lax = threshold + 0.01
    assert calibration.fmr(lax).expected >= calibration.fmr(threshold).expected > 0
    assert calibration.missed(lax) <= calibration.missed(threshold)


@pytest.mark.parametrize("people", [1, 2, 20, 100, 1000, 100_000])
def test_the_factory_threshold_keeps_to_one_a_day_and_doubling_the_list_tightens_it(people: int) -> None:
    calibration = Calibration(FACTORY, "track", people)
    threshold = calibration.threshold_for(1.0)
    rate = calibration.warnings_per_day(threshold)
    assert 0.3 < rate.expected <= 1.0
    assert rate.low < rate.expected < rate.high
    assert not rate.from_site
    assert Calibration(FACTORY, "track", 2 * people).threshold_for(1.0) < threshold <= 0.6
    assert calibration.threshold_for(1.0, ("gate", "small")) < threshold


def test_nobody_on_the_list_warns_of_nobody() -> None:
    empty = Calibration(FACTORY, "track", 0)
    assert empty.threshold_for(1.0) == 0.6
    assert empty.warnings_per_day(0.6).expected == 0.0


def test_no_traffic_needs_no_threshold_below_the_highest() -> None:
    assert Calibration(FACTORY, "track", 50, SiteCounts(tracks_per_day={GATE: 1e-9})).threshold_for(1.0) == 0.6


def test_a_site_of_its_own_outweighs_the_factory_and_is_foretold() -> None:
    truth = power_law(14_000, 100, 0.02, 0.5, 24.0)
    calibration = Calibration(FACTORY, "track", 100, site(truth))
    for threshold in (0.5, 0.47, 0.45):
        expected = 2000 * 0.02 * (threshold / 0.5) ** 24
        rate = calibration.warnings_per_day(threshold)
        assert rate.expected == pytest.approx(expected, rel=0.25)
        assert rate.low <= expected <= rate.high
        assert rate.from_site


def test_few_tracks_leave_it_a_factory_estimate() -> None:
    few = power_law(40, 100, 0.02, 0.5, 24.0)
    rate = Calibration(FACTORY, "track", 100, site(few)).warnings_per_day(0.41)
    assert not rate.from_site


@pytest.mark.parametrize("people", [2, 100])
@pytest.mark.parametrize("matches", [1, 2, 4])
def test_the_first_faces_of_a_site_move_no_threshold(people: int, matches: int) -> None:
    before = Calibration(FACTORY, "track", people)
    tried_out = Calibration(FACTORY, "track", people, SiteCounts({GATE: (counts_at(people, d30=matches),)}))
    assert tried_out.threshold_for(1.0) == pytest.approx(before.threshold_for(1.0), abs=0.0015)
    assert not tried_out.fmr(0.45).from_site
    assert tried_out.tracks_missing == 3 * 2000 - matches


def test_three_days_of_tracks_are_enough_and_fewer_count_in_proportion() -> None:
    """3 M tracks without a match leave an upper end of one false warning a day: the rule of three."""

    def after(tracks: int) -> Calibration:
        return Calibration(FACTORY, "track", 100, site(power_law(tracks, 100, 0.02, 0.5, 24.0)))

    truth = 2000 * 0.02 * (0.47 / 0.5) ** 24
    figures = [after(tracks).warnings_per_day(0.47).expected for tracks in (60, 600, 2000, 6000)]
    far = [abs(math.log(each / truth)) for each in figures]
    assert far == sorted(far, reverse=True), "each day brings it nearer"
    assert [after(tracks).tracks_missing for tracks in (600, 5999, 6000, 9000)] == [5400, 1, 0, 0]
    assert not after(5900).fmr(0.47).from_site
    assert after(6000).fmr(0.47).from_site


def test_how_many_tracks_are_enough_does_not_depend_on_a_traffic_that_is_asked_for() -> None:
    seen = power_law(14_000, 100, 0.02, 0.5, 24.0)
    asked = SiteCounts({GATE: (seen,)}, None, {GATE: 50_000.0}, counted_per_day=2000.0)
    busy, usual = Calibration(FACTORY, "track", 100, asked), Calibration(FACTORY, "track", 100, site(seen))
    assert busy.tracks_missing == 0
    assert busy.fmr(0.45) == usual.fmr(0.45)


def test_without_a_hit_the_upper_end_falls_as_three_by_the_comparisons() -> None:
    clean = counts_at(1, d140=1_000_000)
    rate = Calibration(FACTORY, "track", 1, site(clean)).fmr(0.5)
    assert rate.high == pytest.approx(3 / 1_000_000, rel=0.3)


def test_the_size_of_the_list_that_counts_are_of_does_not_matter() -> None:
    small, large = power_law(14_000, 50, 0.01, 0.5, 24.0), power_law(14_000, 200, 0.04, 0.5, 24.0)
    one, other = (Calibration(FACTORY, "track", 100, site(each)).fmr(0.46).expected for each in (small, large))
    assert one == pytest.approx(other, rel=0.25)


def test_a_figure_far_below_what_was_counted_says_so() -> None:
    calibration = Calibration(FACTORY, "track", 100, site(power_law(14_000, 100, 0.02, 0.5, 24.0)))
    assert calibration.fmr(0.47).decades == 0
    assert calibration.fmr(0.3).decades > 2


def test_a_camera_whose_faces_come_nearer_gets_a_tighter_threshold() -> None:
    usual, near = power_law(14_000, 100, 0.02, 0.5, 24.0), power_law(14_000, 100, 0.2, 0.5, 24.0)
    strata = {("gate", "full"): (usual,), ("hall", "full"): (near,)}
    both = SiteCounts(strata, None, dict.fromkeys(strata, 2000.0))  # type: ignore[arg-type]  # keys of literals
    calibration = Calibration(FACTORY, "track", 100, both)
    assert calibration.threshold_for(1.0, ("hall", "full")) < calibration.threshold_for(1.0, ("gate", "full"))
    assert calibration.stratum_factor(("yard", "full"), 0.4) == 1.0, "a camera that counted nothing is a usual one"


def test_what_the_factory_says_of_small_faces_fades_as_the_site_counts_its_own() -> None:
    usual, threshold = power_law(14_000, 100, 0.02, 0.5, 24.0), 0.43

    def factor(tracks: int) -> float:
        strata = {("gate", "full"): (usual,), ("gate", "small"): (power_law(tracks, 100, 0.02, 0.5, 24.0),)}
        counted = SiteCounts(strata, None, {GATE: 2000.0})  # type: ignore[arg-type]  # keys of literals
        return Calibration(FACTORY, "track", 100, counted).stratum_factor(("gate", "small"), threshold)

    assert factor(0) == pytest.approx(FACTORY.small_face_factor("track", threshold))
    assert factor(0) > 5
    assert factor(0) > factor(1_400) > factor(14_000)
    assert factor(14_000) == pytest.approx(1.0, rel=0.3)


def test_a_list_whose_people_look_alike_is_thought_riskier_and_counts_by_the_clump() -> None:
    def factor(share: float) -> float:
        return Calibration(FACTORY, "track", 100, pairs=power_law(45_000, 1, share, 0.6, 20.0)).list_factor

    assert factor(0.04) > factor(0.01) > factor(0.001)
    assert Calibration(FACTORY, "track", 100).list_factor == 1.0
    assert Calibration(FACTORY, "track", 2, pairs=counts_at(1, d90=2)).list_factor == 1.0, "too few pairs to tell"


def test_confirmed_visits_say_how_many_a_tighter_threshold_would_miss() -> None:
    confirmed = counts_at(0, d30=150, d41=50)
    calibration = Calibration(FACTORY, "track", 100, site(power_law(14_000, 100, 0.02, 0.5, 24.0), confirmed=confirmed))
    assert calibration.missed(0.4) > 50 / 250
    assert calibration.missed(0.42) < FACTORY.fnmr("track", 0.42)


REST = (0,) * (BINS - 1)


@pytest.mark.parametrize("bad", [(1,) * 150, (-1, *REST), (float("nan"), *REST), (float("inf"), *REST)])
def test_counts_that_are_none_are_refused(bad: tuple[int, ...]) -> None:
    with pytest.raises(CalibrationError, match="histogram"):
        DistanceCounts(10, bad)
    with pytest.raises(CalibrationError, match="histogram"):
        DistanceCounts(-1, (0,) * BINS)


@settings(deadline=None, max_examples=30)
@given(
    counts=st.lists(st.integers(0, 5000), min_size=BINS, max_size=BINS),
    people=st.integers(0, 5000),
    threshold=st.floats(0.2, 0.6),
)
def test_any_counts_give_a_rate_inside_its_interval(counts: list[int], people: int, threshold: float) -> None:
    calibration = Calibration(FACTORY, "track", people, site(DistanceCounts(people, tuple(counts))))
    rate = calibration.warnings_per_day(threshold)
    assert 0 <= rate.low <= rate.expected <= rate.high <= 2000
    assert 0.2 <= calibration.threshold_for(1.0) <= 0.6


def test_the_fit_finds_the_local_dimension() -> None:
    for dimension in (8.0, 21.0, 40.0):
        fit = Pool((power_law(400_000, 100, 0.02, 0.5, dimension),)).lowest()
        assert fit is not None
        assert fit.dimension == pytest.approx(dimension, rel=0.05)
    assert Pool((counts_at(100, d45=3, d140=10),)).lowest() is None
    assert Pool(()).tracks == 0
