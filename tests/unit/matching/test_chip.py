import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.matching.chip import cut_chip, place_chip

_FACE = np.array([(0.86, 0.21), (0.65, 0.23), (0.12, 0.21), (0.33, 0.23), (0.49, 0.63)])


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """A picture with detail at every scale, as faces have."""
    rng = np.random.default_rng(5)
    layers = [
        cv2.resize(
            rng.normal(0, 1, (720 // s, 960 // s, 3)).astype(np.float32), (960, 720), interpolation=cv2.INTER_CUBIC
        )
        for s in (4, 12, 48, 120)
    ]
    noise = sum(layers[1:], layers[0])
    return np.asarray(np.clip(128 + 30 * noise, 0, 255), np.uint8)


def points_at(x: float, y: float, size: float, angle: float) -> NDArray[np.float64]:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(np.rint(((_FACE - 0.5) * size) @ turn.T + (x, y)), np.float64)


def dlib_chip(picture: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
    parts = [dlib.point(int(x), int(y)) for x, y in points]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 10, 10), parts)
    return np.asarray(dlib.get_face_chip(picture, shape, 150, 0.25), np.uint8)


@settings(max_examples=40, deadline=None)
@given(x=st.floats(420, 540), y=st.floats(320, 400), size=st.floats(12, 240), angle=st.floats(-1.0, 1.0))
def test_the_chip_is_dlibs_chip(picture: NDArray[np.uint8], x: float, y: float, size: float, angle: float) -> None:
    points = points_at(x, y, size, angle)
    place = place_chip(points)
    assert place is not None
    difference = np.abs(cut_chip(picture, place).astype(int) - dlib_chip(picture, points))
    assert difference.max() <= 2
    assert difference.mean() < 0.02


@settings(max_examples=25, deadline=None)
@given(x=st.floats(-60, 1020), y=st.floats(-60, 780), size=st.floats(12, 700), angle=st.floats(-3.1, 3.1))
def test_what_lies_outside_is_black(picture: NDArray[np.uint8], x: float, y: float, size: float, angle: float) -> None:
    place = place_chip(points_at(x, y, size, angle))
    assert place is not None
    chip = cut_chip(picture, place)
    reference = dlib_chip(picture, points_at(x, y, size, angle))
    black = ~reference.any(axis=2)
    assert (black != ~chip.any(axis=2)).mean() < 0.01
    both = ~black & chip.any(axis=2)
    assert np.abs(chip[both].astype(int) - reference[both]).max(initial=0) <= 12


def test_a_chip_wholly_outside_is_black(picture: NDArray[np.uint8]) -> None:
    place = place_chip(points_at(-5000, -5000, 100, 0.0))
    assert place is not None
    assert not cut_chip(picture, place).any()


def test_points_that_coincide_have_no_place() -> None:
    assert place_chip(np.full((5, 2), 40.0)) is None
