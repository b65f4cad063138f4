"""Where is looked: what moves beside a followed face at each look, its own body now and then."""

import numpy as np
from numpy.typing import NDArray

from gateway.matching import Detection
from gateway.vision.video.attention import Attention

RNG = np.random.default_rng(4)
PLACE = RNG.integers(60, 190, (54, 96)).astype(np.uint8)
WIDTH = 960
FACE = Detection(200, 100, 60, 80, 0.9)  # in the plane: middle (23, 14)
BODY, OTHER = (18, 10, 12, 30), (70, 20, 8, 12)


def moved(*boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    plane = PLACE.copy()
    for x, y, width, height in boxes:
        plane[y : y + height, x : x + width] = RNG.integers(0, 255, (height, width))
    return plane


def searched(attention: Attention, at: float, *boxes: tuple[int, int, int, int], sought: bool = False) -> list[bool]:
    """Whether the body's foot and the other's middle lie in what is searched."""
    regions = attention.regions(at, moved(*boxes), [FACE], WIDTH, sought=sought)
    points = [(24, 38), (74, 26)]
    return [any(x <= px <= x + w and y <= py <= y + h for x, y, w, h in regions) for px, py in points]


def settled() -> Attention:
    attention = Attention(10.0)
    for step in range(10):
        attention.regions(step * 0.2, PLACE, [], WIDTH)
    assert searched(attention, 2.0, BODY, OTHER) == [True, True]
    return attention


def test_the_body_of_a_followed_face_is_searched_at_every_second_look() -> None:
    attention = settled()
    found = [searched(attention, 2.2 + 0.2 * step, BODY, OTHER)[0] for step in range(6)]
    assert found == [False, True, False, True, False, True]


def test_what_moves_elsewhere_is_searched_at_each_look() -> None:
    attention = settled()
    assert all(searched(attention, 2.2 + 0.2 * step, BODY, OTHER)[1] for step in range(6))


def test_a_face_that_was_not_seen_is_sought_in_all_that_moves() -> None:
    attention = settled()
    assert searched(attention, 2.2, BODY, sought=True)[0]


def rested(*moving: int) -> bool:
    """Whether a scene counts as still after 12 s in which something moves in the looks of these numbers."""
    attention = Attention(10.0)
    for step in range(60):
        boxes = (OTHER,) if step in moving else ()
        attention.regions(step * 0.2, moved(*boxes), [], WIDTH)
    return attention.is_still(12.0)


def test_a_branch_that_sways_now_and_then_does_not_keep_a_scene_awake() -> None:
    assert rested()
    assert rested(20, 21, 40, 41, 55)


def test_somebody_who_walks_does() -> None:
    assert not rested(40, 41, 42)
    assert not rested(55, 56, 57, 58, 59)
