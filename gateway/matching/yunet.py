"""The YuNet face detector, run by ONNX Runtime with its output decoded here.

Source of the decoding: OpenCV 4.10 `modules/objdetect/src/face_detect.cpp` (`FaceDetectorYNImpl::postProcess`).
"""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching.detection import Detection, Point, check_image, tuple_of_points
from gateway.matching.faults import ForeignModelError, ModelFileError
from gateway.matching.inference import open_session
from gateway.matching.regions import Region, RegionRules, search_regions

YUNET_SHA256 = "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12"
_STRIDES = (8, 16, 32)
_OUTPUTS = [f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
_MOST_FACES = 256
_TALLEST = 300.0
_LEAST_HEIGHT = 12.0
# Measured: 0.6 ms to begin a search and 62 ns a pixel.
_REGIONS = RegionRules(grow=16, step=32, least_side=96, start_px=10_000)


class YuNetDetector:
    """Finds faces from 10 to about 300 px high.

    Args:
        model: `yunet_n_dynamic.onnx`, checked by its SHA-256.
        score: the least score of a face; below 0.7 it sees faces in patterns.
        overlap: two boxes that share more than this are one face.
        longest_side: a larger image is shrunk to this before the search; the answer is in its own pixels all the same.

    From about 300 px on YuNet splits a face into several: where it sees one so large it looks again at half the size.

    Raises:
        ModelFileError: the file is missing; `ForeignModelError`: it is another one.
    """

    def __init__(self, model: Path, *, score: float = 0.7, overlap: float = 0.3, longest_side: int = 640) -> None:
        self._session = open_session(_checked(model), model.name)
        self._score = score
        self._overlap = overlap
        self._longest_side = longest_side

    @property
    def name(self) -> str:
        """The detector, its least score and the longest side searched."""
        return f"yunet@{self._score:g}/{self._longest_side}"

    @property
    def least_height(self) -> float:
        """12 px: 84 of 100 portraits, and 96 at 16 px."""
        return _LEAST_HEIGHT

    def detect(self, rgb: NDArray[np.uint8], regions: Sequence[Region] | None = None) -> tuple[Detection, ...]:
        """The faces of an image (h, w, 3), best score first, in its own pixels.

        Args:
            rgb: the image.
            regions: x, y, width, height in its pixels, each large enough for the whole face that may be there; where
                they are cheaper than the whole image, only they and a rim around them are searched, one by one.
                None: the whole image. Empty: nothing.

        Raises:
            BadImageError: another shape or type.
        """
        check_image(rgb)
        factor = min(1.0, self._longest_side / max(rgb.shape[:2]))
        return search_regions(rgb, regions, _REGIONS.scaled(factor), lambda part: self._search_all_sizes(part, factor))

    def _search_all_sizes(self, rgb: NDArray[np.uint8], factor: float) -> list[Detection]:
        """The faces of an image shrunk by a factor, and by more where one is so large that it may be several parts."""
        faces = self._search(rgb, factor)
        while any(face.height * factor > _TALLEST for face in faces):
            small = [face for face in faces if face.height * factor <= _TALLEST]
            factor /= 2
            faces = _with_small(self._search(rgb, factor), small)
        return faces

    def _search(self, rgb: NDArray[np.uint8], factor: float) -> list[Detection]:
        """The faces of the image shrunk by a factor, in the pixels of the image."""
        image = rgb if factor == 1 else _shrink(rgb, factor)
        scores, boxes, marks = self._run(image)
        order = _suppress(boxes, scores, self._overlap)
        stretch = (rgb.shape[1] / image.shape[1], rgb.shape[0] / image.shape[0])
        return [_detection(scores[i], boxes[i], marks[i], stretch) for i in order]

    def _run(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Scores (n,), boxes (n, 4) and landmarks (n, 5, 2) of what scores high enough."""
        tensor = _padded_bgr(image)
        parts = dict(zip(_OUTPUTS, self._session.run(_OUTPUTS, {"input": tensor}), strict=True))
        found = [self._decode(stride, parts, tensor.shape[3] // stride) for stride in _STRIDES]
        scores, boxes, marks = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
        best = np.argsort(-scores, kind="stable")[:_MOST_FACES]
        return scores[best], boxes[best], marks[best]

    def _decode(
        self, stride: int, parts: dict[str, NDArray[np.float32]], columns: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """A cell's score is the geometric mean of class and objectness; offsets count in strides from the cell."""
        classes = parts[f"cls_{stride}"][0, :, 0].clip(0, 1)
        objects = parts[f"obj_{stride}"][0, :, 0].clip(0, 1)
        scores = np.sqrt(classes * objects)
        kept = np.flatnonzero(scores >= self._score)
        cells = np.stack([kept % columns, kept // columns], axis=1).astype(np.float32)
        raw = parts[f"bbox_{stride}"][0, kept]
        size = np.exp(raw[:, 2:]) * stride
        corner = (cells + raw[:, :2]) * stride - size / 2
        marks = (cells[:, None, :] + parts[f"kps_{stride}"][0, kept].reshape(-1, 5, 2)) * stride
        return scores[kept], np.concatenate([corner, size], axis=1), marks


def _with_small(large: list[Detection], small: list[Detection]) -> list[Detection]:
    """The faces of the coarser search, and of the finer one those that are no part of them."""
    apart = [face for face in small if not any(_holds(whole, face.centre) for whole in large)]
    return large + apart


def _holds(face: Detection, point: Point) -> bool:
    return face.x <= point[0] <= face.x + face.width and face.y <= point[1] <= face.y + face.height


def _checked(model: Path) -> bytes:
    remedy = "Run `campus-gateway models install`"
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(model), remedy=remedy) from error
    found = hashlib.sha256(data).hexdigest()
    if found != YUNET_SHA256:
        raise ForeignModelError(f"has SHA-256 {found[:12]}…, not {YUNET_SHA256[:12]}…", where=str(model), remedy=remedy)
    return data


def _shrink(rgb: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _padded_bgr(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The image as (1, 3, h, w) in BGR 0..255, black added right and below up to multiples of the largest stride."""
    height, width = image.shape[:2]
    step = _STRIDES[-1]
    tensor = np.zeros((1, 3, math.ceil(height / step) * step, math.ceil(width / step) * step), np.float32)
    tensor[0, :, :height, :width] = image.transpose(2, 0, 1)[::-1]
    return tensor


def _suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float) -> list[int]:
    """Indices of the boxes that no better one covers, best first; `scores` are sorted already."""
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1).astype(np.float64)
    areas = np.prod(boxes[:, 2:].astype(np.float64), axis=1)
    kept: list[int] = []
    for index in range(len(scores)):
        low = np.maximum(corners[kept, :2], corners[index, :2])
        high = np.minimum(corners[kept, 2:], corners[index, 2:])
        common = np.prod(np.clip(high - low, 0, None), axis=1)
        if not (common > overlap * (areas[kept] + areas[index] - common)).any():
            kept.append(index)
    return kept


def _detection(
    score: np.float32, box: NDArray[np.float32], marks: NDArray[np.float32], stretch: tuple[float, float]
) -> Detection:
    x, y, width, height = (float(value) for value in box * (stretch * 2))
    return Detection(x, y, width, height, float(score), tuple_of_points(marks * np.array(stretch)))
