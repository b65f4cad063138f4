"""Who is warned of: the listed once per passage, the others never; with faces whose vectors the test chooses."""

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.clock import ManualClock
from gateway.events import CameraLost, CameraRestored, FaceMatched, decode
from gateway.matching import Detection, Gallery, TemplateRow
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools
from gateway.vision.shared_list import SharedList
from gateway.vision.video.announcer import Announcer, face_crop
from gateway.vision.video.passers import Match, Passers
from gateway.vision.video.statistics import PassageCounts
from gateway.wire import CameraAssigned, EvidencePicture, Report

SETTINGS = MatchingSettings(cooldown_seconds=60)
LISTED, STRANGER = 60, 200
ROOM = np.random.default_rng(1).integers(90, 110, (360, 640, 3)).astype(np.uint8)


class NoDetector:
    name = "test/1"

    least_height = 12.0

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        return ()


class CopyingAligner:
    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        """The shade of the face's middle, all over the chip."""
        shade = rgb[int(face.y + face.height / 2), int(face.x + face.width / 2), 0]
        return np.full((150, 150, 3), shade, np.uint8)


class ShadeEmbedder:
    """Vectors on a line: the distance of two faces is a hundredth of the distance of their shades."""

    fingerprint, dimension, metric = "shades", 2, "euclidean"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([[chip[0, 0, 0] / 100, 1.0] for chip in chips], np.float32)


TOOLS = FaceTools(NoDetector(), CopyingAligner(), ShadeEmbedder())  # type: ignore[arg-type]  # metric is a str here
GALLERY = Gallery.build(
    [TemplateRow("p1", "f1", np.array([LISTED / 100, 1.0], np.float32), "banned")],
    fingerprint="shades",
    dimension=2,
    revision=3,
)
NOBODY = Gallery.build([], fingerprint="shades", dimension=2)


def frame(*faces: tuple[Detection, int]) -> NDArray[np.uint8]:
    """A room with a checkered square of the given mean shade for each face."""
    rgb = ROOM.copy()
    for face, shade in faces:
        top, left = int(face.y), int(face.x)
        side = int(face.height)
        grid = (np.indices((side, side)).sum(axis=0) % 2) * 20 - 10
        grid[side // 2, side // 2] = 0
        rgb[top : top + side, left : left + side] = np.clip(shade + grid, 0, 255)[..., None]
    return rgb


def walk(passers: Passers, start: float, shades: Sequence[int], gallery: Gallery = GALLERY) -> list[Match]:
    """One passage: a face per shade, five a second, walking to the right; then three seconds of nobody."""
    found: list[Match] = []
    at = start
    for step, shade in enumerate(shades):
        face = Detection(100 + 8 * step, 100, 80, 80, 0.9)
        found += passers.follow(at, frame((face, shade)), [face], gallery)
        at += 0.2
    for _ in range(16):
        found += passers.follow(at, ROOM, [], gallery)
        at += 0.2
    return found


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
    assert (taken.passages, taken.warned, sum(taken.histogram)) == (1, 0, 1)
    assert sum(taken.histogram[139:142]) == 1, "(200 - 60) / 100"
    assert vars(passers)["_seen"] == {}
    assert vars(passers)["_passages"] == {}


def test_the_cooldown_holds_over_passages_and_ends() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    found = [len(walk(passers, start, [LISTED] * 12)) for start in (0, 20, 40, 70, 90)]
    assert found == [1, 0, 0, 1, 0]
    again = Passers("cam-01", TOOLS, MatchingSettings(cooldown_seconds=0))
    assert [len(walk(again, start, [LISTED] * 12)) for start in (0, 20)] == [1, 1]


def test_one_odd_look_among_many_warns_of_nobody() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    assert walk(passers, 0, [STRANGER] * 10 + [LISTED + 50] + [STRANGER] * 10) == []


def test_with_nobody_on_the_list_nobody_is_warned_of() -> None:
    assert walk(Passers("cam-01", TOOLS, SETTINGS), 0, [LISTED] * 25, NOBODY) == []


def test_who_leaves_the_list_in_mid_passage_is_not_warned_of() -> None:
    passers = Passers("cam-01", TOOLS, MatchingSettings(minimum_looks=3, early_threshold=0.001, threshold=0.5))
    face = Detection(100, 100, 80, 80, 0.9)
    for step in range(3):
        assert passers.follow(step * 0.2, frame((face, LISTED + 10)), [face], GALLERY) == ()
    assert passers.finish(NOBODY) == ()


def test_the_end_of_the_stream_closes_what_was_open() -> None:
    passers = Passers("cam-01", TOOLS, SETTINGS)
    face = Detection(100, 100, 80, 80, 0.9)
    passers.follow(0.0, frame((face, LISTED)), [face], GALLERY)
    following = [bool(passers.boxes)]
    assert [match.decision.person for match in passers.finish(GALLERY)] == ["p1"]
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
    counts = PassageCounts("cam-01")
    for nearest in (0.0, 0.554, 1.5, 99.0):
        counts.count(nearest, warned=nearest == 0)
    counts.count(None, warned=False)
    taken = counts.take()
    assert (taken.passages, taken.warned) == (5, 1)
    assert (taken.histogram[0], taken.histogram[55], taken.histogram[150], len(taken.histogram)) == (1, 1, 2, 151)
    assert sum(counts.take().histogram) == 0
    assert counts.total == 5
