"""Who is warned of: the listed once per passage, the others never; with faces whose vectors the test chooses."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from harness.shades import GALLERY, LISTED, NOBODY, ROOM, SETTINGS, STRANGER, TOOLS, NoDetector, frame, walk
from numpy.typing import NDArray

from gateway.clock import ManualClock
from gateway.events import CameraFault, CameraLost, CameraRestored, FaceMatched, decode
from gateway.matching import Detection
from gateway.settings import MatchingSettings
from gateway.vision.shared_list import SharedList
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.announcer import Announcer, face_crop
from gateway.vision.video.passers import Match, Passers
from gateway.vision.video.statistics import Nearest, PassageCounts
from gateway.wire import (
    CalibratedThresholds,
    CameraAssigned,
    CameraThresholds,
    EvidencePicture,
    PassageOver,
    Report,
    WarnedOf,
)


def test_a_listed_person_is_warned_of_once_in_a_passage() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    (match,) = walk(passers, 0, [LISTED] * 25)
    assert match.decision.person == "p1"
    assert match.decision.distance == pytest.approx(0, abs=0.02)
    assert passers.counts.total == 1


def test_a_stranger_is_never_warned_of_and_leaves_a_count_alone() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert walk(passers, 0, [STRANGER] * 25) == []
    taken = passers.counts.take()
    assert (taken.passages, taken.warned) == (1, 0)
    found = {each.rule: (each.size, each.counts[150], sum(each.counts)) for each in taken.distances}
    assert found == dict.fromkeys(("look", "mean", "median", "track"), ("full", 1, 1)), "1.4 away: out of reach"
    assert vars(passers)["_seen"] == {}
    assert vars(passers)["_passages"] == {}


class ExactDetector(NoDetector):
    """Finds in a view of a face of 37 px one of 41."""

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        return (Detection(29, 29, 41, 41, 0.9),)


@pytest.mark.parametrize(("detector", "size", "height"), [(NoDetector(), "small", 37), (ExactDetector(), "full", 41)])
def test_a_decision_goes_by_the_size_of_the_exact_box(detector: NoDetector, size: str, height: int) -> None:
    passers = Passers("cam-01", replace(TOOLS, detector=detector), SETTINGS)
    found: list[Match] = []
    for step in range(6):
        face = Detection(100 + 4 * step, 100, 37, 37, 0.9)
        found += passers.follow(step * 0.2, frame((face, LISTED)), [face], GALLERY)
    (match,) = found
    report, _ = Announcer(assigned(), "east", ManualClock()).matched(match, SharedList(GALLERY), "test/1")
    assert isinstance(report, Report)
    event = decode(report.event)
    assert isinstance(event, FaceMatched)
    assert (event.face_size, event.face_height, match.decision.height_px) == (size, height, height)


def test_a_match_tells_when_its_passage_began_and_ended_and_a_stranger_leaves_no_time() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert walk(passers, 0, [STRANGER] * 12) == []
    assert passers.take_departures() == ()
    (match,) = walk(passers, 20, [LISTED] * 12)
    (gone,) = passers.take_departures()
    assert gone.passage == match.passage
    assert [gone.first, gone.last] == pytest.approx([20, 22.2])
    assert passers.take_departures() == ()
    for moment in range(0, 50, 10):
        passers.presence.looked(moment)
    assert passers.presence.strangers(0, 19)
    assert not passers.presence.strangers(19, 40)


def test_times_are_of_the_monotonic_clock_also_when_the_stream_begins_anew() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    face = Detection(100, 100, 80, 80, 0.9)
    for number in range(10):
        passers.follow(50 + 0.2 * number, frame((face, LISTED)), [face], GALLERY, received=1000 + 0.2 * number)
    passers.follow(0, ROOM, [], GALLERY, received=1002)
    (gone,) = passers.take_departures()
    assert [gone.first, gone.last] == pytest.approx([1000, 1001.8])


def test_the_end_of_a_match_is_told_once_with_its_events() -> None:
    passers, clock = Passers("cam-01", TOOLS, SETTINGS), ManualClock()
    announcer = Announcer(assigned(), "east", clock)
    (match,) = walk(passers, 0, [LISTED] * 12)
    (gone,) = passers.take_departures()
    report, _ = announcer.matched(match, SharedList(GALLERY), "test/1")
    assert isinstance(report, Report)
    clock.advance(30)
    now = clock.monotonic()
    (over,) = announcer.gone((replace(gone, first=now - 4, last=now - 2), replace(gone, passage="another")))
    assert isinstance(over, PassageOver)
    assert (over.camera, over.events) == ("cam-01", (decode(report.event).id,))
    assert [over.first_ago_seconds, over.last_ago_seconds] == pytest.approx([4, 2])
    assert announcer.gone((gone,)) == ()


def test_each_visit_is_warned_of() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert [len(walk(passers, start, [LISTED] * 12)) for start in (0, 20)] == [1, 1]


def test_a_visit_of_several_passages_is_warned_of_once() -> None:
    """A look that seems to be another person's begins a passage of its own."""
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert len(walk(passers, 0, [LISTED] * 12 + [STRANGER] * 6 + [LISTED] * 12)) == 1
    assert passers.counts.total == 3


