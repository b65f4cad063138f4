"""Cuts the 150 px face chip that dlib's network was trained on out of an image, as dlib does, with OpenCV.

Source: dlib 19.24 `interpolation.h` (`get_face_chip_details`, `chip_details`, `extract_image_chips`) and
`pyramid_down.h`.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching.dlib_network import CHIP_SIDE

_PADDING = 0.25
# Where the mean face has its five points, 0..1 between the chip's paddings: outer and inner corner of the eye on the
# image's right, outer and inner corner of the other eye, base of the nose.
_MEAN_FACE = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
_TARGETS = (_PADDING + _MEAN_FACE) / (1 + 2 * _PADDING) * CHIP_SIDE
# dlib maps points between pyramid levels by this shift, although its pixels are centred elsewhere: both are copied.
_LEVEL_SHIFT = complex(1.25, 0.75)
_SMALLEST_HALVED = 8


@dataclass(frozen=True, slots=True)
class ChipPlace:
    """Where a chip lies in an image: centre (x + iy, px), image pixels per chip pixel, angle (radians)."""

    centre: complex
    scale: float
    angle: float

    @property
    def reach(self) -> float:
        """Distance between the centres of the chip's first and last pixel, in image pixels."""
        return CHIP_SIDE * self.scale - 1


def place_chip(points: NDArray[np.float64]) -> ChipPlace | None:
    """The place of the chip for five predicted points (5, 2) in image px; None when they coincide.

    It is the least-squares similarity from the mean face to the points.
    """
    source = _TARGETS[:, 0] + 1j * _TARGETS[:, 1]
    target = points[:, 0] + 1j * points[:, 1]
    spread = source - source.mean()
    turn = complex(np.vdot(spread, target) / np.vdot(spread, spread).real)
    if abs(turn) * CHIP_SIDE <= 1:
        return None
    middle = complex(CHIP_SIDE / 2, CHIP_SIDE / 2)
    centre = turn * (middle - complex(source.mean())) + complex(target.mean())
    return ChipPlace(centre, abs(turn), math.atan2(turn.imag, turn.real))


def cut_chip(rgb: NDArray[np.uint8], place: ChipPlace) -> NDArray[np.uint8]:
    """The chip (150, 150, 3) of an image (h, w, 3) at `place`; what lies outside the image is black."""
    levels = _levels(place.reach)
    pixels, place = _crop(rgb, place, levels)
    if not pixels.size:
        return np.zeros((CHIP_SIDE, CHIP_SIDE, 3), np.uint8)
    reach = place.reach
    centre = place.centre
    for _ in range(levels):
        pixels = _halve(pixels)
        reach /= 2
        centre = centre / 2 - _LEVEL_SHIFT
    return _warp(pixels, centre, place.angle, reach / (CHIP_SIDE - 1))


def _levels(reach: float) -> int:
    """How often the image is halved: while the chip's square would still have more pixels than the chip."""
    levels = 0
    while reach / 2 + 1 > CHIP_SIDE:
        reach /= 2
        levels += 1
    return levels


def _crop(rgb: NDArray[np.uint8], place: ChipPlace, levels: int) -> tuple[NDArray[np.float32], ChipPlace]:
    """The part of the image under the chip with the rim that the halving needs, and the place in it."""
    grow = 2
    for _ in range(levels):
        grow = 2 * grow + 2
    half = place.reach / 2 * (abs(math.cos(place.angle)) + abs(math.sin(place.angle))) + grow
    height, width = rgb.shape[:2]
    left, right = _span(place.centre.real, half, width)
    top, bottom = _span(place.centre.imag, half, height)
    cropped = rgb[top:bottom, left:right].astype(np.float32)
    return cropped, replace(place, centre=place.centre - complex(left, top))


def _span(middle: float, half: float, size: int) -> tuple[int, int]:
    first = max(0, math.floor(middle - half + 0.5))
    last = min(size - 1, math.floor(middle + half + 0.5))
    return first, max(first, last + 1)


def _halve(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The next pyramid level: pixel k is centred on 2k + 2 of this one, values truncated as dlib's integers are."""
    height, width = pixels.shape[:2]
    if min(height, width) <= _SMALLEST_HALVED:
        return np.zeros((1, 1, 3), np.float32)
    rows, columns = (height - 3) // 2, (width - 3) // 2
    return np.floor(cv2.pyrDown(pixels)[1 : rows + 1, 1 : columns + 1]).astype(np.float32)


def _warp(pixels: NDArray[np.float32], centre: complex, angle: float, step: float) -> NDArray[np.uint8]:
    turn = step * complex(math.cos(angle), math.sin(angle))
    middle = (CHIP_SIDE - 1) / 2
    origin = centre - turn * complex(middle, middle)
    matrix = np.array([[turn.real, -turn.imag, origin.real], [turn.imag, turn.real, origin.imag]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(pixels, matrix, (CHIP_SIDE, CHIP_SIDE), flags=flags)
    chip = warped.astype(np.uint8)  # truncates
    if _crosses_border(turn, origin, pixels.shape[1], pixels.shape[0]):
        chip[_outside(turn, origin, pixels.shape[1], pixels.shape[0])] = 0
    return chip


def _crosses_border(turn: complex, origin: complex, width: int, height: int) -> bool:
    last = CHIP_SIDE - 1
    corners = [origin + turn * complex(x, y) for x in (0, last) for y in (0, last)]
    return any(not (0 <= c.real < width - 1 and 0 <= c.imag < height - 1) for c in corners)


def _outside(turn: complex, origin: complex, width: int, height: int) -> NDArray[np.bool_]:
    """Which chip pixels (150, 150) lack one of the four pixels around them: dlib leaves these black, not half dark."""
    along = np.arange(CHIP_SIDE)
    places = origin + turn * (along[None, :] + 1j * along[:, None])
    x, y = np.floor(places.real), np.floor(places.imag)
    return np.asarray((x < 0) | (y < 0) | (x + 1 >= width) | (y + 1 >= height))
