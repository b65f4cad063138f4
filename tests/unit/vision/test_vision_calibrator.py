"""The gallery child's answer about thresholds: its list, counts as they come, and what they must not do."""

import itertools
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from gateway.matching import BINS, Gallery, TemplateRow
from gateway.settings import MatchingSettings
from gateway.vision.gallery.calibrator import Calibrator
from gateway.vision.gallery.keeper import GalleryKeeper
from gateway.vision.gallery.list_pairs import list_pairs
from gateway.wire import CalibrationReply, CalibrationRequest, CountedTracks, TracksPerDay, WireError
from gateway.wire.codec import LENGTHS, decode_payload, encode_frame

RNG = np.random.default_rng(5)


class Kept:
    """A keeper that holds this many people with two templates each."""

    def __init__(self, people: int, templates: int = 2) -> None:
        self.rows = tuple(
            TemplateRow(f"p{person}", f"p{person}-{number}", RNG.normal(0, 0.06, 128).astype(np.float32) + 0.05)
            for person in range(people)
            for number in range(templates)
        )
        built = Gallery.build(self.rows, fingerprint="net", dimension=128, revision=people)
        self.gallery: Gallery | None = built if people else None
        self.people, self.templates, self.revision = people, len(self.rows), people


def answer(kept: Kept, request: CalibrationRequest, settings: MatchingSettings | None = None) -> CalibrationReply:
    return Calibrator(settings or MatchingSettings()).answer(request, cast(GalleryKeeper, kept), "net")


def counted(camera: str = "gate", size: str = "full", near: int = 0, tracks: int = 14_000) -> CountedTracks:
    """Tracks of which `near` came within 0.5, ever fewer farther in."""
    below = [round(near * min(1.0, number / 50) ** 24) for number in range(BINS)]
    counts = [*(b - a for a, b in itertools.pairwise(below)), tracks - below[-1]]
    return CountedTracks(camera=camera, size=size, rule="track", people=100, counts=tuple(counts))


ASK = CalibrationRequest(request=3)


@pytest.mark.parametrize(("people", "templates"), [(0, 1), (1, 1), (1, 4), (2, 1), (40, 1)])
def test_any_list_has_an_answer_before_anything_was_seen(people: int, templates: int) -> None:
    reply = answer(Kept(people, templates), ASK)
    assert (reply.refusal, reply.request, reply.people, reply.revision) == ("", 3, people, people)
    assert reply.default is not None
    assert reply.in_use is not None
    assert 0.2 <= reply.default.small <= reply.default.full <= 0.6
    assert reply.in_use.per_day <= 1.0
    assert (reply.tracks_per_day, reply.traffic_counted, reply.tracks_seen) == (2000.0, False, 0)
    assert not reply.in_use.from_site
    assert {row.rule for row in reply.rows} == {"look", "median", "mean", "track"}


def test_more_people_or_more_traffic_tighten_the_threshold() -> None:
    def default(**changes: float) -> float:
        reply = answer(Kept(10), replace(ASK, **changes))  # type: ignore[arg-type]  # one of two numbers
        assert reply.default is not None
        return reply.default.full

    assert default(people=1000) < default(people=100) < default(people=10)
    assert default(tracks_per_day=20_000.0) < default(tracks_per_day=200.0)
    assert default(tracks_per_day=0.0) == 0.6


def test_a_threshold_set_by_hand_wins_and_its_cost_is_told() -> None:
    reply = answer(Kept(10), replace(ASK, people=100), MatchingSettings(threshold=0.5, small_face_threshold=0.4))
    assert reply.configured
    assert reply.default is not None
    assert reply.in_use is not None
    assert (reply.default.full, reply.default.small) == (0.5, 0.4)
    assert reply.in_use.per_day > 10


