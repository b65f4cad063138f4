"""What a face detector answers, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.matching.faults import BadImageError

Point = tuple[float, float]
Landmarks = tuple[Point, Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Detection:
    """One face in an image; all coordinates in its pixels, from its top left corner.

    The box goes from the hairline to the chin, whichever detector found it, so that heights can be compared.
    The landmarks are, as they lie in the image: left eye, right eye, nose tip, left and right corner of the mouth; None
    when the detector gives none. `score` is 0..1.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    landmarks: Landmarks | None = None

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2

    def scaled(self, factor: float) -> "Detection":
        """The same face in an image `factor` times as large."""
        marks = self.landmarks
        return Detection(
            self.x * factor,
            self.y * factor,
            self.width * factor,
            self.height * factor,
            self.score,
            None if marks is None else tuple_of_points(np.array(marks) * factor),
        )

    def moved(self, right: float, down: float) -> "Detection":
        """The same face in an image whose corner lies elsewhere."""
        marks = self.landmarks
        return Detection(
            self.x + right,
            self.y + down,
            self.width,
            self.height,
            self.score,
            None if marks is None else tuple_of_points(np.array(marks) + np.array([right, down])),
        )

    def overlap(self, other: "Detection") -> float:
        """Intersection over union of the two boxes, 0..1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if across <= 0 or down <= 0:
            return 0.0
        common = across * down
        return common / (self.width * self.height + other.width * other.height - common)


class FaceDetector(Protocol):
    """Finds faces."""

    @property
    def name(self) -> str:
        """Names the detector and its settings, for reports."""
        ...

    @property
    def least_height(self) -> float:
        """Height in px from which on it finds nearly every face of an image that it need not shrink."""
        ...

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        """The faces of an image (h, w, 3), best score first, in its pixels; `BadImageError` for another shape or type.

        `regions` (x, y, width, height in the image's pixels) says where whole faces may be, None for anywhere: the
        rest need not be searched, faces found there may be answered all the same.
        """
        ...


def tuple_of_points(points: NDArray[np.floating]) -> Landmarks:
    """Five landmarks out of an array (5, 2)."""
    a, b, c, d, e = ((float(x), float(y)) for x, y in points)
    return a, b, c, d, e


def check_image(rgb: NDArray[np.uint8]) -> None:
    """Refuse what is no (h, w, 3) uint8 image with at least one pixel."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:  # noqa: PLR2004 - rows, columns, colours
        raise BadImageError(f"an image is (height, width, 3) uint8, not {rgb.shape} {rgb.dtype}")
