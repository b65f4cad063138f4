from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import Detection, YuNetDetector, assess
from gateway.matching.quality import FaceQuality

FACE = Detection(
    100, 80, 75, 100, 0.9, ((120.0, 110.0), (155.0, 110.0), (137.5, 130.0), (122.0, 146.0), (153.0, 146.0))
)


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    rng = np.random.default_rng(3)
    coarse = cv2.resize(rng.normal(125, 30, (12, 12, 3)), (300, 300), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 40, (300, 300, 3)), 0, 255).astype(np.uint8)


def test_a_good_view_has_every_part_near_one(picture: NDArray[np.uint8]) -> None:
    quality = assess(picture, FACE)
    assert (quality.size, quality.frontalness, quality.sharpness) == (1, 1, 1)
    assert quality.exposure > 0.95
    assert quality.detector == 0.9
    assert quality.complaints == ()
    assert 0.85 < quality.score <= 0.9


def test_a_small_face_is_worse(picture: NDArray[np.uint8]) -> None:
    small = assess(picture, FACE.scaled(0.3))
    assert small.size == pytest.approx(0.3, abs=0.02)
    assert small.height_px == pytest.approx(30)
    assert "too_small" in small.complaints


def test_a_turned_face_is_worse_whatever_its_tilt(picture: NDArray[np.uint8]) -> None:
    turned = ((120.0, 110.0), (155.0, 110.0), (150.0, 130.0), (122.0, 146.0), (153.0, 146.0))
    quality = assess(picture, replace(FACE, landmarks=turned))
    assert quality.frontalness == pytest.approx(1 - 2 * 12.5 / 35)
    assert "turned" in quality.complaints
    assert FACE.landmarks is not None
    tilted = tuple((y, x) for x, y in FACE.landmarks)
    assert assess(picture, replace(FACE, landmarks=tilted)).frontalness == pytest.approx(1)  # type: ignore[arg-type] # five


def test_a_blurred_face_is_worse(picture: NDArray[np.uint8]) -> None:
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    assert "blurred" in assess(blurred, FACE).complaints


def test_sharpness_ignores_contrast(portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector) -> None:
    bright = portrait("astronaut")
    face = yunet.detect(bright)[0]
    soft = np.asarray(cv2.GaussianBlur(bright, (0, 0), 2), np.uint8)
    pale = (soft.astype(np.float32) * 0.4 + 80).astype(np.uint8)
    assert assess(pale, face).sharpness == pytest.approx(assess(soft, face).sharpness, rel=0.25)


@pytest.mark.parametrize("factor", [0.08, 6.0])
def test_darkness_and_glare_are_said(picture: NDArray[np.uint8], factor: float) -> None:
    lit = np.clip(picture * factor, 0, 255).astype(np.uint8)
    assert "badly_lit" in assess(lit, FACE).complaints


def test_a_flat_patch_is_not_sharp() -> None:
    assert assess(np.full((300, 300, 3), 120, np.uint8), FACE).sharpness == 0


@pytest.mark.parametrize("box", [(-500, -500), (299, 299), (400, 10)])
def test_a_box_outside_is_worth_nothing(picture: NDArray[np.uint8], box: tuple[int, int]) -> None:
    quality = assess(picture, replace(FACE, x=box[0], y=box[1]))
    assert quality.score == 0


def test_the_score_of_portraits_falls_with_blur(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector
) -> None:
    picture = portrait("biden")
    face = yunet.detect(picture)[0]
    scores = [assess(np.asarray(cv2.GaussianBlur(picture, (0, 0), s), np.uint8), face).score for s in (0.5, 6, 12, 24)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 5 * scores[-1]


def test_parts_stay_between_0_and_1(picture: NDArray[np.uint8]) -> None:
    quality = assess(picture, replace(FACE, score=1.7, height=9000.0))
    parts = [quality.size, quality.frontalness, quality.sharpness, quality.exposure, quality.detector, quality.score]
    assert all(0 <= part <= 1 for part in parts)
    assert isinstance(quality, FaceQuality)


@pytest.mark.parametrize("height", [34, 50, 80])
@pytest.mark.parametrize("name", ["obama", "biden", "astronaut"])
def test_the_size_goes_by_the_eyes(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, name: str, height: float
) -> None:
    picture = portrait(name)
    factor = height / yunet.detect(picture)[0].height
    small = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    face = yunet.detect(small)[0]
    quality = assess(small, face)
    assert quality.eyes_px == pytest.approx(0.36 * face.height, rel=0.15)
    assert quality.size == pytest.approx(height / 100, abs=0.16)
    tall = replace(face, y=face.y - 5, height=face.height + 10)
    assert assess(small, tall).size == quality.size, "hair and chin do not count"


def test_without_landmarks_the_size_goes_by_the_box(picture: NDArray[np.uint8]) -> None:
    quality = assess(picture, replace(FACE, landmarks=None, height=60.0))
    assert (quality.size, quality.eyes_px) == (0.6, None)


def test_a_turned_head_is_not_a_small_one(picture: NDArray[np.uint8]) -> None:
    assert FACE.landmarks is not None
    turned = tuple((130 + (x - 130) * 0.5, y) for x, y in FACE.landmarks)
    quality = assess(picture, replace(FACE, landmarks=turned))  # type: ignore[arg-type]  # five points
    assert quality.size == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", ["obama", "obama3", "biden", "astronaut"])
def test_each_fault_of_a_real_face_lowers_its_own_part(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, name: str
) -> None:
    picture = portrait(name)
    factor = 100 / yunet.detect(picture)[0].height
    good = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    face = yunet.detect(good)[0]
    best = assess(good, face)
    dark = assess((good * 0.12).astype(np.uint8), face)
    soft = assess(np.asarray(cv2.GaussianBlur(good, (0, 0), 3), np.uint8), face)
    assert best.score > 0.5
    assert dark.exposure < 0.4 < best.exposure
    assert dark.sharpness > 0.5
    assert soft.sharpness < 0.4 < best.sharpness
    assert soft.exposure == pytest.approx(best.exposure, abs=0.1)
    assert max(dark.score, soft.score) < 0.7 * best.score
