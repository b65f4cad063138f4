from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Detection, FaceQuality, FaceTracker, FivePointAligner, TrackRules, YuNetDetector
from gateway.matching.cuts import CutTest
from gateway.matching.shots import Pace, ViewChoice, ViewRules, take_shot

RNG = np.random.default_rng(11)


def scenery() -> NDArray[np.uint8]:
    coarse = RNG.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC), np.uint8)


GATE = scenery()
YARD = scenery()


def face(x: float, y: float = 100, height: float = 60, score: float = 0.9) -> Detection:
    return Detection(x, y, height * 0.75, height, score)


def rated(scores: dict[float, float]) -> Callable[[NDArray[np.uint8], Detection], FaceQuality]:
    """Rates a face by its place, so that a test says which view is better."""

    def assess(rgb: NDArray[np.uint8], found: Detection) -> FaceQuality:
        return FaceQuality(found.height, scores.get(found.x, 0.5), 1, 1, 1, 1)

    return assess


def turned(picture: NDArray[np.uint8], yunet: YuNetDetector, angle: float) -> NDArray[np.uint8]:
    """The portrait's face 160 px high in the middle of a frame, turned by an angle (degrees)."""
    found = yunet.detect(picture)[0]
    x, y = found.x + found.width / 2, found.y + found.height / 2
    matrix = cv2.getRotationMatrix2D((x, y), angle, 160 / found.height)
    matrix[:, 2] += np.array([500 - x, 400 - y])
    return np.asarray(cv2.warpAffine(picture, matrix, (1000, 800), borderMode=cv2.BORDER_REFLECT), np.uint8)


def test_a_face_that_moves_slowly_is_one_track() -> None:
    tracker = FaceTracker()
    for step in range(20):
        update = tracker.update(step * 0.1, GATE, [face(100 + 8 * step)])
        assert [track.number for track in update.live] == [1]
    end = tracker.update(3.0, GATE, [])
    assert [track.number for track in end.ended] == [1]
    assert end.ended[0].first_seen == 0
    assert end.ended[0].last_seen == pytest.approx(1.9)


def test_two_faces_that_pass_each_other_keep_apart_by_largest_overlap() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100), face(120)])
    update = tracker.update(0.1, GATE, [face(121), face(101)])
    places = {track.number: track.face.x for track in update.live}
    assert places == {1: 101, 2: 121}


@pytest.mark.parametrize("step", [60, -60, 40])
def test_a_passer_by_who_moves_by_more_than_a_box_is_one_track(step: float) -> None:
    tracker = FaceTracker()
    for index in range(6):
        update = tracker.update(index * 0.2, GATE, [face(320 + step * (index - 3))])
    assert [track.number for track in update.live] == [1]
    assert update.live[0].first_seen == 0


def test_two_passers_by_who_cross_keep_their_ways() -> None:
    tracker = FaceTracker()
    for index in range(9):
        at, left, right = index * 0.2, 100 + 40 * index, 440 - 40 * index
        update = tracker.update(at, GATE, [face(left, y=100), face(right, y=130)])
    places = {track.number: track.face.x for track in update.live}
    assert places == {1: 420, 2: 120}


def test_a_far_or_differently_sized_box_begins_a_track() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    far = tracker.update(0.2, GATE, [face(170)])
    assert {track.number for track in far.live} == {1, 2}
    larger = tracker.update(0.3, GATE, [face(170), face(100, 85, height=95)])
    assert {track.number for track in larger.live} == {1, 2}


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    assert tracker.update(0.2, GATE, []).live[0].number == 1
    assert tracker.update(0.3, GATE, [face(104)]).live[0].number == 1
    gone = tracker.update(0.7, GATE, [])
    assert [track.number for track in gone.ended] == [1]
    assert gone.live == ()
    assert tracker.update(0.8, GATE, [face(104)]).live[0].number == 2


