"""The search itself: every template within a distance of a probe, exactly, most of it on a few leading axes.

Read from top to bottom. Three sieves; each only lets go of what is certainly farther (`gallery_bound` proves it):

1. `_by_heads`: the heads of all templates, their leading principal axes, lie one axis behind the other in blocks, with
   −½‖head‖² as one more line: one matrix product per stripe of a block bounds every distance from below. An old basis
   lets more through, never less. Where that does not pay, `_by_vectors` multiplies the whole vectors.
2. `_finish`: what is left is compared over all components in float32,
3. and what is left then in float64, as a brute force would do it.

Shapes: b probes, d components, h axes of the heads, n templates.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.matching.gallery_axes import cheapest, share_below
from gateway.matching.gallery_bound import score_limit
from gateway.matching.gallery_layout import GalleryArrays

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]
Near = tuple[Rows, Doubles]

MOST_PROBES = 64  # at once; times _STRIPE the largest temporary, 4 MiB
_STRIPE = 16_384
_BATCH = 4  # as many probes are multiplied together, fewer one by one
_POOLED_PROBES, _POOLED_ROWS = 8, 1_000_000  # from here on a second thread gains
_FEW, _CHUNK = 48, 4_096
_ROUNDED = 1 + 2.0**-20
_REMEMBERED = 1_000
_NONE, _NO_DISTANCES = np.empty(0, np.intp), np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """A way to let go of most templates.

    Attributes:
        score: writes the scores (b, end - start) of the rows from start to end.
        limits: of each probe the least score that passes.
        width: rows that are scored at once.
    """

    score: Callable[[int, int, Singles], None]
    limits: list[float]
    width: int


class ExactSearch:
    """Searches the first `count` templates of a gallery; keeps nothing but what it knows about thresholds.

    Args:
        arrays: the gallery.
        count: n, how many templates a reader may look at.
        threads: to use where a second one gains: in batches of 8 and more over a million templates.
    """

    def __init__(self, arrays: GalleryArrays, count: int, threads: int) -> None:
        self._arrays = arrays
        self._vectors, self._halves = arrays.vectors[:count], arrays.halves[:count]
        self.threads = threads
        self._longest, self._longest_head = float(arrays.reach[0]), float(arrays.reach[1]) * _ROUNDED
        self._centre = float(np.linalg.norm(arrays.centre))
        self._half_lines = arrays.shape.half_lines
        self._shares: dict[float, float] = {}
        self._levels: dict[tuple[float, bool], int | None] = {}

    def near(self, probes: Singles, squares: Sequence[float], within: Sequence[float]) -> list[Near]:
        """Per probe the rows of all templates within its distance, ascending, and their distances in float64.

        Args:
            probes: (b, d), b at most `MOST_PROBES`.
            squares: b squared lengths of them.
            within: b distances, inclusive.
        """
        if len(probes) < _BATCH and not self._arrays.blocks:
            return list(map(self._small, probes, squares, within))
        if 1 < len(probes) < _BATCH:
            asked = zip(probes, squares, within, strict=True)
            return [near for p, square, t in asked for near in self.near(p[None], (square,), (t,))]
        sieve = self._by_heads(probes, squares, within) or self._by_vectors(probes, squares, within)
        pooled = len(probes) >= _POOLED_PROBES and len(self._vectors) >= _POOLED_ROWS
        threads = self.threads if pooled else 1
        if threads == 1:
            found = self._sift(sieve, range(0, len(self._vectors), sieve.width))
            return list(map(self._finish, probes, squares, within, found))
        starts = _shared(range(0, len(self._vectors), sieve.width), threads)
        with ThreadPoolExecutor(threads, "gallery") as pool:
            parts = pool.map(lambda part: self._sift(sieve, part), starts)
            found = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
            return list(pool.map(self._finish, probes, squares, within, found))

    def _small(self, probe: Singles, square: float, within: float) -> Near:
        """The same for a gallery without heads, with as few steps as can be."""
        limit = score_limit(within, square, terms=len(probe), longest=self._longest)
        scores = self._vectors @ probe
        scores -= self._halves
        return self._finish(probe, square, within, (scores >= limit).nonzero()[0])

    def samples(self, probes: Singles, squares: Sequence[float], within: Sequence[float], templates: int) -> list[Near]:
        """As `near`, but of the `templates` ones alone that have the best heads in the first stripe."""
        lines, count = self._arrays.shape.lines, min(_STRIPE, len(self._vectors))
        weights, _ = self._weights(probes, len(self._arrays.shape.depths) - 1)
        scores = weights @ self._arrays.blocks[0][:lines, :count]
        most = min(templates, count)
        best = np.sort(np.argpartition(scores, count - most, axis=1)[:, count - most :], axis=1)
        return list(map(self._finish, probes, squares, within, best))

    def _by_heads(self, probes: Singles, squares: Sequence[float], within: Sequence[float]) -> Sieve | None:
        """Scores a·b - ½‖a‖² of the heads; None where whole vectors cost less."""
        level = self._level(max(within), batch=len(probes) > 1)
        if level is None:
            return None
        shape, blocks, longest = self._arrays.shape, self._arrays.blocks, self._longest_head
        weights, head_squares = self._weights(probes, level)
        lines = weights.shape[1]
        limits = [
            score_limit(t, head, terms=lines, longest=longest, moved=longest + math.sqrt(square) + self._centre)
            for t, head, square in zip(within, head_squares, squares, strict=True)
        ]

        def score(start: int, end: int, into: Singles) -> None:
            number, column = divmod(start, shape.block)
            np.matmul(weights, blocks[number][:lines, column : column + end - start], out=into)

        return Sieve(score, limits, _STRIPE if len(probes) > 1 else shape.block)

    def _by_vectors(self, probes: Singles, squares: Sequence[float], within: Sequence[float]) -> Sieve:
        """Scores x·q - ½‖x‖² of the whole vectors."""
        vectors, halves, terms = self._vectors, self._halves, probes.shape[1]
        limits = [
            score_limit(t, square, terms=terms, longest=self._longest)
            for t, square in zip(within, squares, strict=True)
        ]

        def score(start: int, end: int, into: Singles) -> None:
            np.matmul(probes, vectors[start:end].T, out=into)
            into -= halves[start:end]

        return Sieve(score, limits, _STRIPE)

    def _weights(self, probes: Singles, level: int) -> tuple[Singles, list[float]]:
        """What the lines of a block are multiplied by (b, lines), and the squared lengths of the probes' heads."""
        halves = self._half_lines[: level + 1]
        lines = self._arrays.shape.depths[level] + level + 1
        weights = ((probes - self._arrays.centre) @ self._arrays.basis[:, :lines]).astype(np.float32)
        squares: list[float] = np.einsum("bl,bl->b", weights, weights, dtype=np.float64).tolist()
        weights[:, halves] = 1
        return weights, squares

    def _sift(self, sieve: Sieve, starts: Sequence[int]) -> list[Rows]:
        """Per probe the rows whose score reaches its limit, ascending, of the stripes that begin at `starts`."""
        count, rows = len(sieve.limits), len(self._vectors)
        room = np.empty(count * min(sieve.width, rows), np.float32)
        limits = np.array(sieve.limits, np.float32)[:, None]
        pieces: list[list[Rows]] = [[] for _ in range(count)]
        for start in starts:
            width = min(sieve.width, rows - start)
            scores = room[: count * width].reshape(count, width)
            sieve.score(start, start + width, scores)
            passed = (scores >= limits).ravel().nonzero()[0]
            if count == 1:
                pieces[0].append(passed + start)
                continue
            cuts = np.searchsorted(passed, np.arange(0, (count + 1) * width, width)).tolist()
            for index, (first, last) in enumerate(pairwise(cuts)):
                if last > first:
                    pieces[index].append(passed[first:last] + (start - index * width))
        return [np.concatenate(piece) if piece else _NONE for piece in pieces]

    def _finish(self, probe: Singles, square: float, within: float, rows: Rows) -> Near:
        """Of some rows those within the distance: sifted in float32 over all components, then measured in float64."""
        if not len(rows):
            return rows, _NO_DISTANCES
        if len(rows) > _FEW:
            limit = score_limit(within, square, terms=len(probe), longest=self._longest)
            scores = [self._vectors.take(part, axis=0) @ probe - self._halves.take(part) for part in _chunks(rows)]
            rows = rows[np.concatenate(scores) >= np.float32(limit)]
        exact = probe.astype(np.float64)
        measured = [_distances(self._vectors.take(part, axis=0), exact) for part in _chunks(rows)]
        distances = np.concatenate(measured) if measured else _NO_DISTANCES
        inside = distances <= within
        return rows[inside], distances[inside]

    def bytes_read(self, within: float) -> int:
        """Bytes of all templates that one probe's first sieve reads."""
        level, shape = self._level(within, batch=False), self._arrays.shape
        numbers = shape.dimension + 1 if level is None else shape.depths[level] + level + 1
        return len(self._vectors) * numbers * self._vectors.itemsize

    def share_within(self, within: float) -> float:
        """About which share of the templates lies within a distance of a probe; 0 for a gallery without heads."""
        if within not in self._shares:
            _forget(self._shares)
            known = bool(self._arrays.blocks)
            self._shares[within] = share_below(self._arrays.profile[-1], within) if known else 0.0
        return self._shares[within]

    def _level(self, within: float, *, batch: bool) -> int | None:
        """After which of the depths to stop for a threshold; None: compare whole vectors."""
        shape = self._arrays.shape
        if not shape.depths:
            return None
        key = (within, batch)
        if key not in self._levels:
            _forget(self._levels)
            self._levels[key] = cheapest(self._arrays.profile, shape.depths, shape.dimension, within, batch=batch)
        return self._levels[key]


def _forget(known: dict[Any, Any]) -> None:
    if len(known) > _REMEMBERED:
        known.clear()


def _distances(vectors: Singles, probe: Doubles) -> Doubles:
    differences = vectors - probe
    squares: Doubles = np.einsum("nd,nd->n", differences, differences)
    return np.sqrt(squares)


def _chunks(rows: Rows) -> list[Rows]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


def _shared(starts: range, threads: int) -> list[range]:
    """The starts in order, in as many parts of like size as there are threads."""
    size = max(1, -(-len(starts) // threads))
    return [starts[first : first + size] for first in range(0, len(starts), size)]
