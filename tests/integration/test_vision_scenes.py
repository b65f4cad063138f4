"""The recorded scenes through the chain of a video child, as fast as it goes: who is warned of, and how often."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import scene_player
from numpy.typing import NDArray
from vision_bench import built, passages, yunet_file

from gateway.matching import Gallery, TemplateRow
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools, open_tools
from gateway.vision.gallery.enrolment import read_portrait
from gateway.vision.gallery.photo import read_photo
from gateway.vision.video.motion import WIDTH, MotionGate
from gateway.vision.video.passers import Match, Passers

FPS, STEP = 25, 5


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


def frames(scene: Path, first: int, last: int) -> Iterator[tuple[float, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Five frames a second: time (s), picture (h, w, 3), grey thumbnail."""
    with av.open(str(scene)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number > last:
                return
            if number >= first and number % STEP == 0:
                thumbnail = picture.reformat(WIDTH, 54, "gray").to_ndarray()
                yield number / FPS, np.asarray(picture.to_ndarray(format="rgb24")), np.asarray(thumbnail, np.uint8)


def gallery_of(tools: FaceTools, portrait: str) -> Gallery:
    vector = read_portrait(read_photo(built(f"portraits/{portrait}.jpg").read_bytes()), tools).vector
    return Gallery.build(
        [TemplateRow("listed", "photo", vector)],
        fingerprint=tools.embedder.fingerprint,
        dimension=tools.embedder.dimension,
    )


def watch(
    scene: str, tools: FaceTools, first: int = 0, last: int = 10_000
) -> tuple[list[tuple[float, Match]], Passers]:
    """All warnings of a part of a scene, with their times (s)."""
    gallery, gate = gallery_of(tools, "obama"), MotionGate()
    passers = Passers("cam-01", tools, MatchingSettings(cooldown_seconds=0))
    found: list[tuple[float, Match]] = []
    at = 0.0
    for at, rgb, thumbnail in frames(built(f"{scene}.mp4"), first, last):
        if gate.look(at, thumbnail).open or passers.boxes:
            found += [(at, match) for match in passers.follow(at, rgb, passers.detect(rgb), gallery)]
    found += [(at, match) for match in passers.finish(gallery)]
    return found, passers


def listed_times(scene: str, first: int = 0, last: int = 10_000) -> list[tuple[float, float]]:
    """From the truth: when the listed person passes, with a second of grace for the decision."""
    return [
        (float(str(each["first_frame"])) / FPS, float(str(each["last_frame"])) / FPS + 1)
        for each in passages(scene)
        if each["listed"] and first <= int(str(each["first_frame"])) <= last
    ]


def check(found: list[tuple[float, Match]], expected: list[tuple[float, float]]) -> None:
    assert [match.decision.person for _, match in found] == ["listed"] * len(expected)
    for (at, _), (begin, end) in zip(found, expected, strict=True):
        assert begin <= at <= end


def test_yunet_warns_of_the_listed_person_once_per_passage(cache: Path) -> None:
    tools = open_tools(MatchingSettings(detector_model=yunet_file()), cache, longest_side=640)
    assert tools.detector.name.startswith("yunet")
    found, _ = watch("gate-640x360", tools)
    check(found, listed_times("gate-640x360"))


def first_good(passage: dict[str, object]) -> float:
    """When (s) the truth first has a face of 40 px and more."""
    boxes = passage["boxes"]
    assert isinstance(boxes, dict)
    return min(int(number) for number, box in boxes.items() if box[3] >= 40) / FPS


def test_every_passage_is_warned_of_once_and_soon_after_the_first_good_face(cache: Path) -> None:
    """By the recording's time, as a camera looks: coarsely first, and only where something moves."""
    tools = open_tools(MatchingSettings(detector_model=yunet_file()), cache, longest_side=640)
    listed = scene_player.gallery_of(tools, "obama", "biden", "astronaut")
    scene = built("gate-640x360.mp4")
    for phase in (0.08, 0.16):
        found = scene_player.play(scene, tools, listed, first_look=phase, rest=False).found
        expected = [(str(each["person"]), first_good(each)) for each in passages("gate-640x360")]
        assert sorted(str(match.decision.person) for _, match in found) == sorted(person for person, _ in expected)
        for person, good in expected:
            assert any(match.decision.person == person and good - 1 <= at <= good + 0.6 for at, match in found), person


@pytest.mark.parametrize(
    ("scene", "sure"),
    [
        ("turned-640x360", {"biden", "astronaut", "obama"}),
        ("dark-640x360", {"biden", "astronaut", "obama"}),
        ("farther-640x360", {"biden", "astronaut"}),
    ],
)
def test_in_hard_scenes_too_the_listed_are_recognised_and_nobody_else(cache: Path, scene: str, sure: set[str]) -> None:
    """Heads turned by 30 degrees, a quarter of the light, and no face above 38 px; at every phase of the looks."""
    tools = open_tools(MatchingSettings(detector_model=yunet_file()), cache, longest_side=640)
    listed = scene_player.gallery_of(tools, "obama", "biden", "astronaut")
    told = passages(scene)
    for phase in range(5):
        found = scene_player.play(built(f"{scene}.mp4"), tools, listed, first_look=phase / FPS, rest=False).found
        assert sure <= {str(match.decision.person) for _, match in found}
        for at, match in found:
            assert any(
                each["person"] == match.decision.person
                and float(str(each["first_frame"])) <= at * FPS <= float(str(each["last_frame"])) + FPS
                for each in told
            )


def test_yunet_warns_of_nobody_where_nobody_is_listed(cache: Path) -> None:
    tools = open_tools(MatchingSettings(detector_model=yunet_file()), cache, longest_side=640)
    found, passers = watch("unlisted-640x360", tools)
    assert found == []
    counted = passers.counts.take()
    assert counted.passages >= len(passages("unlisted-640x360"))
    tracks = [each for each in counted.distances if each.rule == "track"]
    assert sum(sum(each.counts) for each in tracks) >= len(passages("unlisted-640x360"))
    assert all(sum(each.counts[:55]) == 0 for each in tracks)


def test_hog_warns_of_the_listed_person_once_in_a_passage(cache: Path) -> None:
    tools = open_tools(MatchingSettings(), cache, longest_side=640, hog_upsample=1)
    assert tools.detector.name.startswith("hog")
    assert "models install" in tools.notice, "it says so in one line"
    assert "\n" not in tools.notice
    found, _ = watch("gate-640x360", tools, first=300, last=420)
    check(found, listed_times("gate-640x360", first=290, last=420))


@pytest.mark.long
def test_hog_on_whole_scenes(cache: Path) -> None:
    tools = open_tools(MatchingSettings(), cache, longest_side=640, hog_upsample=1)
    found, _ = watch("unlisted-640x360", tools)
    assert found == []
    found, _ = watch("gate-640x360", tools)
    check(found, listed_times("gate-640x360"))
