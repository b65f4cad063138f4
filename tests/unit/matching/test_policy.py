from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PermanentError
from gateway.matching import Candidate, Evidence, MatchPolicy, Opinion, Thresholds, Verdict

POLICY = MatchPolicy()
LAX = Thresholds(0.6, 0.5)
INFINITE = float("inf")


def candidates(**distances: float) -> tuple[Candidate, ...]:
    found = [Candidate(person, f"{person}-1", distance) for person, distance in distances.items()]
    return tuple(sorted(found, key=lambda candidate: candidate.distance))


def look(height: float = 90.0, **distances: float) -> Opinion:
    return Opinion(candidates(**distances), height, 0.8)


def evidence(*looks: Opinion, **mean: float) -> Evidence:
    return Evidence(looks, candidates(**mean), "net-1", first=0.7)


def test_three_looks_that_agree_are_a_match() -> None:
    decision = POLICY.decide(evidence(look(a=0.5), look(a=0.55), look(a=0.58), a=0.45), LAX)
    assert decision.verdict is Verdict.MATCH
    assert (decision.person, decision.template) == ("a", "a-1")
    assert (decision.distance, decision.median_distance, decision.threshold) == (0.45, 0.55, 0.6)
    assert (decision.score, decision.size, decision.look_distance) == (0.45, "full", 0.7)
    assert (decision.votes, decision.looks, decision.height_px) == (3, 3, 90.0)
    assert (decision.quality, decision.model, decision.rival) == (0.8, "net-1", None)


def test_nobody_in_reach_is_nobody() -> None:
    decision = POLICY.decide(evidence(look(), look(), look()), LAX)
    assert decision.verdict is Verdict.NOBODY
    assert (decision.person, decision.distance, decision.votes, decision.score) == (None, None, 0, INFINITE)


def test_looks_that_name_nobody_vote_too() -> None:
    split = evidence(look(a=0.4), look(a=0.4), look(), look(), a=0.5)
    assert POLICY.decide(split, LAX).verdict is Verdict.NOBODY
    most = evidence(look(a=0.4), look(a=0.4), look(a=0.4), look(), a=0.5)
    assert POLICY.decide(most, LAX).verdict is Verdict.MATCH


def test_looks_that_name_two_people_are_nobody() -> None:
    looks = (look(a=0.4), look(b=0.4), look(a=0.4), look(b=0.4))
    assert POLICY.decide(evidence(*looks, a=0.5), LAX).verdict is Verdict.NOBODY


def test_mean_and_looks_must_name_the_same_person() -> None:
    looks = (look(a=0.5), look(a=0.5), look(a=0.5))
    assert POLICY.decide(evidence(*looks, b=0.3, a=0.5), LAX).verdict is Verdict.NOBODY


@pytest.mark.parametrize(("median", "score"), [(0.55, 0.45), (0.6, 0.45), (0.62, 0.47), (0.7, 0.55)])
def test_the_looks_median_must_agree_within_what_averaging_takes_away(median: float, score: float) -> None:
    decision = POLICY.decide(evidence(look(a=0.3), look(a=median), look(a=0.8), a=0.45), LAX)
    assert decision.score == pytest.approx(score)


def test_one_look_that_is_very_near_does_not_carry_the_median() -> None:
    pulled = evidence(look(a=0.05), look(a=0.8), look(a=0.8), a=0.4)
    assert POLICY.decide(pulled, Thresholds(0.45, 0.4)).verdict is Verdict.NOBODY


@pytest.mark.parametrize("count", [1, 2])
def test_few_looks_must_be_nearer_and_all_agree(count: int) -> None:
    sure = [look(a=0.45)] * count
    assert POLICY.decide(evidence(*sure, a=0.44), Thresholds(0.5, 0.4)).verdict is Verdict.MATCH
    open_case = POLICY.decide(evidence(*sure, a=0.46), Thresholds(0.5, 0.4))
    assert (open_case.verdict, open_case.person) == (Verdict.UNDECIDED, None)
    assert open_case.score == pytest.approx(0.51)
    assert POLICY.decide(evidence(*sure, a=0.46), Thresholds(0.5, 0.4), final=True).verdict is Verdict.NOBODY


def test_looks_from_when_the_face_was_small_count_although_they_no_longer_speak() -> None:
    few = evidence(look(a=0.5), a=0.5)
    assert POLICY.decide(few, Thresholds(0.52, 0.4)).verdict is Verdict.UNDECIDED
    decision = POLICY.decide(replace(few, before=2), Thresholds(0.52, 0.4))
    assert (decision.verdict, decision.score, decision.looks) == (Verdict.MATCH, 0.5, 1)


