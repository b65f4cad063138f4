"""What opens the motion gate, what does not, and where it sends the search."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Detection
from gateway.vision.video.attention import Attention, in_picture, shrunk
from gateway.vision.video.motion import MotionGate

Plane = NDArray[np.uint8]
LOOK = 0.2


def yard(noise: float = 0.0, seed: int = 1, *, light: float = 1.0, walker: int | None = None) -> Plane:
    """A textured place, with sensor noise, another light, and somebody whose left edge is at `walker`."""
    place = np.random.default_rng(7).integers(40, 160, (54, 96)).astype(np.float32) * light
    if walker is not None:
        place[20:44, walker : walker + 8] = np.array([30, 90, 200, 60, 180, 40, 120, 220], np.float32)
    if noise:
        place = place + np.random.default_rng(seed).normal(0, noise, place.shape).astype(np.float32)
    return place.clip(0, 255).astype(np.uint8)


def settled(noise: float = 0.0) -> MotionGate:
    """A gate that has known the empty yard for a while."""
    gate = MotionGate()
    for step in range(60):
        gate.look(step * LOOK, yard(noise, step))
    return gate


@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
def test_noise_is_learned_and_somebody_is_seen_in_it(noise: float) -> None:
    gate = settled(noise)
    before = gate.counts
    still = [gate.look(12 + step * LOOK, yard(noise, 100 + step)) for step in range(20)]
    assert sum(motion.regions is not None for motion in still) <= 1
    motion = gate.look(17, yard(noise, 200, walker=40))
    assert motion.open
    assert motion.regions is not None
    assert any(x <= 43 <= x + w and y <= 30 <= y + h for x, y, w, h in motion.regions)
    assert gate.counts.asked == before.asked + 21
    assert gate.counts.moved > before.moved


def test_noise_that_comes_at_night_is_learned_within_seconds() -> None:
    gate = settled(0.5)
    opened = [gate.look(12 + step * LOOK, yard(6.0, step)).regions is not None for step in range(60)]
    assert opened[0]
    assert sum(opened[40:]) <= 1


@pytest.mark.parametrize("light", [1.35, 0.7])
def test_another_light_on_the_whole_place_is_learned_at_once_or_ignored(light: float) -> None:
    gate = MotionGate()
    broad = np.linspace(60, 120, 96, dtype=np.float32)[None, :].repeat(54, axis=0)
    for step in range(30):
        gate.look(step * LOOK, broad.astype(np.uint8))
    assert not gate.look(6.2, (broad * light).astype(np.uint8)).open


def test_who_stands_still_long_enough_becomes_background_and_leaving_is_motion() -> None:
    gate = settled(1.0)
    standing = [gate.look(12 + step * LOOK, yard(1.0, step, walker=40)).regions is not None for step in range(900)]
    assert all(standing[:20])
    assert not any(standing[-20:])
    assert gate.look(200, yard(1.0, 5)).regions


def test_a_still_place_is_looked_at_now_and_then_in_any_case() -> None:
    gate = settled()
    opened = [gate.look(12 + step * 1.0, yard()).open for step in range(30)]
    assert 2 <= sum(opened) <= 3


def test_another_picture_size_begins_anew() -> None:
    gate = settled()
    motion = gate.look(13, np.zeros((72, 96), np.uint8))
    assert (motion.open, motion.regions) == (True, None)
    assert gate.moved(yard())


def test_asking_without_learning_changes_nothing() -> None:
    gate = settled(1.0)
    counts = gate.counts
    assert not gate.moved(yard(1.0, 77))
    assert gate.moved(yard(1.0, 78, walker=30))
    assert not gate.moved(yard(1.0, 79))
    assert gate.counts == counts


def face(x: float, y: float, height: float) -> Detection:
    return Detection(x, y, height * 0.8, height, 0.9, None)


def watching() -> Attention:
    attention = Attention(still_seconds=5)
    for step in range(60):
        attention.regions(step * LOOK, yard(1.0, step), (), 640)
    return attention


def test_the_search_goes_where_somebody_moves_and_to_whom_is_followed() -> None:
    attention = watching()
    plane = yard(1.0, 3, walker=10)
    attention.regions(12.0, plane, (), 640)
    regions = attention.regions(12.2, yard(1.0, 4, walker=12), (face(500, 60, 48),), 640)
    boxes = in_picture(regions, plane, np.zeros((360, 640, 3), np.uint8))
    assert boxes is not None
    for x, y in ((14 * 640 / 96, 30 * 360 / 54), (520, 84)):
        assert any(left <= x <= left + width and top <= y <= top + height for left, top, width, height in boxes)


def test_all_of_the_picture_is_searched_now_and_then_while_somebody_is_there() -> None:
    attention, plane = watching(), yard()
    whole = 0
    for step in range(40):
        regions = attention.regions(12 + step * LOOK, yard(1.0, step, walker=10 + step // 2), (), 640)
        whole += in_picture(regions, plane, np.zeros((360, 640, 3), np.uint8)) is None
    assert 4 <= whole <= 8


def test_a_scene_is_still_only_without_motion_and_without_a_face() -> None:
    attention = watching()
    assert attention.is_still(12)
    attention.regions(12, yard(1.0, 1), (face(100, 100, 50),), 640)
    assert not attention.is_still(12.2)
    assert not attention.is_still(16.9)
    assert attention.is_still(17.1)


def test_pictures_are_shrunk_in_their_proportions_and_never_enlarged() -> None:
    assert shrunk(np.zeros((720, 1280, 3), np.uint8), 640).shape == (360, 640, 3)
    small = np.zeros((90, 160, 3), np.uint8)
    assert shrunk(small, 640) is small


def test_one_flicker_does_not_make_a_still_scene_lively_but_somebody_who_walks_does() -> None:
    attention = watching()
    attention.regions(12.0, yard(1.0, 1, walker=30), (), 640)
    assert attention.is_still(12.2)
    attention.regions(12.2, yard(1.0, 2, walker=33), (), 640)
    assert attention.is_still(12.4), "a branch does that, too"
    attention.regions(12.4, yard(1.0, 3, walker=36), (), 640)
    assert not attention.is_still(12.6)
