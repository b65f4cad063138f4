"""The search itself: every template within a distance of a probe, exactly, most of it on a few leading axes.

Read from top to bottom. Three sieves; each only lets go of what is certainly farther (`gallery_bound` proves it):

1. `_by_heads`: the heads of all templates, their leading principal axes, lie one axis behind the other in blocks, with
   −½‖head‖² as one more line: one matrix product per stripe of a block bounds every distance from below. An old basis
   lets more through, never less. Where that does not pay, `_by_vectors` multiplies the whole vectors. In a large
   gallery templates lie in cells (`gallery_cells`), and those whose corners are too far away are passed over.
2. `_finish`: what is left is compared over all components in float32,
3. and what is left then in float64, as a brute force would do it.

Shapes: b probes, d components, h axes of the heads, n templates.
"""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.matching.gallery_axes import LEAST_BATCH, cheapest, share_below
from gateway.matching.gallery_bound import head_reach, score_limit
from gateway.matching.gallery_cells import Cells
from gateway.matching.gallery_layout import STRIPE, GalleryArrays
from gateway.matching.gallery_values import Doubles, Probes, Singles, lengths_squared

Rows = NDArray[np.intp]
Near = tuple[Rows, Doubles]
Map = Callable[..., Iterable[Near]]
Chosen = slice | Rows

