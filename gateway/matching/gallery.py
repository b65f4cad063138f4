"""Finds who of the watch-list is nearest to a face's vector: exact search on one matrix."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.matching.faults import GalleryError
from gateway.matching.gallery_layout import GalleryParts, map_parts, pack_parts, text_table

_BLOCK = 16_384
_PROBES = 64
# Beyond this length of a vector the squares of single precision lose their meaning; real ones have about 1.5.
_LONGEST = 1e6
_ROUNDING = 2.0**-24
_TINIEST = 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class TemplateRow:
    """One enrolled view: whose it is, its own id, its vector (d,)."""

    person: str
    template: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person near a probe: the nearest of their templates and its Euclidean distance, computed in float64."""

    person: str
    template: str
    distance: float


class Gallery:
    """The templates of the watch-list, unchanging; a change of the list makes a new gallery.

    Made by `build` or `map`. Safe to read from several threads.
    """

    def __init__(self, parts: GalleryParts) -> None:
        self._parts = parts
        self._vectors = parts.vectors
        self._half_squares = 0.5 * np.einsum("nd,nd->n", parts.vectors, parts.vectors, dtype=np.float64)
        self._longest = float(np.sqrt(2 * self._half_squares.max(initial=0.0)))

    @classmethod
    def build(cls, rows: Iterable[TemplateRow], *, fingerprint: str, dimension: int, revision: int = 0) -> "Gallery":
        """A gallery of `rows`, all made by the embedder that `fingerprint` names.

        Raises:
            GalleryError: a vector of another dimension, with NaN or infinity, all zeros or longer than 1e6; a template
                id twice.
        """
        kept = list(rows)
        vectors = np.zeros((len(kept), dimension), np.float32)
        for index, row in enumerate(kept):
            where = f"template {row.template}"
            vectors[index] = _checked(row.vector, (dimension,), where)
        _check_unique([row.template for row in kept])
        persons = {person: index for index, person in enumerate(dict.fromkeys(row.person for row in kept))}
        owners = np.array([persons[row.person] for row in kept], np.int32)
        templates = text_table([row.template for row in kept])
        return cls(GalleryParts(vectors, owners, fingerprint, text_table(list(persons)), templates, revision))

    @classmethod
    def map(cls, buffer: memoryview) -> "Gallery":
        """The gallery that `pack` wrote into `buffer` (shared memory, or bytes); its vectors are not copied.

        The buffer must stay as it is while the gallery is in use.

        Raises:
            GalleryError: the bytes are no gallery, cut short or damaged.
        """
        return cls(map_parts(buffer))

    def pack(self) -> bytes:
        """The gallery as bytes for `map`."""
        return pack_parts(self._parts)

    def __len__(self) -> int:
        """The number of templates."""
        return len(self._vectors)

    @property
    def persons(self) -> int:
        """The number of persons."""
        return len(self._parts.persons)

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return int(self._vectors.shape[1])

    @property
    def fingerprint(self) -> str:
        """The embedder that made the vectors."""
        return self._parts.fingerprint

    @property
    def revision(self) -> int:
        """The watch-list's revision that the gallery shows."""
        return self._parts.revision

    def require(self, fingerprint: str) -> None:
        """Refuse, by `GalleryError`, to serve vectors of another embedder."""
        if fingerprint != self.fingerprint:
            raise GalleryError(
                f"the templates were made by {self.fingerprint}, the faces by {fingerprint}",
                remedy="Run `campus-gateway watchlist reembed`",
            )

    def identify(self, probes: ArrayLike, within: float, k: int) -> tuple[tuple[Candidate, ...], ...]:
        """For each probe the nearest persons, nearest first.

        Args:
            probes: (b, dimension) float32; b may be 0.
            within: the largest distance of a candidate, inclusive.
            k: the most candidates of a probe.

        Returns:
            A tuple of b tuples of at most `k` candidates, one per person by the nearest template. Equal distances are
            ordered as the rows were. Exact: the same as computing every distance in float64.

        Raises:
            GalleryError: probes of another shape, or with NaN, infinity, only zeros or a length over 1e6;
                `within` that is NaN or negative; `k` below 1.
        """
        found = _checked(probes, (-1, self.dimension), "probes")
        if not within >= 0:
            raise GalleryError(f"a distance of {within}", remedy="Give a threshold of 0 or more")
        if k < 1:
            raise GalleryError(f"{k} candidates", remedy="Ask for at least one")
        answers: list[tuple[Candidate, ...]] = []
        for start in range(0, len(found), _PROBES):
            batch = found[start : start + _PROBES]
            near = self._near(batch, within)
            answers += [self._rank(probe, rows, within, k) for probe, rows in zip(batch, near, strict=True)]
        return tuple(answers)

    def _near(self, probes: NDArray[np.float32], within: float) -> list[NDArray[np.intp]]:
        """Per probe the rows that can lie within the distance: all that do, and few that do not.

        ||x - q||² / 2 = ||x||² / 2 + ||q||² / 2 - x·q, the last by one matrix product in single precision. The slack is
        more than its rounding can be (each of d + 1 steps errs by at most 2^-24 of ||x|| ||q||).
        """
        lengths = np.sqrt(np.einsum("bd,bd->b", probes, probes, dtype=np.float64))
        slack = 4 * (self.dimension + 8) * _ROUNDING * (lengths + self._longest) ** 2 + _TINIEST
        limits = (within**2 - lengths**2) / 2 + slack
        pieces: list[list[NDArray[np.intp]]] = [[] for _ in probes]
        for start in range(0, len(self), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores = self._half_squares[block, None] - self._vectors[block] @ probes.T
            for index, limit in enumerate(limits):
                pieces[index].append(np.flatnonzero(scores[:, index] <= limit) + start)
        return [np.concatenate(piece) if piece else np.empty(0, np.intp) for piece in pieces]

    def _rank(self, probe: NDArray[np.float32], rows: NDArray[np.intp], within: float, k: int) -> tuple[Candidate, ...]:
        differences = self._vectors[rows].astype(np.float64) - probe
        distances = np.sqrt(np.einsum("nd,nd->n", differences, differences))
        inside = distances <= within
        rows, distances = rows[inside], distances[inside]
        order = np.argsort(distances, kind="stable")
        _, firsts = np.unique(self._parts.owners[rows[order]], return_index=True)
        best = order[np.sort(firsts)[:k]]
        return tuple(self._candidate(int(rows[index]), float(distances[index])) for index in best)

    def _candidate(self, row: int, distance: float) -> Candidate:
        parts = self._parts
        return Candidate(parts.persons[int(parts.owners[row])], parts.templates[row], distance)


def margin(candidates: tuple[Candidate, ...]) -> float:
    """How much farther the second person is than the first; infinite without a second, 0 without any."""
    if not candidates:
        return 0.0
    return candidates[1].distance - candidates[0].distance if len(candidates) > 1 else float("inf")


def _checked(values: ArrayLike, shape: tuple[int, ...], where: str) -> NDArray[np.float32]:
    """The values as float32 of the given shape (-1: any), refused where a distance to them means nothing."""
    array = np.asarray(values)
    fits = array.ndim == len(shape) and array.shape[-1] == shape[-1]
    if not fits or array.dtype.kind not in "fiu":
        raise GalleryError(f"has shape {array.shape} of {array.dtype}, not (…, {shape[-1]}) numbers", where=where)
    with np.errstate(over="ignore"):
        lengths = np.sqrt(np.square(array, dtype=np.float64).sum(axis=-1))
    if not np.isfinite(lengths).all():
        raise GalleryError("holds NaN or infinity", where=where)
    if (lengths > _LONGEST).any():
        raise GalleryError(f"has a length over {_LONGEST:g}", where=where)
    single = np.ascontiguousarray(array, np.float32)
    if not single.any(axis=-1).all():
        raise GalleryError("is all zeros", where=where)
    return single


def _check_unique(templates: list[str]) -> None:
    seen: set[str] = set()
    for template in templates:
        if template in seen:
            raise GalleryError("is there twice", where=f"template {template}")
        seen.add(template)
