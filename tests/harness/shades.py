"""Faces as squares of one shade, and tools that tell their vectors from it: a test chooses who resembles whom."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.matching import Detection, Gallery, TemplateRow
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools
from gateway.vision.video.passers import Match, Passers

SETTINGS = MatchingSettings()
LISTED, STRANGER = 60, 200
ROOM = np.random.default_rng(1).integers(90, 110, (360, 640, 3)).astype(np.uint8)


class NoDetector:
    name = "test/1"

    least_height = 12.0

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        return ()


class CopyingAligner:
    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        """The shade of the face's middle, all over the chip."""
        shade = rgb[int(face.y + face.height / 2), int(face.x + face.width / 2), 0]
        return np.full((150, 150, 3), shade, np.uint8)


class ShadeEmbedder:
    """Vectors on a line: the distance of two faces is a hundredth of the distance of their shades."""

    fingerprint, dimension, metric = "shades", 2, "euclidean"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([[chip[0, 0, 0] / 100, 1.0] for chip in chips], np.float32)


TOOLS = FaceTools(NoDetector(), CopyingAligner(), ShadeEmbedder())  # type: ignore[arg-type]  # metric is a str here
GALLERY = Gallery.build(
    [TemplateRow("p1", "f1", np.array([LISTED / 100, 1.0], np.float32), "banned")],
    fingerprint="shades",
    dimension=2,
    revision=3,
)
NOBODY = Gallery.build([], fingerprint="shades", dimension=2)


def frame(*faces: tuple[Detection, int]) -> NDArray[np.uint8]:
    """A room with a checkered square of the given mean shade for each face."""
    rgb = ROOM.copy()
    for face, shade in faces:
        top, left = int(face.y), int(face.x)
        side = int(face.height)
        grid = (np.indices((side, side)).sum(axis=0) % 2) * 20 - 10
        grid[side // 2, side // 2] = 0
        rgb[top : top + side, left : left + side] = np.clip(shade + grid, 0, 255)[..., None]
    return rgb


def walk(passers: Passers, start: float, shades: Sequence[int], gallery: Gallery = GALLERY) -> list[Match]:
    """One passage: a face per shade, five a second, walking to the right; then three seconds of nobody."""
    found: list[Match] = []
    at = start
    for step, shade in enumerate(shades):
        face = Detection(100 + 8 * step, 100, 80, 80, 0.9)
        found += passers.follow(at, frame((face, shade)), [face], gallery)
        at += 0.2
    for _ in range(16):
        found += passers.follow(at, ROOM, [], gallery)
        at += 0.2
    return found
