"""The gallery in little memory: int8 along the principal axes as an exact bound, the originals sealed in a file.

At most 180 bytes of memory a template of 128 components: a head and the whole vector in int8, and their half squares.
The step of each component is its largest value over 127, so that a template x and its copy x' differ by at most e,
which is measured. ‖x - q‖ ≤ t then implies ‖x' - q‖ ≤ t + e, and the proof of `score_limit` holds for the copies with
t + e. Who passes is read from the file, nearest copies first, and measured in float64.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.matching.gallery_axes import fit, principal
from gateway.matching.gallery_bound import score_limit
from gateway.matching.gallery_filling import LEAST_PRUNED
from gateway.matching.gallery_fixed import FixedGallery
from gateway.matching.gallery_values import (
    Candidate,
    TemplateRow,
    TemplateTable,
    check_question,
    checked,
    tabled,
)
from gateway.matching.sealed_rows import SealedRows

_STEPS = 127
_DEEPEST_HEAD = 32
_CHUNK, _STRIPE, _PROBES, _READ = 8_192, 4_096, 64, 64
_DECODED = 2**18  # numbers of decoded copies at once: 1 MiB
# More than float64's rounding of a residual's length, and of what a copy's step is multiplied with.
_ROUNDED = 1 + 2.0**-20
_NOBODY = (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))
Copies = NDArray[np.int8]
Passed = tuple[NDArray[np.intp], NDArray[np.float32]]


class CompactGallery(FixedGallery):
    """The templates of the watch-list in int8, the originals in a sealed file; unchanging, answers as `Gallery` does.

    Args:
        rows: all made by the embedder that `fingerprint` names.
        fingerprint: of the embedder.
        dimension: components of a vector.
        folder: where the file of the originals lies; it has no name there and ends with this object.
        revision: of the watch-list.

    Raises:
        GalleryError: as `Gallery.build`.
    """

    def __init__(
        self,
        rows: Iterable[TemplateRow] | TemplateTable,
        *,
        fingerprint: str,
        dimension: int,
        folder: Path,
        revision: int = 0,
    ) -> None:
        table = tabled(rows, dimension)
        super().__init__(table, fingerprint=fingerprint, dimension=dimension, revision=revision)
        self._centre, self._basis = _axes(table.vectors)
        self._steps = self._fitting_steps(table.vectors)
        depths = [depth for depth in fit(table.vectors, LEAST_PRUNED).depths if depth <= _DEEPEST_HEAD]
        self._depth = max(depths, default=0)
        self._copy(table.vectors)
        self._originals = SealedRows(folder, zip(table.persons, table.templates, table.vectors, strict=True), dimension)

    def _rotated(self, vectors: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        for start in range(0, len(vectors), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield part, (vectors[part] - self._centre) @ self._basis

    def _fitting_steps(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        largest = np.zeros(self._dimension)
        for _, rotated in self._rotated(vectors):
            np.maximum(largest, np.abs(rotated).max(axis=0), out=largest)
        return np.maximum(largest, 1e-30) / _STEPS

    def _copy(self, vectors: NDArray[np.float32]) -> None:
        count, depth = len(vectors), self._depth
        self._whole = np.empty((count, self._dimension), np.int8)
        self._whole_halves = np.empty(count, np.float32)
        self._head = np.empty((depth, count), np.int8)
        self._head_halves = np.empty(count if depth else 0, np.float32)
        self._error = self._head_error = self._longest = self._longest_head = self._farthest = 0.0
        for part, rotated in self._rotated(vectors):
            steps = np.rint(rotated / self._steps)
            copies = steps * self._steps
            self._whole[part], self._whole_halves[part] = steps, 0.5 * (copies**2).sum(axis=1)
            self._error = max(self._error, _longest(rotated - copies))
            self._longest = max(self._longest, _longest(copies))
            self._farthest = max(self._farthest, _longest(rotated))
            if depth:
                self._head[:, part], self._head_halves[part] = steps[:, :depth].T, 0.5 * (copies[:, :depth] ** 2).sum(1)
                self._head_error = max(self._head_error, _longest((rotated - copies)[:, :depth]))
                self._longest_head = max(self._longest_head, _longest(copies[:, :depth]))

    @property
    def memory_bytes(self) -> int:
        """Memory of what grows with the templates."""
        arrays = (self._whole, self._whole_halves, self._head, self._head_halves)
        return sum(each.nbytes for each in arrays) + self._originals.memory_bytes

    @property
    def file_bytes(self) -> int:
        """Length of the file of the originals."""
        return self._originals.file_bytes

    def identify(self, probes: ArrayLike, within: float, k: int) -> tuple[tuple[Candidate, ...], ...]:
        """For each probe the nearest persons, nearest first; see `Gallery.identify`.

        Raises:
            GalleryError: as there.
            SealError: the file of the originals was changed.
        """
        found = checked(probes, self._dimension, "probes")
        check_question(within, k)
        answers: list[tuple[Candidate, ...]] = []
        for start in range(0, len(found), _PROBES):
            answers += self._people(found.single[start : start + _PROBES], within, k)
        return tuple(answers)

    def _people(self, probes: NDArray[np.float32], within: float, k: int) -> list[tuple[Candidate, ...]]:
        rotated = ((probes - self._centre) @ self._basis).astype(np.float32)
        weights = (rotated * self._steps).astype(np.float32)
        if self._depth:
            heads = self._by_heads(rotated, weights, within)
            passed = list(map(self._by_copies, rotated, weights, heads, [within] * len(probes)))
        else:
            passed = self._by_all_copies(rotated, weights, within)
        return [
            self._best(probe, place, rows, scores, within, k)
            for probe, place, (rows, scores) in zip(probes, rotated, passed, strict=True)
        ]

    def _limit(self, place: NDArray[np.float32], within: float, *, head: bool) -> float:
        """The least score of a copy that can be within the distance of a probe, along the head or all axes."""
        square = float(np.einsum("d,d->", place, place, dtype=np.float64))
        error, longest = (self._head_error, self._longest_head) if head else (self._error, self._longest)
        moved = 2 * (self._farthest + math.sqrt(square) + float(np.linalg.norm(self._centre)))
        return score_limit(
            within + error * _ROUNDED, square, terms=len(place) + 2, longest=longest * _ROUNDED, moved=moved
        )

    def _by_heads(
        self, rotated: NDArray[np.float32], weights: NDArray[np.float32], within: float
    ) -> list[NDArray[np.intp]]:
        depth = self._depth
        limits = np.array([self._limit(place[:depth], within, head=True) for place in rotated], np.float32)
        pieces: list[list[NDArray[np.intp]]] = [[np.empty(0, np.intp)] for _ in rotated]
        for start in range(0, len(self), _STRIPE):
            stripe = self._head[:, start : start + _STRIPE].astype(np.float32)
            scores = weights[:, :depth] @ stripe - self._head_halves[start : start + _STRIPE]
            for index, passed in enumerate(scores >= limits[:, None]):
                pieces[index].append(np.flatnonzero(passed) + start)
        return [np.concatenate(piece) for piece in pieces]

    def _best(
        self,
        probe: NDArray[np.float32],
        place: NDArray[np.float32],
        rows: NDArray[np.intp],
        scores: NDArray[np.float32],
        within: float,
        k: int,
    ) -> tuple[Candidate, ...]:
        """The nearest people among the rows, whose copies have these scores; the best are read from the file first."""
        order = np.argsort(-scores, kind="stable")
        best: dict[str, tuple[float, int, str]] = {}
        for start in range(0, len(order), _READ):
            part = order[start : start + _READ]
            if len(best) >= k:
                reached = sorted(best.values())[k - 1][0]
                if scores[part[0]] < self._limit(place, reached, head=False):
                    break
            for row, original in zip(rows[part].tolist(), self._originals.read(rows[part].tolist()), strict=True):
                far = float(np.linalg.norm(original.vector.astype(np.float64) - probe))
                if far <= within and (far, row) < best.get(original.person, (math.inf, 0))[:2]:
                    best[original.person] = (far, row, original.template)
        people = sorted(best.items(), key=lambda entry: entry[1])[:k]
        return tuple(Candidate(person, template, far) for person, (far, _, template) in people)

    def _by_copies(
        self, place: NDArray[np.float32], weight: NDArray[np.float32], rows: NDArray[np.intp], within: float
    ) -> Passed:
        """Of some rows those whose whole copies can be within the distance of one probe."""
        limit = np.float32(self._limit(place, within, head=False))
        kept, scored = [np.empty(0, np.intp)], [np.empty(0, np.float32)]
        for start in range(0, len(rows), _STRIPE):
            some = rows[start : start + _STRIPE]
            scores = self._whole.take(some, axis=0).astype(np.float32) @ weight - self._whole_halves[some]
            passed = scores >= limit
            kept.append(some[passed])
            scored.append(scores[passed])
        return np.concatenate(kept), np.concatenate(scored)

    def _by_all_copies(self, rotated: NDArray[np.float32], weights: NDArray[np.float32], within: float) -> list[Passed]:
        """The same of all rows, for all probes: each copy is decoded once, as many at a time as a cache holds."""
        limits = np.array([self._limit(place, within, head=False) for place in rotated], np.float32)[:, None]
        step, found = max(1, _DECODED // self._dimension), [_NOBODY]
        for start in range(0, len(self), step):
            copies = self._whole[start : start + step].astype(np.float32)
            scores = weights @ copies.T - self._whole_halves[start : start + step]
            hits = (scores >= limits).ravel().nonzero()[0]
            if len(hits):
                probes, columns = np.divmod(hits, len(copies))
                found.append((probes, columns + start, scores.ravel()[hits]))
        which, rows, scored = (np.concatenate(each) for each in zip(*found, strict=True))
        return [(rows[which == index], scored[which == index]) for index in range(len(rotated))]


def _axes(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    dimension = vectors.shape[1]
    return principal(vectors) if len(vectors) > 1 else (np.zeros(dimension), np.eye(dimension))


def _longest(vectors: NDArray[np.float64]) -> float:
    return math.sqrt(float(np.einsum("nd,nd->n", vectors, vectors).max(initial=0.0)))
