from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Detection, HogDetector, YuNetDetector
from gateway.matching.regions import Region, RegionRules, plan_regions, search_regions

RULES = RegionRules(grow=16, step=32, least_side=96, start_px=1000)
GREY = np.full((360, 640, 3), 110, np.uint8)


class Searched:
    """A search that notes which parts it was given and finds one face in each."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, part: NDArray[np.uint8]) -> list[Detection]:
        self.shapes.append(part.shape)
        return [Detection(10, 10, 30, 40, 0.8)]


def street(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, height: int, *, y: int = 100
) -> NDArray[np.uint8]:
    """Two faces `height` px high, hair and shoulders around them, in a grey frame of 640 x 360."""
    frame = GREY.copy()
    for x, name in ((60, "biden"), (400, "astronaut")):
        picture = portrait(name)
        face = yunet.detect(picture)[0]
        factor, rim = height / face.height, face.height / 3
        top, left = max(0, int(face.y - rim)), max(0, int(face.x - rim))
        bust = picture[top : int(face.y + face.height + rim), left : int(face.x + face.width + rim)]
        small = cv2.resize(bust, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        room = frame[y : y + small.shape[0], x : x + small.shape[1]]
        room[:] = small[: room.shape[0], : room.shape[1]]
    return frame


def boxes(faces: Sequence[Detection], room: int = 0) -> list[Region]:
    return [
        (int(f.x) - room, int(f.y) - room, int(f.width) + 2 * room + 1, int(f.height) + 2 * room + 1) for f in faces
    ]


def test_a_region_is_grown_onto_the_grid() -> None:
    assert plan_regions(640, 360, [(100, 100, 100, 100)], RULES) == ((64, 64, 160, 160),)


def test_regions_at_the_rim_stay_in_the_image_and_keep_their_least_side() -> None:
    (first, last) = plan_regions(640, 360, [(-20, -20, 30, 30), (630, 350, 50, 50)], RULES) or ()
    assert first == (0, 0, 96, 96)
    assert (last[0] + last[2], last[1] + last[3]) == (640, 360)
    assert min(last[2:]) >= 96


@pytest.mark.parametrize("nowhere", [(0, 0, 0, 5), (640, 0, 9, 9), (-9, 10, 9, 9), (5, 400, 9, 9), (5, 5, -3, 9)])
def test_what_lies_outside_or_has_no_size_is_not_searched(nowhere: Region) -> None:
    assert plan_regions(640, 360, [nowhere], RULES) == ()


def test_neighbours_are_searched_as_one_and_others_apart() -> None:
    near = plan_regions(640, 360, [(100, 100, 60, 60), (130, 110, 60, 60)], RULES)
    far = plan_regions(640, 360, [(30, 30, 60, 60), (500, 250, 60, 60)], RULES)
    assert near is not None
    assert far is not None
    assert (len(near), len(far)) == (1, 2)


def test_regions_that_cost_as_much_as_the_whole_are_the_whole() -> None:
    assert plan_regions(640, 360, [(20, 20, 600, 320)], RULES) is None
    assert plan_regions(90, 60, [(10, 10, 5, 5)], RULES) is None


def test_only_the_regions_are_searched_and_answers_lie_in_the_image() -> None:
    search = Searched()
    found = search_regions(GREY, [(30, 30, 60, 60), (500, 200, 60, 60)], RULES, search)
    assert [(face.x, face.y) for face in found] == [(10, 10), (490, 170)]
    assert sum(shape[0] * shape[1] for shape in search.shapes) < 0.3 * 640 * 360


def test_no_regions_are_nothing_and_none_is_everything() -> None:
    search = Searched()
    assert search_regions(GREY, [], RULES, search) == ()
    assert search.shapes == []
    assert len(search_regions(GREY, None, RULES, search)) == 1
    assert search.shapes == [(360, 640, 3)]


def test_a_face_in_two_parts_is_answered_once() -> None:
    def search(part: NDArray[np.uint8]) -> list[Detection]:
        wide = part.shape[1] > part.shape[0]
        return [Detection(100, 40, 30, 40, 0.9)] if wide else [Detection(4, 136, 15, 40, 0.9)]

    crossing: list[Region] = [(0, 112, 400, 40), (112, 0, 40, 340)]
    parts = plan_regions(640, 360, crossing, RegionRules(16, 32, 64, 0))
    assert parts is not None
    assert len(parts) == 2
    found = search_regions(GREY, crossing, RegionRules(16, 32, 64, 0), search)
    assert [face.width for face in found] == [30]


@pytest.mark.parametrize("height", [24, 40, 64, 120])
@pytest.mark.parametrize("y", [0, 101, 190])
def test_yunet_finds_in_regions_what_it_finds_in_the_whole(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, height: int, y: int
) -> None:
    frame = street(portrait, yunet, height, y=y)
    whole = yunet.detect(frame)
    parts = yunet.detect(frame, regions=boxes(whole))
    assert len(parts) == len(whole) == 2
    for face in whole:
        same = max(parts, key=face.overlap)
        assert same.overlap(face) > 0.88
        assert same.score > face.score - 0.02


def test_yunet_does_not_look_where_it_is_not_asked_to(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector
) -> None:
    frame = street(portrait, yunet, 100)
    left = yunet.detect(frame, regions=[(60, 100, 120, 150)])
    assert [face.x < 320 for face in left] == [True]
    assert yunet.detect(frame, regions=[(250, 10, 60, 60)]) == ()
    assert yunet.detect(frame, regions=[]) == ()


def test_regions_of_a_large_image_are_in_its_own_pixels(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector
) -> None:
    frame = street(portrait, yunet, 100)
    large = np.asarray(cv2.resize(frame, (1280, 720)), np.uint8)
    whole = yunet.detect(large)
    parts = yunet.detect(large, regions=boxes(whole))
    assert len(parts) == len(whole) == 2
    assert all(max(face.overlap(other) for other in parts) > 0.95 for face in whole)


@pytest.mark.parametrize("upsample", [0, 1])
def test_hog_finds_in_regions_what_it_finds_in_the_whole(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, upsample: int
) -> None:
    hog = HogDetector(upsample=upsample)
    frame = street(portrait, yunet, 120 if upsample == 0 else 60)
    whole = hog.detect(frame)
    assert len(whole) == 2
    for face in whole:
        (part,) = hog.detect(frame, regions=boxes([face], room=4))
        assert part.overlap(face) > 0.6
    assert hog.detect(frame, regions=[(300, 10, 20, 20)]) == ()
