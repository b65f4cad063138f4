"""Turns aligned face chips into vectors."""

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.matching.dlib_network import CHIP_SIDE, DIMENSION
from gateway.matching.faults import BadImageError
from gateway.matching.graph_cache import GraphSource
from gateway.matching.inference import open_session

Metric = Literal["euclidean"]

_BATCH = 16
_GRAPH_VERSION = 1


class FaceEmbedder(Protocol):
    """What the rest of the house asks of a face network."""

    @property
    def fingerprint(self) -> str:
        """Names the network and its version; vectors with different fingerprints are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    @property
    def metric(self) -> Metric:
        """How two vectors are compared."""
        ...

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of chips (n, 150, 150, 3) in RGB; `BadImageError` for anything else."""
        ...


class DlibEmbedder:
    """The ResNet of `face_recognition_models`, run by ONNX Runtime on one thread without dlib.

    Args:
        weights: `dlib_face_recognition_resnet_model_v1.dat`.
        cache: a folder where the graph built from it is kept.

    Raises:
        ModelFileError: the file is missing, cut short or of another kind.
    """

    def __init__(self, weights: Path, cache: Path) -> None:
        source = GraphSource(weights, cache)
        self._session = open_session(source.load(_GRAPH_VERSION), weights.name)
        self._fingerprint = f"dlib-resnet-{source.sha256[:16]}-v{_GRAPH_VERSION}"

    @property
    def fingerprint(self) -> str:
        """The network's name, the start of its file's SHA-256 and the graph's version."""
        return self._fingerprint

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
        _check(chips)
        out = np.empty((len(chips), DIMENSION), np.float32)
        for start in range(0, len(chips), _BATCH):
            batch = np.ascontiguousarray(chips[start : start + _BATCH])
            out[start : start + _BATCH] = self._session.run(None, {"chips": batch})[0]
        return out


def _check(chips: NDArray[np.uint8]) -> None:
    if chips.dtype != np.uint8 or chips.shape[1:] != (CHIP_SIDE, CHIP_SIDE, 3):
        raise BadImageError(f"chips are (n, {CHIP_SIDE}, {CHIP_SIDE}, 3) uint8, not {chips.shape} {chips.dtype}")