def test_who_stays_long_and_is_then_taken_for_another_is_warned_of_once() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    found: list[Match] = []
    places = [Detection(100, 100, 80, 80, 0.9)] * 40 + [Detection(300, 100, 80, 80, 0.9)] * 8
    for step, face in enumerate(places):
        found += passers.follow(step * 0.2, frame((face, LISTED)), [face], GALLERY)
    assert len(found) == 1


def matched_at(announcer: Announcer, clock: ManualClock, moments: Sequence[float]) -> list[bool]:
    """Whether a match is warned of at each moment (s)."""
    (match,) = walk(Passers("cam-01", TOOLS, SETTINGS), 0, [LISTED] * 25)
    told, now = [], 0.0
    for moment in moments:
        clock.advance(moment - now)
        now = moment
        told.append(bool(announcer.matched(match, SharedList(GALLERY), "test/1")))
    return told


def test_the_cooldown_holds_over_visits_and_ends() -> None:
    clock = ManualClock()
    announcer = Announcer(assigned(), "east", clock, cooldown_seconds=60)
    assert matched_at(announcer, clock, (0, 20, 59, 60, 90)) == [True, False, False, True, False]
    clock = ManualClock()
    assert matched_at(Announcer(assigned(), "east", clock), clock, (0, 1, 20)) == [True, True, True]


def test_the_cooldown_goes_on_from_a_warning_that_another_child_gave() -> None:
    clock = ManualClock()
    known = replace(assigned(), warned=(WarnedOf(person="p1", seconds_ago=50), WarnedOf(person="p9", seconds_ago=1)))
    announcer = Announcer(known, "east", clock, cooldown_seconds=60)
    assert matched_at(announcer, clock, (0, 9, 10, 11)) == [False, False, True, False]


def test_one_odd_look_among_many_warns_of_nobody() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert walk(passers, 0, [STRANGER] * 10 + [LISTED + 50] + [STRANGER] * 10) == []


def test_with_nobody_on_the_list_nobody_is_warned_of() -> None:
    assert walk(Passers("cam-01", TOOLS, SETTINGS), 0, [LISTED] * 25, NOBODY) == []


def test_who_leaves_the_list_in_mid_passage_is_not_warned_of() -> None:
    passers = Passers("cam-01", TOOLS, MatchingSettings(minimum_looks=9, threshold=0.12))
    face = Detection(100, 100, 80, 80, 0.9)
    for step in range(2):
        assert passers.follow(step * 0.2, frame((face, LISTED + 10)), [face], GALLERY) == ()
    assert passers.finish(NOBODY) == ()