MOST_PROBES = 64  # at once; times STRIPE the largest temporary, 4 MiB
_POOLED_PROBES, _POOLED_ROWS = 8, 1_000_000  # from here on a second thread gains
_FEW, _CHUNK, _SMALL = 8, 2_048, 4_096
_ROUNDED = 1 + 2.0**-20
_REMEMBERED = 1_000
_NONE = np.empty(0, np.intp)
_NOBODY = (_NONE, np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """A way to let go of most templates.

    Attributes:
        score: writes the scores (chosen, end - start) of the rows from start to end, which are of one stripe or cell.
        limits: of each probe the least score that passes.
        near: (b, cells) which cells are worth a look; None where there are none.
    """

    score: Callable[[Chosen, int, int, Singles], None]
    limits: list[float]
    near: NDArray[np.bool_] | None = None


class ExactSearch:
    """Searches the first `count` templates of a gallery; keeps nothing but what it knows about thresholds.

    Args:
        arrays: the gallery.
        count: n, how many templates a reader may look at.
        threads: to use where a second one gains: in batches of 8 and more over a million templates.
    """

    def __init__(self, arrays: GalleryArrays, count: int, threads: int) -> None:
        self._arrays, self.threads = arrays, threads
        self._longest, self._longest_head = float(arrays.reach[0]), float(arrays.reach[1]) * _ROUNDED
        self._centre, self._offset = float(np.linalg.norm(arrays.centre)), arrays.centre @ arrays.basis
        self._ones = np.zeros(arrays.shape.lines, np.float32)
        self._ones[arrays.shape.half_lines] = 1
        self._lenses: dict[int, tuple[Doubles, Doubles, Singles]] = {}
        self._shares: dict[float, float] = {}
        self._levels: dict[tuple[float, int], int | None] = {}
        self._look_at(count)

    def _look_at(self, count: int) -> None:
        self._vectors, self._halves = self._arrays.vectors[:count], self._arrays.halves[:count]
        self._prefixes: dict[int, list[Singles]] = {}
        self._across: Singles | None = None
        self._cells = Cells(self._arrays, count) if self._arrays.shape.cell and count else None

    def up_to(self, count: int) -> "ExactSearch":
        """The same over another number of templates; what is known about thresholds is shared."""
        other = copy.copy(self)
        other._look_at(count)  # noqa: SLF001 # its own kind
        return other

    def near(self, probes: Probes, within: Sequence[float]) -> list[Near]:
        """Per probe the rows of all templates within its distance, ascending, and their distances in float64.

        Args:
            probes: b of them, at most `MOST_PROBES`.
            within: b distances, inclusive.
        """
        if len(within) == 1:
            return [self._near_one(probes, within[0])]
        if len(within) < LEAST_BATCH:
            return [self._near_one(probes.part(at, at + 1), t) for at, t in enumerate(within)]
        sieve = self._by_heads(probes, within) or self._by_vectors(probes, within)
        starts = self._starts(sieve)
        if self.threads == 1 or len(probes) < _POOLED_PROBES or len(self._vectors) < _POOLED_ROWS:
            return self._finished(map, probes, within, self._sift(sieve, starts))
        with ThreadPoolExecutor(self.threads, "gallery") as pool:
            parts = pool.map(lambda part: self._sift(sieve, part), _shared(starts, self.threads))
            found = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
            return self._finished(pool.map, probes, within, found)

    def _starts(self, sieve: Sieve) -> Sequence[int]:
        """Where the stripes begin, or the cells that are worth a look for some probe."""
        if self._cells is None or sieve.near is None:
            return range(0, len(self._vectors), STRIPE)
        wanted: NDArray[np.bool_] = np.logical_or.reduce(sieve.near)
        return [self._cells.size * cell for cell in wanted.nonzero()[0].tolist()]

    def _near_one(self, probe: Probes, within: float) -> Near:
        """The same for one probe (1, d), in as few steps as can be: in a small gallery they cost more than the sums."""
        level = self._level(within, 1)
        rows = self._one_by_vectors(probe, within) if level is None else self._one_by_heads(probe, within, level)
        return self._finish(probe.single[0], probe.double[0], probe.squares[0], within, rows)

    def _one_by_heads(self, probe: Probes, within: float, level: int) -> Rows:
        weights, square = self._weights_of_one(probe.double[0], level)
        moved = self._moved(probe.squares[0])
        limit = self._head_limit(within, square, moved, len(weights))
        blocks, width = self._heads(level), self._arrays.shape.block
        if self._cells is None:
            return _joined([_passing(block.T @ weights, limit, width * number) for number, block in enumerate(blocks)])
        near = self._near_cells(self._cells, weights[None], [head_reach(within, moved)])[0]
        return _joined(
            [
                _passing(blocks[number][:, first:end].T @ weights, limit, width * number + first)
                for number, first, end in self._cells.cuts(near.nonzero()[0].tolist())
            ]
        )

    def _near_cells(self, cells: Cells, weights: Singles, reaches: list[float]) -> NDArray[np.bool_]:
        """Which cells can hold a template within reach of each probe (b, lines); line 0 of a block is a half square."""
        return cells.near(weights[:, 1 : 1 + self._arrays.shape.depths[0]], reaches)

    def _one_by_vectors(self, probe: Probes, within: float) -> Rows:
        limit = score_limit(within, probe.squares[0], terms=self._vectors.shape[1], longest=self._longest)
        single, pieces = probe.single[0], []
        if 0 < len(self._vectors) <= _SMALL:
            if self._across is None:  # one component behind the other is read a third faster than row by row
                self._across = np.ascontiguousarray(self._vectors.T)
            scores = single.dot(self._across)
            scores -= self._halves
            return _passing(scores, limit, 0) if scores[scores.argmax()] >= limit else _NONE
        for start in range(0, len(self._vectors), STRIPE):
            scores = self._vectors[start : start + STRIPE] @ single
            scores -= self._halves[start : start + STRIPE]
            pieces.append(_passing(scores, limit, start))
        return _joined(pieces)

    def samples(self, probes: Probes, within: Sequence[float], templates: int) -> list[Near]:
        """As `near`, but of the `templates` ones alone that have the best heads in the first stripe or a near cell."""
        level = len(self._arrays.shape.depths) - 1
        weights, _ = self._weights(probes, level)
        if self._cells is None:
            best = _best(weights @ self._heads(level)[0][:, :STRIPE], templates)
            return self._finished(map, probes, within, best)
        around = self._cells.around(weights[:, 1 : 1 + self._arrays.shape.depths[0]])
        heads = self._heads(level)
        found = [_best_in(heads, self._cells, cell, weights[at : at + 1], templates) for at, cell in enumerate(around)]
        return self._finished(map, probes, within, found)

    def _by_heads(self, probes: Probes, within: Sequence[float]) -> Sieve | None:
        """Scores a·b - ½‖a‖² of the heads; None where whole vectors cost less."""
        level = self._level(max(within), len(probes))
        if level is None:
            return None
        weights, head_squares = self._weights(probes, level)
        lines, width, blocks = weights.shape[1], self._arrays.shape.block, self._heads(level)
        moved = [self._moved(square) for square in probes.squares]
        limits = [
            self._head_limit(t, head, way, lines) for t, head, way in zip(within, head_squares, moved, strict=True)
        ]

        def score(chosen: Chosen, start: int, end: int, into: Singles) -> None:
            number, column = divmod(start, width)
            np.matmul(weights[chosen], blocks[number][:, column : column + end - start], out=into)

        if self._cells is None:
            return Sieve(score, limits)
        reaches = [head_reach(t, way) for t, way in zip(within, moved, strict=True)]
        return Sieve(score, limits, self._near_cells(self._cells, weights, reaches))

    def _by_vectors(self, probes: Probes, within: Sequence[float]) -> Sieve:
        """Scores x·q - ½‖x‖² of the whole vectors."""
        vectors, halves, terms = self._vectors, self._halves, self._vectors.shape[1]
        limits = [
            score_limit(t, square, terms=terms, longest=self._longest)
            for t, square in zip(within, probes.squares, strict=True)
        ]

        def score(chosen: Chosen, start: int, end: int, into: Singles) -> None:
            np.matmul(probes.single[chosen], vectors[start:end].T, out=into)
            into -= halves[start:end]

        return Sieve(score, limits)

    def _weights(self, probes: Probes, level: int) -> tuple[Singles, list[float]]:
        """What the lines of a block are multiplied by (b, lines), and the squared lengths of the probes' heads."""
        lines = self._arrays.shape.depths[level] + level + 1
        weights = (probes.double @ self._arrays.basis[:, :lines] - self._offset[:lines]).astype(np.float32)
        squares = lengths_squared(weights.astype(np.float64))
        weights += self._ones[:lines]  # where they are zero yet: each half square counts once
        return weights, squares

    def _weights_of_one(self, exact: Doubles, level: int) -> tuple[Singles, float]:
        """The same for one probe (d,), with what every probe needs made once."""
        if level not in self._lenses:
            lines = self._arrays.shape.depths[level] + level + 1
            basis = np.ascontiguousarray(self._arrays.basis[:, :lines])
            self._lenses[level] = basis, self._offset[:lines], self._ones[:lines]
        basis, offset, ones = self._lenses[level]
        head = exact.dot(basis)
        head -= offset
        weights = head.astype(np.float32)
        head = weights.astype(np.float64)
        square = float(head.dot(head))
        weights += ones
        return weights, square

    def _moved(self, square: float) -> float:
        """What bounds the rounding of the heads, by the squared length of a probe: `moved` of `score_limit`."""
        return self._longest_head + self._centre + math.sqrt(square)

    def _head_limit(self, within: float, head: float, moved: float, lines: int) -> float:
        """The least score of a head; `head` is the squared length of the probe's head."""
        return score_limit(within, head, terms=lines, longest=self._longest_head, moved=moved)

    def _heads(self, level: int) -> list[Singles]:
        """The leading lines of all blocks, as far as this search looks."""
        if level not in self._prefixes:
            lines = self._arrays.shape.depths[level] + level + 1
            starts = range(0, len(self._vectors), self._arrays.shape.block)
            self._prefixes[level] = [
                block[:lines, : len(self._vectors) - start]
                for start, block in zip(starts, self._arrays.blocks, strict=False)
            ]
        return self._prefixes[level]

    def _sift(self, sieve: Sieve, starts: Sequence[int]) -> list[Rows]:
        """Per probe the rows whose score reaches its limit, ascending, of the stripes or cells at `starts`."""
        count, rows = len(sieve.limits), len(self._vectors)
        size = STRIPE if sieve.near is None or self._cells is None else self._cells.size
        room = np.empty(count * min(size, rows), np.float32)
        limits = np.array(sieve.limits, np.float32)[:, None]
        pieces: list[list[Rows]] = [[] for _ in range(count)]
        for start in starts:
            width = min(size, rows - start)
            chosen, numbers = _chosen(sieve, start // size)
            scores = room[: len(numbers) * width].reshape(len(numbers), width)
            sieve.score(chosen, start, start + width, scores)
            passed = (scores >= limits[chosen]).ravel().nonzero()[0]
            cuts = np.searchsorted(passed, np.arange(0, (len(numbers) + 1) * width, width)).tolist()
            for index, (first, last) in enumerate(pairwise(cuts)):
                if last > first:
                    pieces[numbers[index]].append(passed[first:last] + (start - index * width))
        return list(map(_joined, pieces))

    def _finished(self, mapped: Map, probes: Probes, within: Sequence[float], found: Iterable[Rows]) -> list[Near]:
        """`_finish` for every probe, by `map` or that of a pool."""
        return list(mapped(self._finish, probes.single, probes.double, probes.squares, within, found))

    def _finish(self, probe: Singles, exact: Doubles, square: float, within: float, rows: Rows) -> Near:
        """Of some rows those within the distance: sifted in float32 over all components, then measured in float64."""
        if len(rows) <= _FEW:
            return _measured(rows, self._vectors.take(rows, axis=0), exact, within) if len(rows) else _NOBODY
        limit, found = score_limit(within, square, terms=len(probe), longest=self._longest), []
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            vectors = self._vectors.take(part, axis=0)
            scores = vectors @ probe
            scores -= self._halves.take(part)
            passed = (scores >= limit).nonzero()[0]
            if len(passed):
                found.append(_measured(part.take(passed), vectors.take(passed, axis=0), exact, within))
        if len(found) == 1:
            return found[0]
        return (_joined([near[0] for near in found]), _joined([near[1] for near in found])) if found else _NOBODY

    def bytes_read(self, probe: Probes, within: float) -> int:
        """Bytes that the first sieve reads for one probe (1, d)."""
        level, shape, rows = self._level(within, 1), self._arrays.shape, len(self._vectors)
        if level is None:
            return rows * (shape.dimension + 1) * self._vectors.itemsize
        if self._cells is not None:
            weights, _ = self._weights_of_one(probe.double[0], level)
            near = self._near_cells(self._cells, weights[None], [head_reach(within, self._moved(probe.squares[0]))])
            rows = min(rows, int(near.sum()) * self._cells.size)
        return rows * (shape.depths[level] + level + 1) * self._vectors.itemsize

    def share_within(self, within: float) -> float:
        """About which share of the templates lies within a distance of a probe; 0 for a gallery without heads."""
        if within not in self._shares:
            _forget(self._shares)
            known = bool(self._arrays.blocks)
            self._shares[within] = share_below(self._arrays.profile[-1], within) if known else 0.0
        return self._shares[within]

    def _level(self, within: float, batch: int) -> int | None:
        """After which of the depths to stop for a threshold; None: compare whole vectors."""
        shape = self._arrays.shape
        if not shape.depths:
            return None
        key = (within, batch)
        if key not in self._levels:
            _forget(self._levels)
            self._levels[key] = cheapest(self._arrays.profile, shape.depths, shape.dimension, within, batch)
        return self._levels[key]


def _forget(known: dict[Any, Any]) -> None:
    if len(known) > _REMEMBERED:
        known.clear()


def only(kept: NDArray[np.bool_], rows: Rows, distances: Doubles) -> Near:
    """The rows and distances that are kept; without a copy where all are, as mostly."""
    return (rows, distances) if np.count_nonzero(kept) == len(kept) else (rows[kept], distances[kept])


def _measured(rows: Rows, vectors: Singles, probe: Doubles, within: float) -> Near:
    """Of some rows with their vectors (m, d) those within the distance of a probe (d,), measured in float64."""
    differences = vectors - probe
    distances = np.sqrt(np.einsum("nd,nd->n", differences, differences))
    return only(distances <= within, rows, distances)


def _chosen(sieve: Sieve, cell: int) -> tuple[Chosen, Sequence[int]]:
    """For which probes a stripe or cell is worth a look: to index with, and their numbers."""
    count = len(sieve.limits)
    if sieve.near is None:
        return slice(None), range(count)
    chosen = sieve.near[:, cell].nonzero()[0]
    return (slice(None), range(count)) if len(chosen) == count else (chosen, chosen.tolist())


def _best(scores: Singles, count: int) -> Rows:
    """Of each row of scores (b, n) the places (b, most) of the best, ascending, at most `count`."""
    width = scores.shape[1]
    most = min(count, width)
    return np.sort(np.argpartition(scores, width - most, axis=1)[:, width - most :], axis=1)


def _best_in(heads: list[Singles], cells: Cells, cell: int, weights: Singles, count: int) -> Rows:
    """Of one cell the rows of those at most `count` whose heads are best for one probe (1, lines)."""
    ((number, first, end),) = cells.cuts([cell])
    best: Rows = _best(weights @ heads[number][:, first:end], count)[0] + cell * cells.size
    return best


def _passing(scores: Singles, limit: float, start: int) -> Rows:
    """The rows, counted from `start`, whose score reaches the limit."""
    passed = (scores >= limit).nonzero()[0]
    return passed + start if start else passed


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else _NONE


def _shared(starts: Sequence[int], threads: int) -> list[Sequence[int]]:
    """The starts in order, in as many parts of like size as there are threads; of none one part without any."""
    size = max(1, -(-len(starts) // threads))
    return [starts[first : first + size] for first in range(0, max(1, len(starts)), size)]
