"""Fills a gallery's arrays: templates as enrolled, and their heads along the principal axes."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.matching.gallery_axes import Axes, fit
from gateway.matching.gallery_layout import STRIPE, Allocate, Extent, GalleryArrays, Shape, allocate_arrays
from gateway.matching.gallery_values import TemplateTable

# Fewer templates than this are all compared sooner than a bound on them.
LEAST_PRUNED = 4_096
_BLOCK, _LARGE_BLOCK, _LARGE = STRIPE, 4 * STRIPE, 200_000
_CHUNK = 8_192
_HEADROOM = 1.25


def fresh_memory(size: int) -> memoryview:
    """Zeroed memory of this process, at an address that is a multiple of 64."""
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return memoryview(room[start : start + size])  # type: ignore[arg-type] # an array has the buffer protocol


def fill(
    table: TemplateTable, fingerprint: str, revision: int, *, spare: float = 0.0, allocate: Allocate = fresh_memory
) -> tuple[GalleryArrays, Extent]:
    """The arrays of a gallery, with room for `spare` times as many more templates.

    Args:
        table: checked.
        fingerprint: of the embedder.
        revision: of the watch-list.
        spare: 0 for a gallery that stays as it is.
        allocate: gives zeroed memory of a size.
    """
    axes = fit(table.vectors, LEAST_PRUNED)
    persons = {person: number for number, person in enumerate(dict.fromkeys(table.persons))}
    shape, texts = _shape(table, axes, list(persons), spare)
    extent = Extent(len(table.vectors), len(persons), len(table.vectors), len(persons), revision)
    arrays = allocate_arrays(shape, fingerprint, extent, allocate)
    arrays.centre[:], arrays.profile[:] = axes.centre, axes.profile
    arrays.basis[:, _axis_lines(shape)] = axes.basis
    for into, listed in zip((arrays.persons, arrays.labels, arrays.templates), texts, strict=True):
        into.fill(listed)
    arrays.living[: len(persons)] = True
    arrays.owners[: extent.rows] = [persons[person] for person in table.persons]
    for start in range(0, extent.rows, _CHUNK):
        put_vectors(arrays, start, table.vectors[start : start + _CHUNK])
    arrays.reach[:] *= _HEADROOM if spare else 1.0
    return arrays, extent


def _shape(
    table: TemplateTable, axes: Axes, persons: list[str], spare: float
) -> tuple[Shape, tuple[list[bytes], list[bytes], list[bytes]]]:
    names = [person.encode() for person in persons]
    labels = [table.labels.get(person, "").encode() for person in persons]
    ids = [template.encode() for template in table.templates]
    rows, least = len(ids), 64 if spare else 0
    sizes = [sum(map(len, texts)) for texts in (names, labels, ids)]
    people, rows, name_bytes, label_bytes, id_bytes = (
        int(size * (1 + spare)) + extra
        for size, extra in zip(
            (len(names), rows, *sizes), (least, least, 64 * least, 64 * least, 64 * least), strict=True
        )
    )
    block = _LARGE_BLOCK if rows > _LARGE else _BLOCK
    shape = Shape(
        dimension=table.vectors.shape[1],
        depths=axes.depths,
        block=block,
        grid=axes.profile.shape[1],
        rows=rows,
        people=people,
        person_bytes=name_bytes,
        template_bytes=id_bytes,
        label_bytes=label_bytes,
    )
    return shape, (names, labels, ids)


def put_vectors(arrays: GalleryArrays, start: int, vectors: NDArray[np.float32]) -> None:
    """Write templates (m, d) at rows `start` and following; `reach` grows with them."""
    rows = slice(start, start + len(vectors))
    double = vectors.astype(np.float64)
    squares = np.einsum("nd,nd->n", double, double)
    arrays.vectors[rows], arrays.halves[rows] = vectors, 0.5 * squares
    moved = double - arrays.centre
    reach = np.sqrt([squares.max(), np.einsum("nd,nd->n", moved, moved).max()])
    np.maximum(arrays.reach, reach * (1 + 2.0**-30), out=arrays.reach)
    if arrays.blocks:
        _put_heads(arrays, start, (moved @ arrays.basis).astype(np.float32))


def _put_heads(arrays: GalleryArrays, start: int, heads: NDArray[np.float32]) -> None:
    """Write heads (m, lines), whose half squares are still zero."""
    halves = [*arrays.shape.half_lines, arrays.shape.lines]
    for first, last in pairwise(halves):
        heads[:, first] = -0.5 * np.einsum("na,na->n", heads[:, first:last], heads[:, first:last], dtype=np.float64)
    width, at = arrays.shape.block, 0
    while at < len(heads):
        number, column = divmod(start + at, width)
        part = heads[at : at + width - column]
        arrays.blocks[number][:, column : column + len(part)] = part.T
        at += len(part)


def _axis_lines(shape: Shape) -> list[int]:
    return [line for line in range(shape.lines) if line not in shape.half_lines]


def far_reach(arrays: GalleryArrays, vectors: NDArray[np.float32]) -> bool:
    """Whether one of the vectors (m, d) is longer, or farther from the centre, than `reach` promises to readers."""
    double = vectors.astype(np.float64)
    longest = np.sqrt(np.einsum("nd,nd->n", double, double).max())
    farthest = np.sqrt(np.square(double - arrays.centre).sum(axis=1).max())
    return bool(longest > arrays.reach[0] * (1 - 2.0**-30) or farthest > arrays.reach[1] * (1 - 2.0**-30))
