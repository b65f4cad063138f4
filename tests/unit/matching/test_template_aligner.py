from collections.abc import Callable

import cv2
import numpy as np
import pytest
from harness.tiny_embedder import LANDMARKS, SIDE
from numpy.typing import NDArray

from gateway.matching import (
    BadImageError,
    Detection,
    FivePointAligner,
    TemplateAligner,
    YuNetDetector,
    detected_points,
)
from gateway.settings import EmbedderAlignment

ALIGNMENT = EmbedderAlignment(points="landmarks", template=LANDMARKS)


def placed(turn: complex, origin: complex) -> Detection:
    """A face whose landmarks are the template's, turned, scaled and moved."""
    points = [turn * complex(x, y) + origin for x, y in LANDMARKS]
    marks = tuple((point.real, point.imag) for point in points)
    return Detection(0, 0, 60, 80, 0.9, marks)  # type: ignore[arg-type]  # five points


def scene(turn: complex, origin: complex, side: int = 400) -> NDArray[np.uint8]:
    """A smooth picture whose chip, cut at `turn` and `origin`, shows a known ramp."""
    y, x = np.mgrid[:side, :side]
    back = ((x + 1j * y) - origin) / turn
    planes = [back.real * 3 + 50, back.imag * 3 + 50, (back.real + back.imag) + 80]
    return np.asarray(np.clip(np.stack(planes, axis=2), 0, 255), np.uint8)


@pytest.mark.parametrize("turn", [1 + 0j, 2.5 + 0j, 0.6 + 0j, 2 + 1.5j, 1.2 - 0.8j, 5 + 1j])
def test_the_chip_shows_the_face_upright_whatever_its_size_and_tilt(turn: complex) -> None:
    origin = complex(200, 200) - turn * complex(SIDE / 2, SIDE / 2)
    picture = scene(turn, origin)
    chip = TemplateAligner(ALIGNMENT, SIDE, detected_points).align(picture, placed(turn, origin))
    assert chip is not None
    middle = slice(8, 40)
    y, x = np.mgrid[:SIDE, :SIDE]
    assert np.abs(chip[middle, middle, 0].astype(float) - (3 * x + 50)[middle, middle]).mean() < 1.5
    assert np.abs(chip[middle, middle, 1].astype(float) - (3 * y + 50)[middle, middle]).mean() < 1.5


def test_outside_of_the_image_is_black() -> None:
    turn, origin = 1 + 0j, complex(-24, 0)
    chip = TemplateAligner(ALIGNMENT, SIDE, detected_points).align(
        np.full((100, 100, 3), 90, np.uint8), placed(turn, origin)
    )
    assert chip is not None
    assert not chip[:, :20].any()
    assert (chip[:, 30:] == 90).all()


def test_a_face_without_points_or_with_one_point_has_no_chip() -> None:
    aligner = TemplateAligner(ALIGNMENT, SIDE, detected_points)
    picture = np.zeros((50, 50, 3), np.uint8)
    assert aligner.align(picture, Detection(0, 0, 10, 10, 1.0)) is None
    assert aligner.align(picture, placed(0j, 5 + 5j)) is None
    with pytest.raises(BadImageError):
        aligner.align(picture[:, :, 0], Detection(0, 0, 10, 10, 1.0))


@pytest.mark.parametrize("name", ["biden", "obama", "astronaut"])
def test_a_portrait_has_its_eyes_where_the_template_has_them(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, name: str
) -> None:
    picture = portrait(name)
    chip = TemplateAligner(ALIGNMENT, SIDE, detected_points).align(picture, yunet.detect(picture)[0])
    assert chip is not None
    found = yunet.detect(np.asarray(cv2.resize(np.pad(chip, ((24, 24), (24, 24), (0, 0))), (384, 384)), np.uint8))
    marks = np.array(found[0].landmarks) / 4 - 24
    assert np.abs(marks - np.array(LANDMARKS)).max() < 4


def test_dlibs_points_serve_where_the_detector_gives_none(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, aligner: FivePointAligner
) -> None:
    picture = portrait("biden")
    face = yunet.detect(picture)[0]
    template = ((38.0, 20.0), (30.0, 20.0), (10.0, 20.0), (18.0, 20.0), (24.0, 32.0))
    ours = TemplateAligner(EmbedderAlignment(points="dlib", template=template), SIDE, aligner.points)
    chip = ours.align(picture, Detection(face.x, face.y, face.width, face.height, 1.0))
    assert chip is not None
    assert chip.std() > 10