def test_cameras_and_sizes_get_thresholds_of_their_own() -> None:
    noisy = counted("hall", near=4000)
    request = replace(
        ASK,
        people=100,
        unconfirmed=(counted("gate", near=200), noisy, counted("gate", "small", near=1000)),
        traffic=(TracksPerDay(camera="gate", size="full", per_day=2000.0),),
    )
    reply = answer(Kept(10), request)
    gate, hall = reply.cameras
    assert (gate.camera, hall.camera) == ("gate", "hall")
    assert hall.full < gate.full
    assert gate.small < gate.full
    assert reply.traffic_counted
    assert reply.in_use is not None
    assert reply.in_use.from_site


@pytest.mark.parametrize(("near_full", "near_small"), [(0, 0), (700, 0), (14_000, 0), (700, 14_000)])
def test_small_faces_never_get_a_laxer_threshold(near_full: int, near_small: int) -> None:
    tracks = (counted(near=near_full), counted(size="small", near=near_small))
    reply = answer(Kept(40), replace(ASK, unconfirmed=tracks))
    assert reply.default is not None
    for each in (reply.default, *reply.cameras):
        assert each.small < each.full


@pytest.mark.parametrize("settings", [MatchingSettings(), MatchingSettings(threshold=0.447)])
def test_thresholds_have_three_places(settings: MatchingSettings) -> None:
    for people in range(2, 12):
        reply = answer(Kept(10), replace(ASK, people=people), settings)
        assert reply.default is not None
        for each in (reply.default.full, reply.default.small):
            assert each == round(each, 3)


def test_the_first_faces_decide_nothing_and_are_told_as_missing() -> None:
    seen = counted(near=4, tracks=4)
    few, none = (answer(Kept(10), replace(ASK, people=100, unconfirmed=each)) for each in ((seen,), ()))
    assert few.default is not None
    assert none.default is not None
    assert few.default.full == pytest.approx(none.default.full, abs=0.002)
    assert (few.tracks_missing, none.tracks_missing) == (5996, 6000)


def test_counts_that_are_none_are_refused_in_words() -> None:
    short = CountedTracks(camera="gate", size="full", rule="track", people=3, counts=(1, 2))
    assert "histogram" in answer(Kept(3), replace(ASK, unconfirmed=(short,))).refusal
    minus = CountedTracks(camera="gate", size="full", rule="track", people=3, counts=(-1,) * BINS)
    assert "histogram" in answer(Kept(3), replace(ASK, confirmed=(minus,))).refusal


@pytest.mark.parametrize("bad", [b"NaN", b"1.5", b'"x"', b"Infinity"])
def test_a_histogram_message_with_nan_is_no_message(bad: bytes) -> None:
    frame = encode_frame(replace(ASK, unconfirmed=(replace(counted(), counts=(77_777,)),)))
    header = frame[LENGTHS.size :].replace(b"77777", bad)
    with pytest.raises(WireError):
        decode_payload(len(header), header)


@pytest.mark.parametrize(("warned", "days", "drift"), [(0, 7, ""), (10, 7, ""), (500, 7, "above"), (500, 0, "")])
def test_warnings_far_outside_of_what_was_expected_are_drift(warned: int, days: float, drift: str) -> None:
    assert answer(Kept(10), replace(ASK, people=100, warned=warned, warned_days=float(days))).drift == drift


def test_too_few_warnings_are_drift_only_where_some_were_sure_to_come() -> None:
    many = replace(ASK, people=100, unconfirmed=(counted(near=7000),), warned_days=7.0)
    hand = MatchingSettings(threshold=0.5)
    assert answer(Kept(10), many, hand).drift == "below"


def test_pairs_are_counted_between_people_and_once_for_each_template() -> None:
    kept = Kept(6, 3)
    assert kept.gallery is not None
    pairs = list_pairs(kept.gallery, kept.rows)
    assert pairs is not None
    assert (pairs.people, pairs.tracks) == (1, 6 * 3 * 5)
    twins = [TemplateRow("a", "1", kept.rows[0].vector), TemplateRow("b", "2", kept.rows[0].vector)]
    both = list_pairs(Gallery.build(twins, fingerprint="net", dimension=128), twins)
    assert both is not None
    assert both.counts[0] == 2
    assert list_pairs(Gallery.build(twins[:1], fingerprint="net", dimension=128), twins[:1]) is None