def test_a_track_never_survives_a_cut() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    update = tracker.update(0.1, YARD, [face(100)])
    assert update.cut
    assert [track.number for track in update.ended] == [1]
    assert [track.number for track in update.live] == [2]
    assert update.live[0].passage != update.ended[0].passage
    assert update.closed == (1,)


@pytest.mark.parametrize("at", [-5.0, 60.0])
def test_time_that_jumps_ends_tracks_as_a_cut_does(at: float) -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    update = tracker.update(at, GATE, [face(100)])
    assert update.cut
    assert [track.number for track in update.live] == [2]


def test_tracks_of_one_visit_are_one_passage() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    tracker.update(0.5, GATE, [])
    back = tracker.update(1.2, GATE, [face(150)])
    assert (back.live[0].number, back.live[0].passage) == (2, 1)
    assert back.closed == ()
    far = tracker.update(1.3, GATE, [face(152), face(500)])
    assert {track.passage for track in far.live} == {1, 2}
    tracker.update(3.0, GATE, [])
    over = tracker.update(3.6, GATE, [])
    assert over.closed == (1, 2)


def test_a_face_of_another_size_or_later_is_another_passage() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, GATE, [face(100)])
    tracker.update(0.5, GATE, [])
    assert tracker.update(0.6, GATE, [face(100, height=200)]).live[0].passage == 2
    tracker.update(1.0, GATE, [])
    tracker.update(2.6, GATE, [])
    assert tracker.update(2.7, GATE, [face(100)]).live[0].passage == 3


def handed_out(tracker: FaceTracker, faces: list[Detection], pace: float = 0.2) -> list[float]:
    """When the views of one walk were handed out, each in the look that took it."""
    handed: list[float] = []
    for step, each in enumerate(faces):
        shots = tracker.update(step * pace, GATE, [each]).shots
        assert all(shot.at == step * pace for _, shot in shots)
        handed += [round(shot.at, 1) for _, shot in shots]
    assert tracker.finish().shots == ()
    return handed


def test_five_views_are_handed_out_at_once_and_no_more_that_are_alike() -> None:
    assert handed_out(FaceTracker(assess_face=rated({})), [face(100 + step) for step in range(8)]) == [
        0.0,
        0.2,
        0.4,
        0.6,
        0.8,
    ]


def test_views_that_get_better_with_every_look_do_not_put_off_the_first_ones() -> None:
    scores = {float(100 + step): 0.3 + 0.03 * step for step in range(20)}
    tracker = FaceTracker(assess_face=rated(scores))
    handed = handed_out(tracker, [face(100.0 + step) for step in range(20)])
    assert handed[:3] == [0.0, 0.2, 0.4]
    assert 5 <= len(handed) <= 9


def test_many_looks_a_second_do_not_make_more_views() -> None:
    assert len(handed_out(FaceTracker(assess_face=rated({})), [face(100 + step) for step in range(25)], 0.04)) == 5


def test_of_a_face_too_low_for_a_decision_no_view_is_taken() -> None:
    assert handed_out(FaceTracker(assess_face=rated({})), [face(100 + step, height=31) for step in range(9)]) == []


def test_a_small_face_is_compared_once_and_leaves_the_first_looks_to_a_larger_one() -> None:
    small = [face(100 + step, height=36) for step in range(5)]
    large = [face(105 + step, height=41) for step in range(5)]
    assert handed_out(FaceTracker(assess_face=rated({})), small + large) == [
        0.0,
        1.0,
        1.2,
        1.4,
        1.6,
        1.8,
    ]


def grown(factor: float) -> Callable[[NDArray[np.uint8], Detection], Detection]:
    """Finds a face again a little higher than its coarse box, as a fine picture shows it."""
    return lambda _, face: Detection(face.x, face.y, face.width, face.height * factor, face.score)


