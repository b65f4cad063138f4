"""Keeps the built ONNX graphs of a `.dat` file in a folder and builds one again when it is missing or damaged."""

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.matching.dlib_network import parse_network
from gateway.matching.faults import ModelFileError
from gateway.matching.int8_graph import Int8Recipe, quantize_graph

_LOG = logging.getLogger(__name__)
# A ModelProto's metadata entry "sha256" (ONNX 1.17 onnx.proto, field 14). Protobuf joins messages by joining their
# bytes, so a graph with this behind it is a graph still, and tells by itself whether it is whole.
_SEAL = b"\x72\x4a\x0a\x06sha256\x12\x40"
_SEALED = len(_SEAL) + 64
# Files on their way have this name; one so old was left by a process that was killed.
_ON_ITS_WAY, _LEFT_SECONDS = ".graph-", 3600.0


class GraphSource:
    """The ONNX graph of one dlib file.

    Args:
        weights: the `.dat` file.
        cache: a folder for the built graph; made if missing.

    Raises:
        ModelFileError: the `.dat` cannot be read (its subclasses: it is cut short, or foreign).
    """

    def __init__(self, weights: Path, cache: Path) -> None:
        try:
            self._data = weights.read_bytes()
        except OSError as error:
            raise ModelFileError(
                f"cannot be read ({error.strerror})", where=str(weights), remedy="Install face_recognition_models"
            ) from error
        self._name = weights.name
        self._cache = cache
        self.sha256 = hashlib.sha256(self._data).hexdigest()

    def load(self, version: int) -> bytes:
        """The serialized graph as builder `version` makes it: from the cache if it is whole there, else built now."""
        return self._kept(f"v{version}", self._build)

    def load_int8(self, version: int, recipe: Int8Recipe) -> bytes:
        """The int8 form of graph `version`, from the cache or made now.

        Raises:
            ForeignModelError: the recipe is of other weights or another version.
        """
        recipe.require(self.sha256, version)
        return self._kept(f"v{version}-{recipe.version}", lambda: quantize_graph(self.load(version), recipe.ranges))

    def _kept(self, variant: str, build: Callable[[], bytes]) -> bytes:
        path = self._cache / f"{self.sha256}-{variant}.onnx"
        _clear_what_was_left(path.parent)
        kept = _read_sealed(path)
        if kept is not None:
            return kept
        built = _seal(build())
        _write(path, built)
        return built

    def _build(self) -> bytes:
        from gateway.matching.onnx_graph import build_graph  # noqa: PLC0415 - onnx costs 1 s, needed once only

        return build_graph(parse_network(self._data, self._name))


def _seal(graph: bytes) -> bytes:
    return graph + _SEAL + hashlib.sha256(graph).hexdigest().encode()


def _read_sealed(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if len(data) > _SEALED and _seal(data[:-_SEALED]) == data else None


def _clear_what_was_left(folder: Path) -> None:
    """Remove what was half written by processes that were killed; another child may be writing now."""
    for left in folder.glob(f"{_ON_ITS_WAY}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                left.unlink()


def _write(path: Path, data: bytes) -> None:
    """Put the whole file there at once; without room for it the graph is built again at the next start."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=_ON_ITS_WAY, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        _LOG.warning("the face network's graph could not be kept in %s: %s", path.parent, error.strerror)
        if temporary:
            Path(temporary).unlink(missing_ok=True)
