"""What goes into a gallery and comes out of it, and what is refused at its door."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.matching.faults import GalleryError

# Beyond this length of a vector the squares of single precision lose their meaning; real ones have about 1.5.
_LONGEST = 1e6
_SINGLE = np.dtype(np.float32)
_CHUNK = 8_192

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateRow:
    """One enrolled view: whose it is, its own id, its vector (d,), and what the list says of the person."""

    person: str
    template: str
    vector: NDArray[np.float32]
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TemplateTable:
    """Many enrolled views at once: vectors (n, d) float32, and of each the person and its own id."""

    vectors: NDArray[np.float32]
    persons: Sequence[str]
    templates: Sequence[str]
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person near a probe: the nearest of their templates and its Euclidean distance, computed in float64."""

    person: str
    template: str
    distance: float


class FaceGallery(Protocol):
    """The port: who of the list is near a face. The NumPy `Gallery` is the oracle of all others."""

    def __len__(self) -> int:
        """The number of templates."""
        ...

    @property
    def persons(self) -> int:
        """The number of persons."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """The embedder that made the vectors."""
        ...

    @property
    def revision(self) -> int:
        """The watch-list's revision that it shows."""
        ...

    def require(self, fingerprint: str) -> None:
        """Refuse, by `GalleryError`, to serve vectors of another embedder."""
        ...

    def identify(self, probes: ArrayLike, within: float, k: int) -> tuple[tuple[Candidate, ...], ...]:
        """For each probe the nearest persons, nearest first; see `Gallery.identify`."""
        ...


def margin(candidates: tuple[Candidate, ...]) -> float:
    """How much farther the second person is than the first; infinite without a second, 0 without any."""
    if not candidates:
        return 0.0
    return candidates[1].distance - candidates[0].distance if len(candidates) > 1 else math.inf


def cosine_distance_limit(cosine: float) -> float:
    """The Euclidean distance of unit vectors whose cosine is `cosine`, -1 to 1: sqrt(2 - 2 cos)."""
    return math.sqrt(2 - 2 * cosine)


def require_same(made: str, asked: str) -> None:
    """Refuse, by `GalleryError`, faces of the embedder `asked` for templates that `made` made."""
    if asked != made:
        raise GalleryError(
            f"the templates were made by {made}, the faces by {asked}", remedy="Run `campus-gateway watchlist reembed`"
        )


def check_question(within: float, k: int) -> None:
    """Refuse, by `GalleryError`, a distance that is NaN or negative and a `k` below 1."""
    if not within >= 0:
        raise GalleryError(f"a distance of {within}", remedy="Give a threshold of 0 or more")
    if k < 1:
        raise GalleryError(f"{k} candidates", remedy="Ask for at least one")


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """b vectors that were found fit to be compared.

    Attributes:
        single: (b, d) as given; double: the same in float64.
        squares: b squared lengths, computed in float64.
    """

    single: Singles
    double: Doubles
    squares: list[float]

    def __len__(self) -> int:
        return len(self.squares)

    def part(self, start: int, end: int) -> "Probes":
        """Those from start to end."""
        return Probes(self.single[start:end], self.double[start:end], self.squares[start:end])


def checked(values: ArrayLike, dimension: int, where: str) -> Probes:
    """The vectors (b, dimension), ready to be compared.

    Raises:
        GalleryError: another shape, no numbers, or a vector to which a distance means nothing: with NaN or infinity,
            all zeros, or longer than 1e6.
    """
    single = _singles(values, dimension, where)
    double = single.astype(np.float64)
    squares = lengths_squared(double)
    for square in squares:
        if not 0 < square <= _LONGEST**2:
            raise GalleryError(_fault(square), where=where)
    return Probes(single, double, squares)


def _singles(values: ArrayLike, dimension: int, where: str) -> Singles:
    array = np.asarray(values)
    if array.shape[1:] != (dimension,) or array.dtype.kind not in "fiu":
        raise GalleryError(f"has shape {array.shape} of {array.dtype}, not (…, {dimension}) numbers", where=where)
    if array.dtype is not _SINGLE:
        with np.errstate(over="ignore", invalid="ignore"):
            array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def lengths_squared(vectors: Doubles) -> list[float]:
    """The squared lengths of vectors (n, d)."""
    if len(vectors) == 1:
        return [float(vectors[0].dot(vectors[0]))]
    squares: list[float] = np.vecdot(vectors, vectors).tolist()
    return squares


def _fault(square: float) -> str:
    if not math.isfinite(square):
        return "holds NaN or infinity"
    return f"has a length over {_LONGEST:g}" if square else "is all zeros"


def tabled(rows: "Iterable[TemplateRow] | TemplateTable", dimension: int) -> TemplateTable:
    """The rows as one table, checked.

    Raises:
        GalleryError: a vector of another dimension, with NaN or infinity, all zeros or longer than 1e6 (the template is
            named); a template id twice; lists of different lengths.
    """
    table = rows if isinstance(rows, TemplateTable) else _joined(list(rows), dimension)
    if not len(table.vectors) == len(table.persons) == len(table.templates):
        raise GalleryError("has vectors, persons and template ids of different number", where="the table")
    _check_unique(table.templates)
    vectors = _singles(table.vectors, dimension, "the table")
    for start in range(0, len(vectors), _CHUNK):
        _check_lengths(vectors[start : start + _CHUNK], table.templates[start : start + _CHUNK])
    return TemplateTable(vectors, table.persons, table.templates, table.labels)


def _check_lengths(vectors: Singles, templates: Sequence[str]) -> None:
    try:
        checked(vectors, vectors.shape[1], "the table")
    except GalleryError:
        for vector, template in zip(vectors, templates, strict=True):
            checked(vector[None], len(vector), f"template {template}")
        raise


def _joined(rows: list[TemplateRow], dimension: int) -> TemplateTable:
    for row in rows:
        vector = np.asarray(row.vector)
        if vector.shape != (dimension,) or vector.dtype.kind not in "fiu":
            checked(vector[None], dimension, f"template {row.template}")
    with np.errstate(over="ignore"):
        vectors = np.array([row.vector for row in rows], np.float32).reshape(len(rows), dimension)
    labels = {row.person: row.label for row in rows if row.label}
    return TemplateTable(vectors, [row.person for row in rows], [row.template for row in rows], labels)


def _check_unique(templates: Sequence[str]) -> None:
    if len(set(templates)) == len(templates):
        return
    seen: set[str] = set()
    for template in templates:
        if template in seen:
            raise GalleryError("is there twice", where=f"template {template}")
        seen.add(template)