def test_the_end_of_the_stream_closes_what_was_open() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    face = Detection(100, 100, 80, 80, 0.9)
    found = passers.follow(0.0, frame((face, LISTED)), [face], GALLERY)
    assert [match.decision.person for match in found] == ["p1"], "a sure first look is enough"
    following = [bool(passers.boxes)]
    assert passers.finish(GALLERY) == ()
    assert [*following, bool(passers.boxes)] == [True, False]
    assert passers.counts.total == 1


def assigned() -> CameraAssigned:
    return CameraAssigned(
        camera="cam-01", name="东门", place="gate", url="file:///x", watch_faces=True, loop=False, looks_per_second=5
    )


def test_a_match_becomes_a_report_and_behind_it_its_crop() -> None:
    (match,) = walk(Passers("cam-01", TOOLS, SETTINGS), 0, [LISTED] * 25)
    announcer = Announcer(assigned(), "east", ManualClock())
    report, picture = announcer.matched(match, SharedList(GALLERY), "test/1")
    assert isinstance(report, Report)
    assert isinstance(picture, EvidencePicture)
    event = decode(report.event)
    assert isinstance(event, FaceMatched)
    assert (event.person, event.category, event.list_revision, event.face_height) == ("p1", "banned", 3, 80)
    assert (event.source, event.name, event.model) == ("/site/east/camera/cam-01", "东门", "shades")
    assert "vector" not in json.loads(report.event)["data"]
    assert (picture.event, picture.person, picture.kind) == (event.id, "p1", "crop")
    assert picture.jpeg.startswith(b"\xff\xd8\xff")


def test_the_crop_holds_the_face_and_little_else() -> None:
    (match,) = walk(Passers("cam-01", TOOLS, SETTINGS), 0, [LISTED] * 25)
    height, width, _ = face_crop(match.shot).shape
    assert (height, width) == (80 + 2 * 28, 80 + 2 * 28)


def test_a_loss_and_a_return_are_said_once() -> None:
    clock = ManualClock()
    announcer = Announcer(assigned(), "east", clock)
    assert announcer.live() == ()
    (report,) = announcer.lost("stalled")
    assert announcer.lost("refused") == ()
    clock.advance(12)
    (back,) = announcer.live()
    assert announcer.live() == ()
    assert isinstance(report, Report)
    assert isinstance(back, Report)
    lost, restored = decode(report.event), decode(back.event)
    assert isinstance(lost, CameraLost)
    assert isinstance(restored, CameraRestored)
    assert (lost.reason, lost.severity.value, restored.outage) == ("stalled", "high", 12.0)
    assert restored.time - lost.time == timedelta(seconds=12)


def test_counts_are_taken_once_and_far_ones_share_a_bin() -> None:
    clock = ManualClock()
    counts = PassageCounts("cam-01", clock)
    for distance in (0.0, 0.554, 1.5, 99.0, float("inf")):
        counts.count(Nearest({"track": distance}), warned=distance == 0)
    counts.count(Nearest(), warned=False)
    clock.advance(90)
    taken = counts.take(people=7, model="net")
    assert (taken.passages, taken.warned, taken.seconds, taken.people, taken.model) == (6, 1, 90.0, 7, "net")
    (found,) = taken.distances
    assert (found.size, found.rule) == ("full", "track")
    assert (found.counts[0], found.counts[55], found.counts[150], len(found.counts)) == (0, 1, 3, 151)
    again = counts.take()
    assert (again.distances, again.seconds, counts.total) == ((), 0.0, 6)


