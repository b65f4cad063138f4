"""The bytes of a gallery, so that one copy in shared memory serves every process that maps it.

In the byte order of the machine that all processes share. A header of 64 bytes: magic, layout version, dimension,
templates, persons, revision, length; CRC-32 of these and of all that follows the header. Then, each beginning at a
multiple of 64: vectors (templates x dimension, float32), person of each template (int32), and three tables of texts
(fingerprint, persons, templates): count + 1 offsets (uint64), then UTF-8.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.matching.faults import GalleryError

_MAGIC = b"CGGALLRY"
_VERSION = 1
_FIELDS = struct.Struct("=8sIIQQQQ")
_CHECK = struct.Struct("=I")
_STEP = 64


class TextTable:
    """Texts in one block of bytes, decoded one by one when asked for."""

    def __init__(self, offsets: NDArray[np.uint64], text: memoryview) -> None:
        self.offsets = offsets
        self.text = text

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        start, end = int(self.offsets[index]), int(self.offsets[index + 1])
        return bytes(self.text[start:end]).decode("utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class GalleryParts:
    """What a gallery consists of: vectors (n, d), the index of each one's person (n,), texts, and its revision."""

    vectors: NDArray[np.float32]
    owners: NDArray[np.int32]
    fingerprint: str
    persons: TextTable
    templates: TextTable
    revision: int


def text_table(texts: Sequence[str]) -> TextTable:
    """A table that holds `texts`."""
    encoded = [text.encode("utf-8") for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.uint64)
    offsets[1:] = np.cumsum([len(text) for text in encoded], dtype=np.uint64)
    return TextTable(offsets, memoryview(b"".join(encoded)))


def pack_parts(parts: GalleryParts) -> bytes:
    """The bytes of a gallery; `map_parts` is the inverse."""
    body = bytearray()
    _append(body, parts.vectors.tobytes())
    _append(body, parts.owners.tobytes())
    for table in (text_table([parts.fingerprint]), parts.persons, parts.templates):
        _append(body, table.offsets.tobytes())
        _append(body, bytes(table.text))
    counts = (parts.vectors.shape[1], len(parts.vectors), len(parts.persons))
    fields = _FIELDS.pack(_MAGIC, _VERSION, *counts, parts.revision, len(body))
    check = _CHECK.pack(zlib.crc32(body, zlib.crc32(fields)))
    return (fields + check).ljust(_STEP, b"\0") + bytes(body)


def map_parts(buffer: memoryview) -> GalleryParts:
    """The gallery in `buffer`, which may be longer, without a copy of its vectors.

    Raises:
        GalleryError: the bytes are no gallery, of another version, cut short or damaged.
    """
    data = buffer.cast("B").toreadonly()
    dimension, templates, persons, revision, body = _open(data)
    cursor = _Cursor(body)
    vectors = np.frombuffer(cursor.take(4 * templates * dimension), np.float32).reshape(templates, dimension)
    owners = np.frombuffer(cursor.take(4 * templates), np.int32)
    fingerprint = cursor.texts(1)[0]
    return GalleryParts(vectors, owners, fingerprint, cursor.texts(persons), cursor.texts(templates), revision)


def _append(body: bytearray, data: bytes) -> None:
    body += data
    body += bytes(-len(body) % _STEP)


def _open(data: memoryview) -> tuple[int, int, int, int, memoryview]:
    if len(data) < _STEP or bytes(data[:8]) != _MAGIC:
        raise GalleryError("the shared memory holds no gallery")
    _, version, dimension, templates, persons, revision, length = _FIELDS.unpack_from(data)
    if version != _VERSION:
        raise GalleryError(f"the gallery has layout {version}, not {_VERSION}")
    body = data[_STEP : _STEP + length]
    if len(body) < length:
        raise GalleryError(f"the gallery is cut short: {len(body)} of {length} bytes")
    if (zlib.crc32(body, zlib.crc32(data[: _FIELDS.size])),) != _CHECK.unpack_from(data, _FIELDS.size):
        raise GalleryError("the gallery is damaged: its checksum differs")
    return dimension, templates, persons, revision, body


class _Cursor:
    """Reads sections one behind the other."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._at = 0

    def texts(self, count: int) -> TextTable:
        offsets = np.frombuffer(self.take(8 * (count + 1)), np.uint64)
        return TextTable(offsets, self.take(int(offsets[-1])))

    def take(self, size: int) -> memoryview:
        start = self._at
        if start + size > len(self._body):
            raise GalleryError("the gallery is damaged: its sections are longer than it is")
        self._at = start + size + (-size % _STEP)
        return self._body[start : start + size]
