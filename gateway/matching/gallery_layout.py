"""The bytes of a gallery: one block, in which every array lies where it is read, so that one copy serves all processes.

In the byte order of the machine that all processes share. 32 bytes: magic, layout version, length of the description,
length of all that follows the description, CRC-32 of the description, CRC-32 of the rest. Then the description
(`Shape` and what the gallery is, as JSON) and, each beginning at a multiple of 64, the arrays of `GalleryArrays`.
"""

import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gateway.matching.faults import GalleryError

_MAGIC = b"CGGALLRY"
_VERSION = 4
_HEAD = struct.Struct("=8sIIQII")
_STEP = 64
# Templates of a stripe of a block. No power of two: the lines of a block would share few places of the processor's
# caches, and BLAS take half as long again.
STRIPE = 16_400

Allocate = Callable[[int], memoryview]


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a gallery has room for.

    Attributes:
        dimension: components of a vector.
        depths: after how many principal axes a search may stop, ascending.
        block: templates of one block of heads.
        cell: templates that lie near each other, a whole part of a block; 0 where they lie as they came.
        grid: columns of the profile.
        rows: templates there is room for; `people` likewise.
        person_bytes: room for the persons' ids in UTF-8; `template_bytes` and `label_bytes` likewise.
    """

    dimension: int
    depths: tuple[int, ...]
    block: int
    cell: int
    grid: int
    rows: int
    people: int
    person_bytes: int
    template_bytes: int
    label_bytes: int

    @property
    def head(self) -> int:
        """Principal axes kept of each template."""
        return self.depths[-1] if self.depths else 0

    @property
    def lines(self) -> int:
        """Rows of a block: the axes, and before each segment of them the half square of its length."""
        return self.head + len(self.depths)

    @property
    def corners(self) -> tuple[int, int, int]:
        """The sizes of `GalleryArrays.cells`: cells, low and high, the axes before the first depth."""
        return (-(-self.rows // self.cell), 2, self.depths[0]) if self.cell else (0, 2, 0)

    @property
    def half_lines(self) -> list[int]:
        """Which rows of a block are half squares."""
        return [depth + segment for segment, depth in enumerate((0, *self.depths[:-1]))] if self.depths else []


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the room a reader may look at: the writer fills only what lies beyond.

    Attributes:
        rows: filled, with removed ones; `people` likewise.
        templates: not removed; `persons` likewise.
        revision: of the watch-list.
    """

    rows: int
    people: int
    templates: int
    persons: int
    revision: int


