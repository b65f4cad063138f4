"""How many pixels of a camera's pictures are searched for faces."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Detection, Gallery
from gateway.settings import MatchingSettings, VisionSettings
from gateway.streams import Frame
from gateway.vision.child import Outlet
from gateway.vision.faces import FaceTools
from gateway.vision.video import role as role_module
from gateway.vision.video.looker import Looker
from gateway.wire import Hello

NOISE = np.random.default_rng(7)
PLACE = NOISE.integers(60, 190, (720, 1280, 3)).astype(np.uint8)
EMPTY = cast("Gallery", SimpleNamespace(persons=0))


class CountingDetector:
    """Finds nobody, and notes of each search the picture's width and the share of it that was searched."""

    name, least_height = "counting", 12.0

    def __init__(self) -> None:
        self.searches: list[tuple[int, float]] = []

    def detect(
        self, rgb: NDArray[np.uint8], *, regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        height, width = rgb.shape[:2]
        searched = width * height if regions is None else sum(w * h for _, _, w, h in regions)
        self.searches.append((width, searched / (width * height)))
        return ()


def looker() -> tuple[Looker, CountingDetector]:
    detector = CountingDetector()
    tools = cast("FaceTools", SimpleNamespace(detector=detector))
    return Looker("cam-01", tools, VisionSettings(), MatchingSettings()), detector


def frame(at: float, *, somebody: bool = False) -> Frame:
    picture = PLACE.copy()
    if somebody:
        left = 300 + round(at * 100)
        picture[300:420, left : left + 80] = NOISE.integers(0, 255, (120, 80, 1))
    return Frame.from_rgb(picture, seconds=at)


def test_an_empty_scene_is_searched_once_in_ten_seconds() -> None:
    camera, detector = looker()
    for step in range(51):
        camera.look(frame(step / 5), EMPTY)
    assert [share for _, share in detector.searches] == [1.0, 1.0]


def test_only_what_moves_is_searched_in_the_size_in_which_a_face_is_just_found() -> None:
    camera, detector = looker()
    for step in range(20):
        camera.look(frame(step / 5), EMPTY)
    detector.searches.clear()
    for step in range(20, 40):
        camera.look(frame(step / 5, somebody=True), EMPTY)
    assert len(detector.searches) == 20
    assert {width for width, _ in detector.searches} == {480}
    whole = [share for _, share in detector.searches if share == 1.0]
    parts = [share for _, share in detector.searches if share < 1.0]
    assert len(whole) <= 4
    assert max(parts) < 0.15


def test_hog_doubles_the_picture_once_so_that_it_sees_faces_of_40_px(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def opened(_matching: MatchingSettings, _models: object, **how: object) -> FaceTools:
        asked.update(how)
        return cast("FaceTools", SimpleNamespace(notice=""))

    monkeypatch.setattr(role_module, "open_tools", opened)
    hello = Hello(
        role="video",
        worker="video-1",
        site="east",
        vision=VisionSettings(detector_width=512),
        matching=MatchingSettings(),
        models_directory="/nonexistent",
    )
    role = role_module.VideoRole(hello, cast("Outlet", SimpleNamespace()))
    role._load()
    assert asked == {"longest_side": 512, "hog_upsample": 1}