def test_the_size_of_a_view_is_that_of_its_exact_box() -> None:
    tracker = FaceTracker(refine=grown(1.1), assess_face=rated({}))
    shots = [shot for step in range(6) for _, shot in tracker.update(step * 0.2, GATE, [face(100, height=37)]).shots]
    assert [round(shot.quality.height_px, 1) for shot in shots] == [40.7] * 5, "40 px and more: five views at once"
    assert {round(shot.face.height, 1) for shot in shots} == {40.7}


def test_an_exact_box_that_is_too_low_is_no_view() -> None:
    low = FaceTracker(refine=grown(1.1), assess_face=rated({}))
    assert handed_out(low, [face(100, height=29)] * 4) == []
    just = FaceTracker(refine=grown(1.1), assess_face=rated({}))
    assert handed_out(just, [face(100, height=29.5)] * 4) == [0.0]
    less = FaceTracker(refine=grown(0.9), assess_face=rated({}))
    assert handed_out(less, [face(100, height=43)] * 4) == [0.0], "38.7 px: a small one"


def test_faces_that_may_be_too_low_do_not_take_the_turns_of_others() -> None:
    tracker = FaceTracker(TrackRules(most_views=4), refine=lambda _, face: face, assess_face=rated({}))
    crowd = [face(20 + 60 * column, 20, 31) for column in range(8)] + [face(100, 200, 60)]
    taken = [len(tracker.update(step * 0.2, GATE, crowd).shots) for step in range(5)]
    assert taken == [1] * 5


def test_who_hurries_off_is_still_on_the_same_passage() -> None:
    tracker = FaceTracker(assess_face=rated({}))
    for step in range(5):
        tracker.update(step * 0.24, GATE, [face(237, 144, 104)])
    update = tracker.update(1.2, GATE, [face(128, 157, 105)])
    assert [(track.number, track.passage) for track in update.live] == [(1, 1), (2, 1)]
    later = tracker.update(1.44, GATE, [face(30, 157, 105)])
    assert {track.passage for track in later.live} == {1}


def test_a_long_track_is_looked_at_again() -> None:
    tracker = FaceTracker(TrackRules(views=ViewRules(opening=3, refresh_seconds=2.0)), assess_face=rated({}))
    assert handed_out(tracker, [face(100)] * 40) == [0.0, 0.2, 0.4, 2.4, 4.4, 6.4]


def test_a_shot_holds_the_face_where_its_picture_has_it() -> None:
    frame = GATE.copy()
    frame[110:150, 205:240] = 7
    quality = FaceQuality(60, 1, 1, 1, 1, 1)
    shot = take_shot(0.0, frame, face(200, 100), quality)
    x, y = int(shot.face.x), int(shot.face.y)
    assert (shot.crop[y + 10 : y + 50, x + 5 : x + 40] == 7).all()
    frame[:] = 0
    assert shot.crop.any()


def test_a_shot_at_the_border_is_clipped() -> None:
    shot = take_shot(0.0, GATE, face(620, 340), FaceQuality(60, 1, 1, 1, 1, 1))
    assert shot.crop.shape[0] > 0
    assert shot.face.x + (640 - shot.crop.shape[1]) == pytest.approx(620)


@pytest.mark.parametrize("angle", [0, 30, 45, -45])
@pytest.mark.parametrize("name", ["biden", "obama", "astronaut"])
def test_the_chip_of_the_crop_is_the_chip_of_the_frame(
    portrait: Callable[[str], NDArray[np.uint8]],
    yunet: YuNetDetector,
    aligner: FivePointAligner,
    name: str,
    angle: float,
) -> None:
    frame = turned(portrait(name), yunet, angle)
    found = min(yunet.detect(frame), key=lambda f: abs(f.x + f.width / 2 - 500) + abs(f.y + f.height / 2 - 400))
    shot = take_shot(0.0, frame, found, FaceQuality(160, 1, 1, 1, 1, 1))
    whole, part = aligner.align(frame, found), aligner.align(shot.crop, shot.face)
    assert whole is not None
    assert part is not None
    assert np.abs(whole.astype(int) - part).max() <= 1
    assert shot.crop.size < frame.size / 2


