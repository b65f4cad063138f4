"""Judges an enrolment photo: the one face that it must show, good enough, as a vector."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.errors import PermanentError
from gateway.matching import Detection, FaceQuality, NoVectorError, assess
from gateway.vision.faces import FaceTools
from gateway.vision.gallery.photo import Photo

# A second face that is this much smaller than the first stands in the background.
_BACKGROUND = 0.34
# What the remedy of too_small asks for: a photo that is smaller has no room for such a face.
_GOOD_FACE_PX = 80
_REFUSED = ("too_small", "blurred")


class PhotoRefusedError(PermanentError):
    """A photo that shows no face that could be compared.

    Attributes:
        reason: no_face, several_faces, too_small, blurred or no_vector.
        quality: of the face, if there is one.
    """

    def __init__(self, reason: str, what: str, quality: dict[str, float] | None = None) -> None:
        super().__init__(what)
        self.reason = reason
        self.quality = quality or {}


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """The face of a photo: its vector (d,) and how good the view is."""

    vector: NDArray[np.float32]
    quality: dict[str, float]


def read_portrait(photo: Photo, tools: FaceTools, *, judged: bool = True) -> Portrait:
    """Find the face and embed it.

    Args:
        photo: what was read.
        tools: detector, aligner and embedder.
        judged: refuse a view that is not good enough; a photo that was accepted once is not judged again.

    Raises:
        PhotoRefusedError: there is none, more than one, none that is good enough, or the network fails on it.
    """
    face = _only_face(tools.detector.detect(photo.rgb), photo)
    quality = assess(photo.rgb, face)
    figures = quality_figures(quality)
    for complaint in quality.complaints:
        if judged and complaint in _REFUSED:
            raise PhotoRefusedError(complaint, _in_words(complaint, quality), figures)
    try:
        vector = tools.template(photo.rgb, face)
    except NoVectorError as error:
        raise PhotoRefusedError("no_vector", error.what, figures) from error
    if vector is None:
        raise PhotoRefusedError("no_face", "eyes and nose cannot be found in the face", figures)
    return Portrait(vector, figures)


def _only_face(found: tuple[Detection, ...], photo: Photo) -> Detection:
    height, width = photo.rgb.shape[:2]
    if not found and min(height, width) < _GOOD_FACE_PX:
        raise PhotoRefusedError("too_small", f"the photo is {width} x {height} px: too small for a face")
    if not found:
        raise PhotoRefusedError("no_face", "no face was found; it must be seen from the front and upright")
    tallest = max(found, key=lambda face: face.height)
    near = [face for face in found if face.height > _BACKGROUND * tallest.height]
    if len(near) > 1:
        raise PhotoRefusedError("several_faces", f"{len(near)} faces were found; cut the photo to the one meant")
    return tallest


def quality_figures(quality: FaceQuality) -> dict[str, float]:
    """The parts of a view's quality, 0 to 1, with the face's height and, where known, its eyes' distance in pixels."""
    eyes = {} if quality.eyes_px is None else {"eyes_px": round(quality.eyes_px, 1)}
    return eyes | {
        "height_px": round(quality.height_px, 1),
        "size": round(quality.size, 3),
        "frontalness": round(quality.frontalness, 3),
        "sharpness": round(quality.sharpness, 3),
        "exposure": round(quality.exposure, 3),
        "detector": round(quality.detector, 3),
        "score": round(quality.score, 3),
    }


def _in_words(complaint: str, quality: FaceQuality) -> str:
    if complaint == "too_small":
        return f"the face is {quality.height_px:.0f} px high; 40 px are the least, 100 px are good"
    return f"the face is blurred (sharpness {quality.sharpness:.2f} of 1; 0.25 is the least)"
