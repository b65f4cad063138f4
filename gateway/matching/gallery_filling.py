"""Fills a gallery's arrays: templates as enrolled, and their heads along the principal axes."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.matching.gallery_axes import Axes, fit
from gateway.matching.gallery_cells import arrangement
from gateway.matching.gallery_layout import STRIPE, Allocate, Extent, GalleryArrays, Shape, allocate_arrays
from gateway.matching.gallery_values import TemplateTable

# Fewer templates than this are all compared sooner than a bound on them.
LEAST_PRUNED = 4_096
# From so many on blocks are large, and templates are kept in cells: fewer are read sooner than cells are told apart.
LARGE = 200_000
_BLOCK, _LARGE_BLOCK, _CELL = STRIPE, 4 * STRIPE, STRIPE // 2
_CHUNK = 8_192
_HEADROOM = 1.25


def fresh_memory(size: int) -> memoryview:
    """Zeroed memory of this process, at an address that is a multiple of 64."""
    room = np.zeros(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return memoryview(room[start : start + size])  # type: ignore[arg-type] # an array has the buffer protocol


def arranged(table: TemplateTable) -> tuple[TemplateTable, Axes]:
    """The templates in the order in which a gallery keeps them, and their principal axes.

    A large gallery keeps together what lies together (`gallery_cells`); a smaller one keeps the order as it is.
    """
    axes = fit(table.vectors, LEAST_PRUNED)
    if len(table.vectors) < LARGE or not axes.depths:
        return table, axes
    basis = axes.basis[:, : axes.depths[0]]
    heads = np.empty((len(table.vectors), basis.shape[1]), np.float32)
    for start in range(0, len(heads), _CHUNK):
        heads[start : start + _CHUNK] = (table.vectors[start : start + _CHUNK] - axes.centre) @ basis
    order = arrangement(heads, _CELL)
    places = order.tolist()
    persons, templates = [table.persons[at] for at in places], [table.templates[at] for at in places]
    return TemplateTable(table.vectors.take(order, axis=0), persons, templates, table.labels), axes


def fill(
    table: TemplateTable,
    axes: Axes,
    fingerprint: str,
    revision: int,
    *,
    spare: float = 0.0,
    allocate: Allocate = fresh_memory,
) -> tuple[GalleryArrays, Extent]:
    """The arrays of a gallery, with room for `spare` times as many more templates.

    Args:
        table: checked, and `arranged` with its axes.
        axes: from there.
        fingerprint: of the embedder.
        revision: of the watch-list.
        spare: 0 for a gallery that stays as it is.
        allocate: gives zeroed memory of a size.
    """
    persons = {person: number for number, person in enumerate(dict.fromkeys(table.persons))}
    shape, texts = _shape(table, axes, list(persons), spare)
    extent = Extent(len(table.vectors), len(persons), len(table.vectors), len(persons), revision)
    arrays = allocate_arrays(shape, fingerprint, extent, allocate)
    arrays.centre[:], arrays.profile[:] = axes.centre, axes.profile
    arrays.cells[:, 0], arrays.cells[:, 1] = np.inf, -np.inf
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
    shape = Shape(
        dimension=table.vectors.shape[1],
        depths=axes.depths,
        block=_LARGE_BLOCK if rows > LARGE else _BLOCK,
        cell=_CELL if axes.depths and len(ids) >= LARGE else 0,
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
    if arrays.shape.cell:
        _widen_cells(arrays, start, heads[:, 1 : 1 + arrays.shape.depths[0]])


def _widen_cells(arrays: GalleryArrays, start: int, heads: NDArray[np.float32]) -> None:
    """Let the cells of the rows from `start` on reach as far as their heads (m, axes); they only ever grow."""
    at = 0
    while at < len(heads):
        number, place = divmod(start + at, arrays.shape.cell)
        part = heads[at : at + arrays.shape.cell - place]
        low, high = arrays.cells[number]
        np.minimum(low, part.min(axis=0), out=low)
        np.maximum(high, part.max(axis=0), out=high)
        at += len(part)


def _axis_lines(shape: Shape) -> list[int]:
    return [line for line in range(shape.lines) if line not in shape.half_lines]


def far_reach(arrays: GalleryArrays, vectors: NDArray[np.float32]) -> bool:
    """Whether one of the vectors (m, d) is longer, or farther from the centre, than `reach` promises to readers."""
    double = vectors.astype(np.float64)
    longest = np.sqrt(np.einsum("nd,nd->n", double, double).max())
    farthest = np.sqrt(np.square(double - arrays.centre).sum(axis=1).max())
    return bool(longest > arrays.reach[0] * (1 - 2.0**-30) or farthest > arrays.reach[1] * (1 - 2.0**-30))
