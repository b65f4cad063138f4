import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PermanentError
from gateway.matching import Candidate, Evidence, MatchPolicy, Opinion, Verdict

POLICY = MatchPolicy()


def candidates(**distances: float) -> tuple[Candidate, ...]:
    found = [Candidate(person, f"{person}-1", distance) for person, distance in distances.items()]
    return tuple(sorted(found, key=lambda candidate: candidate.distance))


def look(height: float = 90.0, **distances: float) -> Opinion:
    return Opinion(candidates(**distances), height, 0.8)


def evidence(*looks: Opinion, **mean: float) -> Evidence:
    return Evidence(looks, candidates(**mean), "net-1")


def test_three_looks_that_agree_are_a_match() -> None:
    decision = POLICY.decide(evidence(look(a=0.5), look(a=0.55), look(a=0.58), a=0.45))
    assert decision.verdict is Verdict.MATCH
    assert (decision.person, decision.template) == ("a", "a-1")
    assert (decision.distance, decision.median_distance, decision.threshold) == (0.45, 0.55, 0.6)
    assert (decision.votes, decision.looks, decision.height_px) == (3, 3, 90.0)
    assert (decision.quality, decision.model, decision.rival) == (0.8, "net-1", None)


def test_nobody_in_reach_is_nobody() -> None:
    decision = POLICY.decide(evidence(look(), look(), look()))
    assert decision.verdict is Verdict.NOBODY
    assert (decision.person, decision.distance, decision.votes) == (None, None, 0)


def test_looks_that_name_nobody_vote_too() -> None:
    assert POLICY.decide(evidence(look(a=0.4), look(a=0.4), look(), look(), a=0.5)).verdict is Verdict.NOBODY
    assert POLICY.decide(evidence(look(a=0.4), look(a=0.4), look(a=0.4), look(), a=0.5)).verdict is Verdict.MATCH


def test_looks_that_name_two_people_are_nobody() -> None:
    assert POLICY.decide(evidence(look(a=0.4), look(b=0.4), look(a=0.4), look(b=0.4), a=0.5)).verdict is Verdict.NOBODY


def test_the_mean_is_judged_more_strictly_than_a_look() -> None:
    looks = (look(a=0.5), look(a=0.5), look(a=0.5))
    assert POLICY.decide(evidence(*looks, a=0.57)).verdict is Verdict.MATCH
    assert POLICY.decide(evidence(*looks, a=0.571)).verdict is Verdict.NOBODY


def test_mean_and_looks_must_name_the_same_person() -> None:
    looks = (look(a=0.5), look(a=0.5), look(a=0.5))
    assert POLICY.decide(evidence(*looks, b=0.3, a=0.5)).verdict is Verdict.NOBODY


def test_the_median_must_agree() -> None:
    strict = MatchPolicy(agreement=0.1)
    looks = (look(a=0.3), look(), look(), look(a=0.3))
    assert strict.decide(evidence(*looks, a=0.3)).verdict is Verdict.NOBODY


@pytest.mark.parametrize("count", [1, 2])
def test_few_looks_need_a_sure_distance_from_all(count: int) -> None:
    sure = [look(a=0.45)] * count
    assert POLICY.decide(evidence(*sure, a=0.44)).verdict is Verdict.MATCH
    doubtful = [look(a=0.52)] * count
    open_case = POLICY.decide(evidence(*doubtful, a=0.46))
    assert (open_case.verdict, open_case.person) == (Verdict.UNDECIDED, None)
    assert POLICY.decide(evidence(*doubtful, a=0.46), final=True).verdict is Verdict.NOBODY


def test_two_looks_of_which_one_names_nobody_stay_open() -> None:
    assert POLICY.decide(evidence(look(a=0.3), look(), a=0.4)).verdict is Verdict.UNDECIDED


def test_no_looks_are_undecided_until_the_end() -> None:
    assert POLICY.decide(evidence()).verdict is Verdict.UNDECIDED
    assert POLICY.decide(evidence(), final=True).verdict is Verdict.NOBODY


