"""Cuts the chip of any embedder: five points of a face brought to where the network's template has them."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching.detection import Detection, check_image
from gateway.settings import EmbedderAlignment

PointFinder = Callable[[NDArray[np.uint8], Detection], NDArray[np.float64] | None]
# From this many image pixels per chip pixel on the image is shrunk first, so that none is skipped.
_COARSE = 1.5


class TemplateAligner:
    """Aligns by a template, bilinear, black outside of the image.

    Args:
        alignment: where the points lie in the chip.
        side: of the chip, in px.
        find: the five points (5, 2) of a face in image px, in the template's order; None where there are none.
    """

    def __init__(self, alignment: EmbedderAlignment, side: int, find: PointFinder) -> None:
        template = np.array(alignment.template)
        self._template = template[:, 0] + 1j * template[:, 1]
        self._side = side
        self._find = find

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        """The chip (side, side, 3) in RGB of a face in an image (h, w, 3); None where its points cannot be placed.

        Raises:
            BadImageError: `rgb` is no (h, w, 3) uint8 image.
        """
        check_image(rgb)
        points = self._find(rgb, face)
        if points is None:
            return None
        turn, origin = _similarity(self._template, points[:, 0] + 1j * points[:, 1])
        if not abs(turn) * self._side > 1:
            return None
        return self._cut(rgb, turn, origin)

    def _cut(self, rgb: NDArray[np.uint8], turn: complex, origin: complex) -> NDArray[np.uint8]:
        """The chip; chip pixel u comes from image pixel turn * u + origin."""
        image, shrunk = rgb, 1.0
        if abs(turn) > _COARSE:
            shrunk = 1 / abs(turn)
            size = (max(1, round(rgb.shape[1] * shrunk)), max(1, round(rgb.shape[0] * shrunk)))
            image = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        # Pixel centres: image pixel x is covered by shrunk pixel (x + 0.5) * factor - 0.5.
        turn, origin = turn * shrunk, (origin + complex(0.5, 0.5)) * shrunk - complex(0.5, 0.5)
        matrix = np.array([[turn.real, -turn.imag, origin.real], [turn.imag, turn.real, origin.imag]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(image, matrix, (self._side, self._side), flags=flags), np.uint8)


def detected_points(_rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.float64] | None:
    """The detector's landmarks as points (5, 2); None where it gave none."""
    return None if face.landmarks is None else np.array(face.landmarks, np.float64)


def _similarity(source: NDArray[np.complex128], target: NDArray[np.complex128]) -> tuple[complex, complex]:
    """The least-squares similarity: turn (with scale) and origin, so that turn * source + origin is near target."""
    spread = source - source.mean()
    turn = complex(np.vdot(spread, target) / np.vdot(spread, spread).real)
    return turn, complex(target.mean()) - turn * complex(source.mean())