class TextTable:
    """Texts in one block of bytes, decoded one by one when asked for: offsets (room + 1,) uint64, UTF-8."""

    def __init__(self, offsets: NDArray[np.uint64], text: NDArray[np.uint8]) -> None:
        self.offsets = offsets
        self.text = text

    def __getitem__(self, index: int) -> str:
        start, end = int(self.offsets[index]), int(self.offsets[index + 1])
        return self.text[start:end].tobytes().decode("utf-8")

    def find(self, wanted: str, count: int) -> int | None:
        """The last of the first `count` texts that is the wanted one."""
        text, offsets = wanted.encode(), self.offsets[: count + 1]
        held = self.text[: int(offsets[-1])].tobytes()
        found, at = None, held.find(text)
        while at >= 0:
            index = int(np.searchsorted(offsets, at, "right")) - 1
            if index < count and int(offsets[index]) == at and int(offsets[index + 1]) == at + len(text):
                found = index
            at = held.find(text, at + 1)
        return found

    def has_room(self, index: int, text: bytes) -> bool:
        """Whether as much text goes behind the first `index` ones."""
        return int(self.offsets[index]) + len(text) <= len(self.text)

    def put(self, index: int, text: bytes) -> None:
        """Write a text behind the first `index` ones."""
        start = int(self.offsets[index])
        self.text[start : start + len(text)] = np.frombuffer(text, np.uint8)
        self.offsets[index + 1] = start + len(text)

    def fill(self, texts: Sequence[bytes]) -> None:
        """Write the first texts."""
        lengths = np.fromiter((len(text) for text in texts), np.uint64, len(texts))
        self.offsets[1 : len(texts) + 1] = np.cumsum(lengths, dtype=np.uint64)
        whole = b"".join(texts)
        self.text[: len(whole)] = np.frombuffer(whole, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class GalleryArrays:
    """Views into one buffer; n is `shape.rows`, d the dimension, h the head.

    Attributes:
        reach: (2,) float64, at least as long as every vector, and as every vector's way to the centre.
        centre: (d,) float64; `profile` (depths + 1, grid) float32: see `Axes`.
        basis: (d, lines) float64, the principal axes, with zeros where a block has a half square.
        blocks: per block (lines, templates) float32, contiguous: for each segment of axes −½‖segment‖², then the axes.
        cells: (cells, 2, axes) float32, each cell's smallest and largest coordinates along the leading axes.
        vectors: (n, d) float32, as enrolled; `halves` (n,) float32, ½‖vector‖².
        owners: (n,) int32, the person's number; −1: removed.
        living: (people + 1,) bool; False: removed, with all templates at once. The last one is nobody's, and of removed
            templates: it stays False.
        persons: ids; `labels` what the list says of each; `templates` ids.
    """

    shape: Shape
    fingerprint: str
    reach: NDArray[np.float64]
    centre: NDArray[np.float64]
    basis: NDArray[np.float64]
    profile: NDArray[np.float32]
    blocks: tuple[NDArray[np.float32], ...]
    cells: NDArray[np.float32]
    vectors: NDArray[np.float32]
    halves: NDArray[np.float32]
    owners: NDArray[np.int32]
    living: NDArray[np.bool_]
    persons: TextTable
    labels: TextTable
    templates: TextTable
    buffer: memoryview


def allocate_arrays(shape: Shape, fingerprint: str, extent: Extent, allocate: Allocate) -> GalleryArrays:
    """Arrays of zeros in fresh memory, which `allocate` gives by its size in bytes."""
    head, length = _heading(shape, fingerprint, extent, 0)
    buffer = allocate(len(head) + length)
    buffer[: len(head)] = head
    return _carve(buffer, len(head), shape, fingerprint)


def packed(arrays: GalleryArrays, extent: Extent) -> bytes:
    """All bytes with a checksum, for `map_arrays`."""
    head, length = _heading(arrays.shape, arrays.fingerprint, extent, 0)
    body = arrays.buffer[len(arrays.buffer) - length :]
    head, _ = _heading(arrays.shape, arrays.fingerprint, extent, zlib.crc32(body))
    return b"".join((head, body))


def map_arrays(buffer: memoryview, *, checked: bool = True) -> tuple[GalleryArrays, Extent]:
    """The gallery in `buffer`, which may be longer, without a copy.

    Args:
        buffer: what `packed` made, or the memory of `allocate_arrays`.
        checked: compare the checksum over all bytes; without it only the description's.

    Raises:
        GalleryError: the bytes are no gallery, of another layout, cut short or damaged.
    """
    data = buffer.cast("B").toreadonly()
    if len(data) < _STEP or bytes(data[: len(_MAGIC)]) != _MAGIC:
        raise GalleryError("the shared memory holds no gallery")
    _, version, described, length, described_sum, body_sum = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise GalleryError(f"the gallery has layout {version}, not {_VERSION}")
    start = _HEAD.size + described
    if len(data) < start + length:
        raise GalleryError(f"the gallery is cut short: {len(data)} of {start + length} bytes")
    body = data[start : start + length]
    text = bytes(data[_HEAD.size : start])
    if zlib.crc32(text) != described_sum or (checked and zlib.crc32(body) != body_sum):
        raise GalleryError("the gallery is damaged: its checksum differs")
    told = json.loads(text)
    shape = Shape(**told["shape"] | {"depths": tuple(told["shape"]["depths"])})
    if _length(shape) != length:
        raise GalleryError("the gallery is damaged: its description tells another length")
    return _carve(data[: start + length], start, shape, told["fingerprint"]), Extent(**told["extent"])


def _heading(shape: Shape, fingerprint: str, extent: Extent, body_sum: int) -> tuple[bytes, int]:
    told = {"shape": asdict(shape), "fingerprint": fingerprint, "extent": asdict(extent)}
    text = json.dumps(told).encode()
    text = text.ljust(_padded(_HEAD.size + len(text)) - _HEAD.size)
    length = _length(shape)
    fields = _HEAD.pack(_MAGIC, _VERSION, len(text), length, zlib.crc32(text), body_sum)
    return fields + text, length


def _sections(shape: Shape) -> list[tuple[str, DTypeLike, tuple[int, ...]]]:
    starts = range(0, shape.rows, shape.block) if shape.depths else ()
    blocks = [(shape.lines, min(shape.block, shape.rows - start)) for start in starts]
    return [
        ("reach", np.float64, (2,)),
        ("centre", np.float64, (shape.dimension,)),
        ("basis", np.float64, (shape.dimension, shape.lines)),
        ("profile", np.float32, (len(shape.depths) + 1, shape.grid)),
        *((f"block {number}", np.float32, size) for number, size in enumerate(blocks)),
        ("cells", np.float32, shape.corners),
        ("vectors", np.float32, (shape.rows, shape.dimension)),
        ("halves", np.float32, (shape.rows,)),
        ("owners", np.int32, (shape.rows,)),
        ("living", np.bool_, (shape.people + 1,)),
        ("persons at", np.uint64, (shape.people + 1,)),
        ("persons", np.uint8, (shape.person_bytes,)),
        ("labels at", np.uint64, (shape.people + 1,)),
        ("labels", np.uint8, (shape.label_bytes,)),
        ("templates at", np.uint64, (shape.rows + 1,)),
        ("templates", np.uint8, (shape.template_bytes,)),
    ]


def _size(dtype: DTypeLike, size: tuple[int, ...]) -> int:
    return int(np.dtype(dtype).itemsize * np.prod(size, dtype=np.int64))


def _padded(size: int) -> int:
    return size + (-size % _STEP)


def _length(shape: Shape) -> int:
    return sum(_padded(_size(dtype, size)) for _, dtype, size in _sections(shape))


def _carve(buffer: memoryview, start: int, shape: Shape, fingerprint: str) -> GalleryArrays:
    found: dict[str, NDArray[Any]] = {}
    for name, dtype, size in _sections(shape):
        end = start + _size(dtype, size)
        found[name] = np.frombuffer(buffer[start:end], dtype).reshape(size)
        start = _padded(end)
    return GalleryArrays(
        shape=shape,
        fingerprint=fingerprint,
        reach=found["reach"],
        centre=found["centre"],
        basis=found["basis"],
        profile=found["profile"],
        blocks=tuple(array for name, array in found.items() if name.startswith("block ")),
        cells=found["cells"],
        vectors=found["vectors"],
        halves=found["halves"],
        owners=found["owners"],
        living=found["living"],
        persons=TextTable(found["persons at"], found["persons"]),
        labels=TextTable(found["labels at"], found["labels"]),
        templates=TextTable(found["templates at"], found["templates"]),
        buffer=buffer,
    )
