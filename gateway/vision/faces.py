"""Opens what the roles that look at faces share: detector, aligner and embedder."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.matching import (
    Detection,
    DlibEmbedder,
    FaceAligner,
    FaceDetector,
    FaceEmbedder,
    FivePointAligner,
    HogDetector,
    ModelFileError,
    NoVectorError,
    OnnxEmbedder,
    TemplateAligner,
    compares_directions,
    detected_points,
    installed_models,
    is_near,
    open_detector,
)
from gateway.settings import MatchingSettings, embedder_file, load_embedder

_LOG = logging.getLogger(__name__)
_YUNET = "yunet_n_dynamic.onnx"
# The detector places a face of this height as exactly as it can; larger ones only cost more.
_FINE_HEIGHT = 80.0
# The main stream is up to a tenth of a second away from the sub-stream: how far (in heights) a face may have got.
_SAME_REACH, _SAME_GROWTH = 0.7, 1.5
_TINIEST = 1e-12


@dataclass(frozen=True, slots=True)
class FaceTools:
    """Detector, aligner and embedder, each loaded once for all cameras of a child.

    `precision` says what a coarser form of the network costs; empty for fp32. `notice` is one line for the log of who
    looks for faces, where the detector is not the one to wish for; else empty.
    """

    detector: FaceDetector
    aligner: FaceAligner
    embedder: FaceEmbedder
    precision: str = ""
    notice: str = ""

    @property
    def told(self) -> str:
        """What was opened, in one line for the parent: detector, model, and what int8 costs where it is used."""
        behind = f", {self.precision}" if self.precision else ""
        return f"detector {self.detector.name}, model {self.embedder.fingerprint}{behind}"

    def refined(self, rgb: NDArray[np.uint8], face: Detection) -> Detection:
        """The face found again in a view of it (h, w, 3), so that its box is exact; as it was if that fails."""
        factor = min(1.0, _FINE_HEIGHT / face.height)
        view = rgb if factor == 1.0 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        found = [each.scaled(1 / factor) for each in self.detector.detect(np.asarray(view, np.uint8))]
        near = [each for each in found if is_near(face, each, _SAME_REACH, _SAME_GROWTH)]
        return min(near, key=lambda each: math.dist(each.centre, face.centre), default=face)

    def vectors(self, faces: list[tuple[NDArray[np.uint8], Detection]]) -> list[NDArray[np.float32] | None]:
        """The vector (d,) of each image (h, w, 3) with a face in it; None where its points cannot be placed.

        Raises:
            NoVectorError: the network answers with no number, or with nothing but zeros.
        """
        return self.embedded(self.chips(faces))

    def template(self, rgb: NDArray[np.uint8], face: Detection) -> NDArray[np.float32] | None:
        """The vector (d,) of a face of an enrolment photo (h, w, 3), and of its mirror image, in one; None as above.

        The mean of both is nearer to the person and farther from others than either (facts: EER 0.0055 against 0.0070
        at 40 px); what passes a camera is not mirrored, it would cost twice as much.

        Raises:
            NoVectorError: the network answers with no number, or with nothing but zeros.
        """
        (chip,) = self.chips([(rgb, face)])
        if chip is None:
            return None
        return self.together(*self._checked(self.embedder.embed(np.stack([chip, chip[:, ::-1]]))))

    def together(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of two vectors (d,) of one face; of the first one's length where only directions are compared."""
        mean = (one + other) / 2
        if compares_directions(self.embedder.fingerprint):
            mean *= np.linalg.norm(one) / max(float(np.linalg.norm(mean)), _TINIEST)
        return np.asarray(mean, np.float32)

    def chips(self, faces: Sequence[tuple[NDArray[np.uint8], Detection]]) -> list[NDArray[np.uint8] | None]:
        """The chip (side, side, 3) of each image (h, w, 3) with a face in it; None where its points fall together."""
        return [self.aligner.align(rgb, face) for rgb, face in faces]

    def embedded(self, chips: Sequence[NDArray[np.uint8] | None]) -> list[NDArray[np.float32] | None]:
        """The vector (d,) of each chip (side, side, 3); None where there is no chip.

        Raises:
            NoVectorError: the network answers with no number, or with nothing but zeros.
        """
        placed = [chip for chip in chips if chip is not None]
        embedded = iter(self._checked(self.embedder.embed(np.stack(placed)))) if placed else iter(())
        return [None if chip is None else next(embedded) for chip in chips]

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors (n, d) that can be compared: what is no number is near nobody, and nothing tells that it is."""
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            what, remedy = "the face network gave no vector", "Choose another network in matching.embedder."
            raise NoVectorError(what, where=self.embedder.fingerprint, remedy=remedy)
        return vectors


def open_tools(
    settings: MatchingSettings, models_directory: Path, *, longest_side: int, hog_upsample: int = 0
) -> FaceTools:
    """Load the models; their `notice` says, in one line, when the detector is not YuNet.

    Args:
        settings: names the detector's file, if it is not in `models_directory`.
        models_directory: holds the detector's file, and the embedder's graph once it is built.
        longest_side: images are shrunk to this many px before the search for faces.
        hog_upsample: how often dlib's HOG doubles the image, if it must be used.

    Raises:
        ModelFileError: the embedder's or the aligner's file is missing or foreign.
        ConfigError: the TOML beside a configured embedder has faults.
        MissingLibraryError: a library is not installed.
    """
    model = settings.detector_model or models_directory / _YUNET
    opened = open_detector(model if model.is_file() else None, longest_side=longest_side, hog_upsample=hog_upsample)
    if settings.embedder is not None:
        return replace(_configured(settings.embedder, opened.detector), notice=opened.notice)
    files = installed_models()
    embedder = DlibEmbedder(files.weights, models_directory, settings.precision)
    precision = "" if embedder.int8_error is None else f"int8, L2 distance to fp32: {embedder.int8_error}"
    if precision:
        _LOG.info("the face network runs in %s", precision)
    return FaceTools(opened.detector, FivePointAligner(files.predictor), embedder, precision, opened.notice)


def _configured(model: Path, detector: FaceDetector) -> FaceTools:
    """The tools of an embedder by configuration."""
    described = load_embedder(model)
    alignment = described.alignment
    if alignment.points == "landmarks" and isinstance(detector, HogDetector):
        raise ModelFileError(
            "alignment.points: the detector HOG gives no landmarks",
            where=str(embedder_file(model)),
            remedy="Run `campus-gateway models install` for YuNet, or align by dlib's points",
        )
    find = detected_points if alignment.points == "landmarks" else FivePointAligner(installed_models().predictor).points
    aligner = TemplateAligner(alignment, described.input.size, find)
    return FaceTools(detector, aligner, OnnxEmbedder(model, described))
