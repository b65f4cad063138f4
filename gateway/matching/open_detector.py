"""Chooses the face detector by what is installed."""

from dataclasses import dataclass
from pathlib import Path

from gateway.matching.detection import FaceDetector
from gateway.matching.faults import ModelFileError
from gateway.matching.hog import HogDetector
from gateway.matching.yunet import YuNetDetector


@dataclass(frozen=True, slots=True)
class OpenedDetector:
    """A detector, and one line for the log where it is not the one to wish for (else empty)."""

    detector: FaceDetector
    notice: str


def open_detector(
    model: Path | None, *, score: float = 0.7, longest_side: int = 640, hog_upsample: int = 0
) -> OpenedDetector:
    """YuNet if its model file is usable, else dlib's HOG with a notice that says why.

    Args:
        model: `yunet_n_dynamic.onnx`, or None if there is none.
        score: the least score of a face for YuNet.
        longest_side: larger images are shrunk to it before the search, with either detector.
        hog_upsample: how often HOG doubles the image: 0 finds faces from 80 px of the image searched, 1 from 40 px at
            four times the cost.

    Raises:
        MissingLibraryError: HOG is needed and face_recognition is not installed.
    """
    if model is None:
        return _fallback("no YuNet model file is installed", longest_side, hog_upsample)
    try:
        return OpenedDetector(YuNetDetector(model, score=score, longest_side=longest_side), "")
    except ModelFileError as error:
        return _fallback(f"{error.where}: {error.what}", longest_side, hog_upsample)


def _fallback(why: str, longest_side: int, upsample: int) -> OpenedDetector:
    smallest = 80 // 2**upsample
    notice = (
        f"face detection by HOG, because {why}: slower, and blind to faces under {smallest} px of a {longest_side} px "
        "wide image. Run `campus-gateway models install` for YuNet"
    )
    return OpenedDetector(HogDetector(longest_side=longest_side, upsample=upsample), notice)