def test_a_view_must_be_clearly_better_than_the_best_before_it() -> None:
    choice = ViewChoice(ViewRules(opening=1))
    wanted = []
    for index, score in enumerate([0.4, 0.45, 0.55, 0.2, 0.6, 0.7]):
        wanted.append(choice.wants(index * 0.5, score, 60))
        if wanted[-1]:
            choice.take(index * 0.5, score, 60)
    assert wanted == [True, False, True, False, False, True]


def test_a_face_that_resembles_somebody_is_worth_every_view_but_not_for_ever() -> None:
    choice = ViewChoice(ViewRules(opening=1, pursued=3, refresh_seconds=60))
    wanted = []
    for step in range(8):
        choice.pace = Pace.EVERY if step >= 2 else Pace.USUAL
        wanted.append(choice.wants(step * 0.2, 0.4, 36))
        if wanted[-1]:
            choice.take(step * 0.2, 0.4, 36)
    assert wanted == [True, False, True, True, True, False, False, False]
    assert not choice.wants(2.0, 0.4, 31), "too small for any decision"


def test_of_a_face_that_is_known_a_view_is_taken_now_and_then() -> None:
    choice, wanted = ViewChoice(ViewRules()), []
    for step in range(14):
        if choice.wants(step * 0.2, 0.1 * step, 80):
            choice.take(step * 0.2, 0.1 * step, 80)
            wanted.append(step)
            choice.pace = Pace.SELDOM
    assert wanted == [0, 6, 12]


def test_a_tracks_views_are_handed_out_while_it_is_pursued() -> None:
    tracker = FaceTracker(TrackRules(views=ViewRules(opening=1, refresh_seconds=60)), assess_face=rated({}))
    (number,) = (track.number for track, _ in tracker.update(0.0, GATE, [face(100, 100, 50)]).shots)
    assert tracker.update(0.2, GATE, [face(100, 100, 50)]).shots == ()
    tracker.set_pace(number, Pace.EVERY)
    assert len(tracker.update(0.4, GATE, [face(100, 100, 50)]).shots) == 1
    tracker.set_pace(number, Pace.USUAL)
    tracker.set_pace(number + 7, Pace.EVERY)
    assert tracker.update(0.6, GATE, [face(100, 100, 50)]).shots == ()


def test_of_a_crowd_a_bounded_number_of_views_is_taken_in_a_look_and_everybody_has_a_turn() -> None:
    tracker = FaceTracker(TrackRules(most_views=16), assess_face=rated({}))
    crowd = [face(30 + 60 * column, 20 + 70 * row, 50) for row in range(5) for column in range(10)]
    looks = [[track.number for track, _ in tracker.update(step * 0.2, GATE, crowd).shots] for step in range(4)]
    assert [len(numbers) for numbers in looks] == [16, 16, 16, 16]
    assert len({number for numbers in looks for number in numbers}) == 50


def test_a_still_scene_with_noise_and_a_walker_is_no_cut() -> None:
    cuts = CutTest()
    for step in range(12):
        frame = np.clip(GATE + RNG.normal(0, 12, GATE.shape), 0, 255).astype(np.uint8)
        frame[100:360, 40 * step : 40 * step + 120] = 20
        assert not cuts.is_cut(frame)


def test_light_switched_on_is_no_cut_and_another_scene_is() -> None:
    cuts = CutTest()
    assert not cuts.is_cut(GATE)
    assert not cuts.is_cut((GATE * 0.4).astype(np.uint8))
    assert cuts.is_cut(YARD)


def test_noise_of_a_black_picture_is_no_cut() -> None:
    cuts = CutTest()
    for _ in range(5):
        assert not cuts.is_cut(RNG.integers(0, 8, (360, 640, 3), dtype=np.uint8))
