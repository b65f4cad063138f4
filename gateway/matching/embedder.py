"""Turns aligned face chips into vectors."""

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.matching.dlib_network import CHIP_SIDE, DIMENSION
from gateway.matching.faults import BadImageError
from gateway.matching.graph_cache import GraphSource
from gateway.matching.inference import open_session
from gateway.matching.int8_graph import load_recipe

Metric = Literal["euclidean", "cosine"]
Precision = Literal["fp32", "int8"]

BATCH = 16
_DIRECTIONS = "-cosine"
GRAPH_VERSION = 1


class FaceEmbedder(Protocol):
    """What the rest of the house asks of a face network."""

    @property
    def fingerprint(self) -> str:
        """Names the network and its version; vectors with different fingerprints are never compared.

        Where only directions are compared it ends in `-cosine` (`compares_directions`).
        """
        ...

    @property
    def chip_side(self) -> int:
        """Side of the square chips that it takes, in px."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    @property
    def metric(self) -> Metric:
        """How the network's makers compare two vectors.

        The vectors of `embed` are compared by Euclidean distance whatever it is; 0.6 is the largest of a match.
        """
        ...

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of chips (n, side, side, 3) in RGB; `BadImageError` for anything else."""
        ...


def compares_directions(fingerprint: str) -> bool:
    """Whether the vectors of the embedder that `fingerprint` names all have one length."""
    return fingerprint.endswith(_DIRECTIONS)


def fingerprint_of(name: str, version: str, metric: Metric) -> str:
    """The fingerprint of a network called `name`, its file and its recipe being told by `version`."""
    return f"{name}-{version}{_DIRECTIONS if metric == 'cosine' else ''}"


def check_chips(chips: NDArray[np.uint8], side: int) -> None:
    """Refuse, by `BadImageError`, what is no (n, side, side, 3) uint8."""
    if chips.dtype != np.uint8 or chips.shape[1:] != (side, side, 3):
        raise BadImageError(f"chips are (n, {side}, {side}, 3) uint8, not {chips.shape} {chips.dtype}")


class DlibEmbedder:
    """The ResNet of `face_recognition_models`, run by ONNX Runtime on one thread without dlib.

    Args:
        weights: `dlib_face_recognition_resnet_model_v1.dat`.
        cache: a folder where the graph built from it is kept.
        precision: ``int8`` takes 0.6 of the time; what it costs is `int8_error`. Its vectors are another model's.

    Raises:
        ModelFileError: the file is missing, cut short or of another kind.
    """

    def __init__(self, weights: Path, cache: Path, precision: Precision = "fp32") -> None:
        source = GraphSource(weights, cache)
        recipe = load_recipe() if precision == "int8" else None
        version = f"v{GRAPH_VERSION}" if recipe is None else f"v{GRAPH_VERSION}-{recipe.version}"
        graph = source.load(GRAPH_VERSION) if recipe is None else source.load_int8(GRAPH_VERSION, recipe)
        self._session = open_session(graph, weights.name)
        self.int8_error = recipe.error if recipe is not None else None
        self._fingerprint = fingerprint_of("dlib-resnet", f"{source.sha256[:16]}-{version}", self.metric)

    @property
    def fingerprint(self) -> str:
        """The network's name, the start of its file's SHA-256 and the graph's version."""
        return self._fingerprint

    @property
    def chip_side(self) -> int:
        """150."""
        return CHIP_SIDE

    @property
    def dimension(self) -> int:
        """128."""
        return DIMENSION

    @property
    def metric(self) -> Metric:
        """Euclidean: the vectors are not normalised."""
        return "euclidean"

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vectors (n, 128) of chips (n, 150, 150, 3) uint8 RGB, at most 16 at a time through the network.

        Raises:
            BadImageError: another shape or type.
        """
        check_chips(chips, CHIP_SIDE)
        out = np.empty((len(chips), DIMENSION), np.float32)
        for start in range(0, len(chips), BATCH):
            batch = np.ascontiguousarray(chips[start : start + BATCH])
            out[start : start + BATCH] = self._session.run(None, {"chips": batch})[0]
        return out