def test_two_looks_of_which_one_names_nobody_stay_open() -> None:
    assert POLICY.decide(evidence(look(a=0.3), look(), a=0.4), LAX).verdict is Verdict.UNDECIDED


def test_no_looks_are_undecided_until_the_end() -> None:
    assert POLICY.decide(evidence(), LAX).verdict is Verdict.UNDECIDED
    assert POLICY.decide(evidence(), LAX, final=True).verdict is Verdict.NOBODY


def test_while_the_looks_were_not_asked_nobody_is_named_and_the_mean_stands_for_the_score() -> None:
    unasked = replace(evidence(look(), look(), look(), a=0.63), asked=False)
    decision = POLICY.decide(unasked, LAX)
    assert (decision.verdict, decision.score, decision.median_distance) == (Verdict.NOBODY, 0.63, None)
    near = replace(evidence(look(), look(), look(), a=0.1), asked=False)
    assert POLICY.decide(near, LAX).verdict is Verdict.NOBODY


def test_a_second_person_about_as_near_makes_the_score_worse_and_is_named() -> None:
    twins = [look(a=0.31, b=0.32)] * 3
    decision = POLICY.decide(evidence(*twins, a=0.3, b=0.31), LAX)
    assert (decision.verdict, decision.person, decision.rival) == (Verdict.MATCH, "a", "b")
    assert [decision.margin, decision.score] == pytest.approx([0.01, 0.35])
    doubtful = POLICY.decide(evidence(*[look(a=0.5, b=0.55)] * 3, a=0.43, b=0.45), Thresholds(0.45, 0.4))
    assert (doubtful.verdict, doubtful.rival) == (Verdict.NOBODY, None)
    apart = POLICY.decide(evidence(*[look(a=0.5, b=0.55)] * 3, a=0.43, b=0.47), Thresholds(0.45, 0.4))
    assert apart.verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("height", "size", "threshold"), [(300, "full", 0.6), (40, "full", 0.6), (39.9, "small", 0.5), (32, "small", 0.5)]
)
def test_small_faces_have_a_threshold_of_their_own(height: float, size: str, threshold: float) -> None:
    near, far = (evidence(*[look(height, a=0.3)] * 3, a=threshold + step) for step in (0, 0.001))
    decision = POLICY.decide(near, LAX)
    assert (decision.verdict, decision.size, decision.threshold) == (Verdict.MATCH, size, threshold)
    assert POLICY.decide(far, LAX).verdict is Verdict.NOBODY


@pytest.mark.parametrize("threshold", [0.61, 0.0, -1.0, float("nan")])
def test_a_lax_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(PermanentError, match="threshold"):
        Thresholds(threshold, 0.4)
    with pytest.raises(PermanentError, match="threshold"):
        Thresholds(0.4, threshold)


def test_heights_that_contradict_are_refused() -> None:
    with pytest.raises(PermanentError, match="contradicts"):
        MatchPolicy(least_height_px=50, full_height_px=40)


DISTANCES = st.dictionaries(st.sampled_from("abc"), st.floats(0, 0.64), max_size=3)
LOOKS = st.lists(st.tuples(st.floats(32, 200), DISTANCES), max_size=12)


@given(looks=LOOKS, mean=DISTANCES, threshold=st.floats(0.3, 0.6), final=st.booleans())
def test_no_match_ever_breaks_a_rule(
    looks: list[tuple[float, dict[str, float]]], mean: dict[str, float], threshold: float, final: bool
) -> None:
    given_looks = [look(height, **found) for height, found in looks]
    decision = POLICY.decide(evidence(*given_looks, **mean), Thresholds(threshold, 0.3), final=final)
    if decision.verdict is Verdict.MATCH:
        assert decision.distance is not None
        assert decision.median_distance is not None
        assert decision.distance <= decision.score <= decision.threshold <= threshold
        assert decision.median_distance <= decision.threshold + POLICY.median_slack
        assert decision.votes * 2 > decision.looks > 0
        assert decision.person == candidates(**mean)[0].person
    else:
        assert decision.person is None
    assert not (final and decision.verdict is Verdict.UNDECIDED)


@given(looks=LOOKS, mean=DISTANCES, one=st.floats(0.2, 0.6), other=st.floats(0.2, 0.6))
def test_the_score_is_the_same_whatever_the_threshold_and_alone_decides(
    looks: list[tuple[float, dict[str, float]]], mean: dict[str, float], one: float, other: float
) -> None:
    found = evidence(*[look(height, **near) for height, near in looks], **mean)
    decisions = [POLICY.decide(found, Thresholds(each, each), final=True) for each in (one, other)]
    assert decisions[0].score == decisions[1].score
    for decision, threshold in zip(decisions, (one, other), strict=True):
        assert (decision.verdict is Verdict.MATCH) == (decision.score <= threshold)