def test_what_was_warned_of_is_in_no_histogram_but_in_its_event() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    (match,) = walk(passers, 0, [LISTED] * 25)
    taken = passers.counts.take()
    assert (taken.warned, taken.distances) == (1, ())
    report, _ = Announcer(assigned(), "east", ManualClock()).matched(match, SharedList(GALLERY), "test/1")
    assert isinstance(report, Report)
    event = decode(report.event)
    assert isinstance(event, FaceMatched)
    assert event.score is not None
    assert event.distance <= event.score <= event.threshold
    assert (event.face_size, event.people, event.threshold_basis) == ("full", 1, "factory")
    assert event.false_warnings_per_day is not None
    assert 0 < event.false_warnings_per_day <= 1


def test_thresholds_that_the_parent_tells_hold_for_the_camera_that_they_name() -> None:
    book = ThresholdBook(SETTINGS)
    own = book.of("cam-01", 1)
    assert own.basis == "factory"
    assert book.of("cam-01", 1000).full < own.full
    told = CalibratedThresholds(
        default=CameraThresholds(camera="", full=0.4, small=0.3),
        cameras=(CameraThresholds(camera="cam-01", full=0.05, small=0.04),),
        warnings_per_day=0.5,
        basis="site",
        people=1,
    )
    book.apply(told)
    assert (book.of("cam-01", 1).full, book.of("cam-02", 1).full, book.of("cam-02", 1).basis) == (0.05, 0.4, "site")
    near = [LISTED + 8] * 25
    assert len(walk(Passers("cam-02", TOOLS, SETTINGS, book), 0, near)) == 1
    assert walk(Passers("cam-01", TOOLS, SETTINGS, book), 0, near) == []


def test_a_list_that_grew_since_the_parents_word_is_compared_with_tighter_thresholds() -> None:
    book, factory = ThresholdBook(SETTINGS), ThresholdBook(SETTINGS)
    largest = CameraThresholds(camera="", full=0.6, small=0.536)
    book.apply(CalibratedThresholds(default=largest, cameras=(), warnings_per_day=0.0, basis="factory", people=0))
    assert book.of("cam-01", 1) == factory.of("cam-01", 1), "of nobody it says nothing"
    site = CameraThresholds(camera="", full=0.5, small=0.45)
    book.apply(CalibratedThresholds(default=site, cameras=(), warnings_per_day=0.9, basis="site", people=10))
    assert book.of("cam-01", 10).full == book.of("cam-01", 9).full == 0.5
    ratio = factory.of("cam-01", 1000).full / factory.of("cam-01", 10).full
    assert book.of("cam-01", 1000).full == pytest.approx(0.5 * ratio, abs=1e-3)
    assert (book.of("cam-01", 1000).basis, book.of("cam-01", 1000).small < 0.45) == ("site", True)


def test_a_threshold_set_by_hand_wins_over_what_the_parent_tells() -> None:
    book = ThresholdBook(MatchingSettings(threshold=0.2))
    assert (book.of("cam-01", 500).full, book.of("cam-01", 500).basis) == (0.2, "configured")
    lax = CameraThresholds(camera="", full=0.6, small=0.6)
    book.apply(CalibratedThresholds(default=lax, cameras=(), warnings_per_day=3.0, basis="configured", people=9))
    assert book.of("cam-01", 500).full == 0.2
    assert book.of("cam-01", 500).small == round(0.2 * 0.894, 3)


def test_a_main_stream_that_is_lost_is_told_once_and_its_return_once() -> None:
    announcer = Announcer(assigned(), "east", ManualClock())
    said = [announcer.main_stream(lost) for lost in ("", "refused", "refused", "silent", "", "", "clock_stuck")]
    events = [decode(message.event) for messages in said for message in messages if isinstance(message, Report)]
    assert [(event.state, event.detail) for event in events if isinstance(event, CameraFault)] == [
        ("main_stream_lost", "refused"),
        ("main_stream_ok", ""),
        ("main_stream_lost", "clock_stuck"),
    ]
    remedies = [event.remedy for event in events if isinstance(event, CameraFault)]
    assert ["there are no clips" in each for each in remedies] == [True, False, False]
    assert "update its firmware" in remedies[2]
