"""Finds five points of a detected face and cuts the chip that the face network wants."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.matching.chip import cut_chip, place_chip
from gateway.matching.detection import Detection, check_image
from gateway.matching.faults import ForeignModelError, MissingLibraryError, ModelFileError

# The predictor was trained on the squares of dlib's own detector. Measured on faces found by both.
_SQUARE_SIDE = 0.92
_SQUARE_DROP = 0.075
_POINTS = 5


class FaceAligner(Protocol):
    """Makes chips of detected faces."""

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        """The chip (150, 150, 3) in RGB of a face in an image (h, w, 3); None if its points cannot be placed."""
        ...


class FivePointAligner:
    """Aligns by dlib's 5-point predictor, so that the chip is the one `face_recognition` would take.

    Args:
        predictor: `shape_predictor_5_face_landmarks.dat`.

    Raises:
        MissingLibraryError: dlib is not installed.
        ModelFileError: the file is missing or foreign.
    """

    def __init__(self, predictor: Path) -> None:
        try:
            import dlib  # noqa: PLC0415 - a heavy library that only this class needs
        except ImportError as error:
            raise MissingLibraryError("dlib is not installed", remedy="Install dlib-bin") from error
        if not predictor.is_file():
            raise ModelFileError("is missing", where=str(predictor), remedy="Install face_recognition_models")
        self._rectangle = dlib.rectangle
        try:
            self._predict = dlib.shape_predictor(str(predictor))
            found = len(self.points(np.zeros((8, 8, 3), np.uint8), Detection(0, 0, 8, 8, 1.0)))
        except RuntimeError as error:
            raise ForeignModelError("is no shape predictor", where=str(predictor)) from error
        if found != _POINTS:
            raise ForeignModelError(f"predicts {found} points, not {_POINTS}", where=str(predictor))

    def points(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.float64]:
        """The points (5, 2) in image px: outer and inner corner of the right eye, of the left one, base of the nose."""
        left, top, right, bottom = predictor_square(face)
        shape = self._predict(rgb, self._rectangle(left, top, right, bottom))
        return np.array([(point.x, point.y) for point in shape.parts()], np.float64)

    def align(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.uint8] | None:
        """The chip (150, 150, 3) in RGB, as dlib's `get_face_chip` cuts it; None if the points coincide.

        Raises:
            BadImageError: `rgb` is no (h, w, 3) uint8 image.
        """
        check_image(rgb)
        image = np.ascontiguousarray(rgb)
        place = place_chip(self.points(image, face))
        return None if place is None else cut_chip(image, place)


def predictor_square(face: Detection) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (inclusive, px) of the square that dlib's detector would have drawn on a face."""
    side = _SQUARE_SIDE * (face.width * face.height) ** 0.5
    x = face.x + face.width / 2
    y = face.y + face.height / 2 + _SQUARE_DROP * face.height
    return round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2)


def box_around(square: tuple[int, int, int, int], shape: float) -> tuple[float, float, float, float]:
    """The inverse of `predictor_square`: x, y, width, height of the box, `shape` being its width by its height."""
    left, top, right, bottom = square
    area = ((right - left) / _SQUARE_SIDE) ** 2
    height = (area / shape) ** 0.5
    width = height * shape
    y = (top + bottom) / 2 - _SQUARE_DROP * height
    return (left + right - width) / 2, y - height / 2, width, height
