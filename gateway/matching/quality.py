"""Says how good a view of a face is for recognising it, after the ideas of ISO/IEC 29794-5 (face image quality)."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching.detection import Detection, Landmarks

Complaint = Literal["too_small", "turned", "blurred", "badly_lit"]

_GOOD_HEIGHT = 100.0
# Of a face 100 px high; eyes to mouth it is 0.355 of the height. Medians of the portraits measured.
_GOOD_EYES = 34.0
_EYES_BY_MOUTH = 0.96
_PATCH = 64
# Energy of the Laplacian by that of the patch itself, from which a face counts as sharp, and noise of a flat patch.
_SHARP_RATIO = 0.12
_FLAT_VARIANCE = 25.0
_DARK, _DIM, _BRIGHT, _GLARING = 25.0, 70.0, 190.0, 245.0
_LIMITS: dict[Complaint, float] = {"too_small": 0.4, "turned": 0.4, "blurred": 0.25, "badly_lit": 0.3}


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """The parts of a view's quality, each 0 (useless) to 1 (as good as recognition can use).

    `height_px` is the face's height in the frame it came from, hairline to chin; `eyes_px` the distance between its
    eyes as if seen from the front, None where the detector gave no landmarks. The size goes by the eyes where it can:
    what a box includes of hair and chin differs from face to face.
    """

    height_px: float
    size: float
    frontalness: float
    sharpness: float
    exposure: float
    detector: float
    eyes_px: float | None = None

    @property
    def score(self) -> float:
        """One number 0..1, to choose among views of one face; the product of the parts, lighting counting half."""
        return self.size * self.frontalness * self.sharpness * self.detector * (0.5 + self.exposure / 2)

    @property
    def complaints(self) -> tuple[Complaint, ...]:
        """What would be said against the view as an enrolment photo; empty if nothing."""
        parts: dict[Complaint, float] = {
            "too_small": self.size,
            "turned": self.frontalness,
            "blurred": self.sharpness,
            "badly_lit": self.exposure,
        }
        return tuple(name for name, value in parts.items() if value < _LIMITS[name])


def assess(rgb: NDArray[np.uint8], face: Detection) -> FaceQuality:
    """The quality of a face in an image (h, w, 3); a box wholly outside the image has sharpness and exposure 0."""
    patch = _patch(rgb, face)
    eyes = None if face.landmarks is None else _eye_distance(face.landmarks)
    return FaceQuality(
        height_px=face.height,
        size=min(1.0, face.height / _GOOD_HEIGHT if eyes is None else eyes / _GOOD_EYES),
        frontalness=1.0 if face.landmarks is None else _frontalness(face.landmarks),
        sharpness=0.0 if patch is None else _sharpness(patch, face.height),
        exposure=0.0 if patch is None else _exposure(patch),
        detector=min(1.0, max(0.0, face.score)),
        eyes_px=eyes,
    )


def _patch(rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.float32] | None:
    """The face in grey, at most 64 px high: what is finer than that, recognition does not use."""
    top, bottom = max(0, round(face.y)), min(rgb.shape[0], round(face.y + face.height))
    left, right = max(0, round(face.x)), min(rgb.shape[1], round(face.x + face.width))
    if bottom - top < 3 or right - left < 3:  # noqa: PLR2004 - the Laplacian's width
        return None
    grey = cv2.cvtColor(rgb[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    if max(grey.shape) > _PATCH:
        factor = _PATCH / max(grey.shape)
        size = (max(3, round(grey.shape[1] * factor)), max(3, round(grey.shape[0] * factor)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.float32)


def _eye_distance(landmarks: Landmarks) -> float:
    """The distance between the eyes, undone of a turn of the head: from eyes to mouth it does not shrink."""
    points = np.array(landmarks)
    eyes = float(np.linalg.norm(points[1] - points[0]))
    down = float(np.linalg.norm((points[3] + points[4] - points[0] - points[1]) / 2))
    return max(eyes, _EYES_BY_MOUTH * down)


def _frontalness(landmarks: Landmarks) -> float:
    """1 with the nose midway between the eyes, 0 when it is half an eye distance off, along the line of the eyes."""
    points = np.array(landmarks)
    eyes = points[1] - points[0]
    distance = float(eyes @ eyes)
    if distance <= 0:
        return 0.0
    offset = float((points[2] - (points[0] + points[1]) / 2) @ eyes) / distance
    return max(0.0, 1.0 - 2.0 * abs(offset))


def _sharpness(patch: NDArray[np.float32], height: float) -> float:
    """The share of fine detail, free of contrast; a face smaller than the patch is judged by the pixels it has."""
    detail = float(cv2.Laplacian(patch, cv2.CV_32F)[1:-1, 1:-1].var())
    ratio = detail / (float(patch.var()) + _FLAT_VARIANCE)
    wanted = _SHARP_RATIO * max(1.0, _PATCH / max(height, 1.0))
    return min(1.0, ratio / wanted)


def _exposure(patch: NDArray[np.float32]) -> float:
    """1 for a mean between dim and bright, falling to 0 at dark and glaring; burnt or black pixels take their share."""
    usable = float(((patch > _DARK / 2) & (patch < _GLARING)).mean())
    return usable * float(np.interp(patch.mean(), [_DARK, _DIM, _BRIGHT, _GLARING], [0.0, 1.0, 1.0, 0.0]))
