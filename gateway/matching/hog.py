"""The detector that needs no model file of its own: dlib's HOG, through face_recognition."""

import warnings
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching.aligner import box_around
from gateway.matching.detection import Detection, check_image
from gateway.matching.faults import MissingLibraryError
from gateway.matching.regions import Region, RegionRules, search_regions

# Width by height of the hairline-to-chin box of a frontal face; median of the portraits measured.
_SHAPE = 0.75
# dlib's window is 80 px and it reports nothing that reaches over the rim.
_REGIONS = RegionRules(grow=32, step=8, least_side=128, start_px=500)
_LEAST_HEIGHT = 80.0


class HogDetector:
    """Finds upright faces of at least 80 px in the image searched (40 px with one upsampling).

    Args:
        longest_side: a larger image is shrunk to this before the search; 640 keeps it at 24 ms a frame.
        upsample: how often the image is doubled before the search; each time costs four times the time.

    Raises:
        MissingLibraryError: face_recognition (or its models, or dlib) is not installed.
    """

    def __init__(self, *, longest_side: int = 640, upsample: int = 0) -> None:
        self._locate = _face_locations()
        self._longest_side = longest_side
        self._upsample = upsample

    @property
    def name(self) -> str:
        """The detector, the longest side searched and the number of doublings."""
        return f"hog/{self._longest_side}x{2**self._upsample}"

    @property
    def least_height(self) -> float:
        """80 px (98 of 100 portraits), halved by each doubling of the image."""
        return float(_LEAST_HEIGHT / 2**self._upsample)

    def detect(self, rgb: NDArray[np.uint8], regions: Sequence[Region] | None = None) -> tuple[Detection, ...]:
        """The faces of an image (h, w, 3) in its own pixels, without landmarks; every score is 1.

        Args:
            rgb: the image.
            regions: x, y, width, height in its pixels, each large enough for the whole face that may be there; where
                they are cheaper than the whole image, only they and a rim around them are searched. None: the whole
                image. Empty: nothing.

        Raises:
            BadImageError: another shape or type.
        """
        check_image(rgb)
        factor = min(1.0, self._longest_side / max(rgb.shape[:2]))
        rules = _REGIONS.scaled(factor * 2**self._upsample)
        return search_regions(rgb, regions, rules, lambda part: self._search(part, factor))

    def _search(self, rgb: NDArray[np.uint8], factor: float) -> list[Detection]:
        image = rgb if factor == 1 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        located = self._locate(np.ascontiguousarray(image), self._upsample, "hog")
        return [_detection(place).scaled(1 / factor) for place in located]


def _face_locations() -> Callable[[NDArray[np.uint8], int, str], list[tuple[int, int, int, int]]]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "pkg_resources is deprecated as an API")
            import face_recognition  # noqa: PLC0415 - costs 2 s and 150 MB; only HOG needs it
    except ImportError as error:
        raise MissingLibraryError(
            "face_recognition is not installed", remedy="Install it and face_recognition_models"
        ) from error
    locate: Callable[[NDArray[np.uint8], int, str], list[tuple[int, int, int, int]]] = face_recognition.face_locations
    return locate


def _detection(place: tuple[int, int, int, int]) -> Detection:
    top, right, bottom, left = place
    return Detection(*box_around((left, top, right, bottom), _SHAPE), score=1.0)
