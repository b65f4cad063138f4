from collections.abc import Callable
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.matching import (
    BadImageError,
    Detection,
    DlibEmbedder,
    FivePointAligner,
    ForeignModelError,
    ModelFileError,
    ModelFiles,
    YuNetDetector,
)
from gateway.matching.aligner import box_around, predictor_square


@pytest.mark.parametrize("name", ["obama", "obama2", "biden", "astronaut"])
@pytest.mark.parametrize("side", [1200, 400, 160])
def test_our_chip_embeds_as_dlibs_chip(
    portrait: Callable[[str], NDArray[np.uint8]],
    yunet: YuNetDetector,
    aligner: FivePointAligner,
    embedder: DlibEmbedder,
    models: ModelFiles,
    name: str,
    side: int,
) -> None:
    picture = portrait(name)
    factor = min(1.0, side / max(picture.shape))
    picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    face = yunet.detect(picture)[0]
    shape = dlib.shape_predictor(str(models.predictor))(picture, dlib.rectangle(*predictor_square(face)))
    theirs = np.asarray(dlib.get_face_chip(picture, shape, 150, 0.25), np.uint8)
    ours = aligner.align(picture, face)
    assert ours is not None
    a, b = embedder.embed(np.stack([ours, theirs])).astype(np.float64)
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) >= 0.9995
    assert np.linalg.norm(a - b) <= 0.001


@given(left=st.integers(-50, 900), top=st.integers(-50, 900), side=st.integers(16, 500), shape=st.floats(0.6, 1.0))
def test_a_box_around_a_square_gives_the_square_back(left: int, top: int, side: int, shape: float) -> None:
    square = (left, top, left + side, top + side)
    x, y, width, height = box_around(square, shape)
    assert width / height == pytest.approx(shape)
    back = predictor_square(Detection(x, y, width, height, 1.0))
    assert np.abs(np.subtract(back, square)).max() <= 1


def test_a_flat_picture_has_points_and_a_chip(aligner: FivePointAligner) -> None:
    chip = aligner.align(np.full((200, 200, 3), 90, np.uint8), Detection(60, 60, 60, 80, 1.0))
    assert chip is not None
    assert (chip == 90).all()


def test_what_is_no_image_is_refused(aligner: FivePointAligner) -> None:
    with pytest.raises(BadImageError, match="height, width, 3"):
        aligner.align(np.zeros((20, 20), np.uint8), Detection(0, 0, 9, 9, 1.0))


def test_wrong_predictor_files_are_named(models: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is missing"):
        FivePointAligner(tmp_path / "none.dat")
    with pytest.raises(ForeignModelError, match="no shape predictor"):
        FivePointAligner(models.weights)
