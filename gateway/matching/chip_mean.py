"""Takes the noise out of a face's chips at dusk: the mean of its latest ones, as long as they show the same."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

_THUMBNAIL = 15
# The face without its surroundings, as a share of the chip at each side.
_EDGE = 0.1
# Grey levels that are added before the logarithm: below them all is noise.
_FLOOR = 8.0


class ChipMean:
    """The latest chips of one track.

    What a sensor adds in the dark differs from picture to picture, the face does not: the mean of four chips has half
    of the noise. Blinking, a turn of the head or another person would blur it, so only chips that agree with the newest
    in what is coarse are averaged. A lamp at one side makes any two faces agree, so light and shade that change evenly
    over the face are taken out first: on the recorded scene at dusk, without a lamp and with one, nine of ten
    neighbouring chips of one person then agree by 0.72 and more, no two of different persons by more than 0.70.

    Args:
        most: so many chips are averaged.
        seconds: of the stream; older ones are left out.
        alike: the least correlation (-1..1) of two chips' 15 px thumbnails, their even shading taken out.
    """

    def __init__(self, most: int = 4, seconds: float = 1.5, alike: float = 0.72) -> None:
        self._kept: deque[tuple[float, NDArray[np.uint8], NDArray[np.float32]]] = deque(maxlen=most)
        self._seconds = seconds
        self._alike = alike

    def add(self, at: float, chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The chip (side, side, 3) of stream time `at` (s), averaged with those before it that show the same."""
        face = _coarse(chip)
        self._kept.append((at, chip, face))
        alike = [
            one
            for when, one, its in self._kept
            if one is chip or (0 <= at - when <= self._seconds and float(np.vdot(face, its)) >= self._alike)
        ]
        return chip if len(alike) == 1 else np.rint(np.mean(alike, axis=0, dtype=np.float32)).astype(np.uint8)


def _coarse(chip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A chip's face as a thumbnail (225,) of length 1, without its even shading; zeros if there is nothing else."""
    edge = round(_EDGE * chip.shape[0])
    face = np.ascontiguousarray(chip[edge : chip.shape[0] - edge, edge : chip.shape[1] - edge])
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32)
    levels = np.log(small + _FLOOR).ravel()
    levels -= _SHADING @ (_SHADING.T @ levels)
    length = float(np.linalg.norm(levels))
    return levels / length if length > _LEAST else np.zeros_like(levels)


def _shading() -> NDArray[np.float32]:
    """An orthonormal basis (225, 6) of what changes evenly: polynomials of the second degree in x and y."""
    y, x = np.mgrid[-1 : 1 : _THUMBNAIL * 1j, -1 : 1 : _THUMBNAIL * 1j].reshape(2, -1)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1))
    return basis.astype(np.float32)


_SHADING = _shading()
# Lengths below are rounding: a chip of one grey.
_LEAST = 1e-3
