from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import (
    BadImageError,
    Detection,
    FivePointAligner,
    ForeignModelError,
    HogDetector,
    ModelFileError,
    YuNetDetector,
    open_detector,
)

PORTRAITS = ["obama", "obama2", "biden", "astronaut"]


def shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    factor = side / max(picture.shape)
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def as_row(face: Detection) -> list[float]:
    assert face.landmarks is not None
    return [face.x, face.y, face.width, face.height, *np.ravel(face.landmarks), face.score]


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("side", [640, 331, 120])
def test_yunet_finds_what_opencv_finds(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, yunet_file: Path, name: str, side: int
) -> None:
    picture = shrunk(portrait(name), side)
    size = (picture.shape[1], picture.shape[0])
    _, rows = cv2.FaceDetectorYN.create(str(yunet_file), "", size, 0.7, 0.3, 5000).detect(picture[:, :, ::-1].copy())
    ours = [as_row(face) for face in yunet.detect(picture)]
    assert np.allclose(ours, rows, atol=1e-3)


def test_four_faces_in_one_picture_are_found_best_first(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector
) -> None:
    tiles = [cv2.resize(shrunk(portrait(name), 260), (200, 240)) for name in PORTRAITS]
    faces = yunet.detect(np.asarray(np.hstack(tiles), np.uint8))
    assert sorted(int(face.x // 200) for face in faces) == [0, 1, 2, 3]
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)


def test_a_large_picture_is_answered_in_its_own_pixels(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector
) -> None:
    picture = portrait("obama")
    (large,) = yunet.detect(picture)
    (small,) = yunet.detect(shrunk(picture, 640))
    factor = max(picture.shape) / 640
    assert small.scaled(factor).overlap(large) > 0.99
    (doubled,) = yunet.detect(np.asarray(cv2.resize(picture, None, fx=2, fy=2), np.uint8))
    assert large.scaled(2).overlap(doubled) > 0.95


@pytest.mark.parametrize("name", PORTRAITS)
def test_a_face_that_fills_the_picture_is_one_face(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, yunet_file: Path, name: str
) -> None:
    picture = portrait(name)
    face = yunet.detect(picture)[0]
    close = picture[int(face.y) : int(face.y + face.height), int(face.x) : int(face.x + face.width)]
    factor = 1280 / max(close.shape)
    close = np.asarray(cv2.resize(close, None, fx=factor, fy=factor), np.uint8)
    beside = np.asarray(cv2.resize(shrunk(portrait("biden"), 300), (200, 300)), np.uint8)
    both = np.zeros((close.shape[0], close.shape[1] + 220, 3), np.uint8)
    both[:, : close.shape[1]] = close
    both[400:700, -200:] = beside
    found = YuNetDetector(yunet_file, longest_side=1280).detect(both)
    assert len(found) == 2
    assert sorted(found, key=lambda f: f.height)[0].x > close.shape[1] - 20


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 900, 3), (33, 31, 3), (480, 640, 3)])
def test_an_empty_scene_has_no_faces(yunet: YuNetDetector, shape: tuple[int, ...]) -> None:
    assert yunet.detect(np.full(shape, 120, np.uint8)) == ()


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_image_is_refused(yunet: YuNetDetector, hog: HogDetector, image: NDArray[np.uint8]) -> None:
    for detector in (yunet, hog):
        with pytest.raises(BadImageError):
            detector.detect(image)


def test_another_model_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"no model")
    with pytest.raises(ForeignModelError, match="SHA-256"):
        YuNetDetector(other)
    with pytest.raises(ModelFileError, match="models install"):
        YuNetDetector(tmp_path / "none.onnx")


@pytest.mark.parametrize("name", PORTRAITS)
def test_hog_draws_the_box_that_yunet_draws(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, hog: HogDetector, name: str
) -> None:
    picture = shrunk(portrait(name), 640)
    (ours,) = hog.detect(picture)
    theirs = yunet.detect(picture)[0]
    assert ours.overlap(theirs) > 0.6
    assert ours.height == pytest.approx(theirs.height, rel=0.2)
    assert ours.landmarks is None


def test_hog_answers_in_the_pixels_of_the_picture(portrait: Callable[[str], NDArray[np.uint8]]) -> None:
    picture = portrait("obama")
    (coarse,) = HogDetector(longest_side=480).detect(picture)
    (fine,) = HogDetector(longest_side=480, upsample=1).detect(picture)
    assert coarse.overlap(fine) > 0.6


def test_hog_upsampled_reaches_smaller_faces(
    portrait: Callable[[str], NDArray[np.uint8]], hog: HogDetector, yunet: YuNetDetector
) -> None:
    small = shrunk(portrait("astronaut"), 270)  # the face is 58 px high
    assert hog.detect(small) == ()
    assert len(HogDetector(upsample=1).detect(small)) == 1


def test_the_best_detector_installed_is_opened(yunet_file: Path) -> None:
    opened = open_detector(yunet_file)
    assert isinstance(opened.detector, YuNetDetector)
    assert opened.notice == ""
    assert opened.detector.name == "yunet@0.7/640"


def test_without_the_model_hog_is_opened_and_says_so(tmp_path: Path) -> None:
    opened = open_detector(None, hog_upsample=1)
    assert isinstance(opened.detector, HogDetector)
    assert "no YuNet model" in opened.notice
    assert "40 px" in opened.notice
    assert "\n" not in opened.notice
    wrong = tmp_path / "cut.onnx"
    wrong.write_bytes(b"cut")
    assert "SHA-256" in open_detector(wrong).notice


def test_an_overlap_is_intersection_over_union() -> None:
    box = Detection(0, 0, 10, 10, 1.0)
    assert box.overlap(box) == 1
    assert box.overlap(Detection(5, 0, 10, 10, 1.0)) == pytest.approx(1 / 3)
    assert box.overlap(Detection(10, 0, 10, 10, 1.0)) == 0


def test_hog_box_serves_the_aligner(
    portrait: Callable[[str], NDArray[np.uint8]], hog: HogDetector, aligner: FivePointAligner
) -> None:
    picture = shrunk(portrait("biden"), 640)
    chip = aligner.align(picture, hog.detect(picture)[0])
    assert chip is not None
    assert chip.any(axis=2).mean() > 0.9