def test_a_doubtful_distance_needs_a_margin_to_the_second() -> None:
    close = [look(a=0.55, b=0.57)] * 3
    assert POLICY.decide(evidence(*close, a=0.54, b=0.6)).verdict is Verdict.NOBODY
    apart = [look(a=0.55, b=0.6)] * 3
    assert POLICY.decide(evidence(*apart, a=0.54, b=0.6)).verdict is Verdict.MATCH


def test_a_sure_distance_warns_even_if_a_second_entry_is_as_near_and_names_it() -> None:
    twins = [look(a=0.31, b=0.32)] * 3
    decision = POLICY.decide(evidence(*twins, a=0.3, b=0.31))
    assert (decision.verdict, decision.person, decision.rival) == (Verdict.MATCH, "a", "b")
    assert decision.margin == pytest.approx(0.01)


@pytest.mark.parametrize(("height", "threshold"), [(300, 0.6), (40, 0.6), (39.9, 0.53), (32, 0.53)])
def test_small_faces_have_a_tighter_threshold(height: float, threshold: float) -> None:
    assert POLICY.threshold_at(height) == pytest.approx(threshold)
    inside, outside = threshold - 0.001, threshold + 0.001
    mean = threshold - 0.05
    near = [look(height, a=inside)] * 3
    assert POLICY.decide(evidence(*near, a=mean)).verdict is Verdict.MATCH
    far = [look(height, a=outside)] * 3
    assert POLICY.decide(evidence(*far, a=mean)).verdict is Verdict.NOBODY


def test_faces_below_the_least_height_are_never_matched_nor_counted() -> None:
    tiny = POLICY.decide(evidence(look(31.9, a=0.01), look(20, a=0.01), look(10, a=0.01), a=0.01), final=True)
    assert (tiny.verdict, tiny.looks) == (Verdict.NOBODY, 0)
    mixed = POLICY.decide(evidence(look(20, a=0.01), *[look(a=0.5)] * 3, a=0.4))
    assert (mixed.verdict, mixed.looks, mixed.height_px) == (Verdict.MATCH, 3, 90.0)


@pytest.mark.parametrize("threshold", [0.61, 0.0, -1.0, float("nan")])
def test_a_lax_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(PermanentError, match="threshold"):
        MatchPolicy(threshold=threshold)


def test_heights_that_contradict_are_refused() -> None:
    with pytest.raises(PermanentError, match="contradicts"):
        MatchPolicy(least_height_px=50, full_height_px=40)


def test_few_looks_at_a_small_face_are_judged_by_both_tightenings() -> None:
    assert POLICY.decide(evidence(look(35, a=0.42), a=0.42)).verdict is Verdict.MATCH
    assert POLICY.decide(evidence(look(35, a=0.44), a=0.44)).verdict is Verdict.UNDECIDED


def test_a_tight_threshold_is_never_widened_by_the_others() -> None:
    policy = MatchPolicy(threshold=0.4, early_threshold=0.5, small_face_threshold=0.53)
    assert policy.threshold_at(35) == 0.4
    assert policy.decide(evidence(look(a=0.41), a=0.3)).verdict is Verdict.UNDECIDED


DISTANCES = st.dictionaries(st.sampled_from("abc"), st.floats(0, 0.64), max_size=3)


@given(
    looks=st.lists(st.tuples(st.floats(10, 200), DISTANCES), max_size=7),
    mean=DISTANCES,
    threshold=st.floats(0.3, 0.6),
    final=st.booleans(),
)
def test_no_match_ever_breaks_a_rule(
    looks: list[tuple[float, dict[str, float]]], mean: dict[str, float], threshold: float, final: bool
) -> None:
    policy = MatchPolicy(threshold=threshold)
    given_looks = [look(height, **found) for height, found in looks]
    decision = policy.decide(evidence(*given_looks, **mean), final=final)
    if decision.verdict is Verdict.MATCH:
        assert decision.distance is not None
        assert decision.median_distance is not None
        assert max(decision.distance, decision.median_distance) <= decision.threshold <= threshold
        assert decision.votes * 2 > decision.looks > 0
        assert decision.height_px >= 32
        assert decision.person == candidates(**mean)[0].person
    else:
        assert decision.person is None
    assert not (final and decision.verdict is Verdict.UNDECIDED)
