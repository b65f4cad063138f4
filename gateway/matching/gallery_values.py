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


def checked(values: ArrayLike, dimension: int, where: str) -> tuple[NDArray[np.float32], list[float]]:
    """The vectors (n, dimension) as float32, and their squared lengths, computed in float64.

    Raises:
        GalleryError: another shape, no numbers, or a vector to which a distance means nothing: with NaN or infinity,
            all zeros, or longer than 1e6.
    """
    array = np.asarray(values)
    if array.shape[1:] != (dimension,) or array.dtype.kind not in "fiu":
        raise GalleryError(f"has shape {array.shape} of {array.dtype}, not (…, {dimension}) numbers", where=where)
    if array.dtype != np.float32:
        with np.errstate(over="ignore", invalid="ignore"):
            array = array.astype(np.float32)
    single = np.ascontiguousarray(array)
    squares: list[float] = np.einsum("nd,nd->n", single, single, dtype=np.float64).tolist()
    for square in squares:
        if not 0 < square <= _LONGEST**2:
            raise GalleryError(_fault(square), where=where)
    return single, squares


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
    try:
        vectors, _ = checked(table.vectors, dimension, "the table")
    except GalleryError:
        for vector, template in zip(table.vectors, table.templates, strict=True):
            checked(vector[None], dimension, f"template {template}")
        raise
    return TemplateTable(vectors, table.persons, table.templates, table.labels)


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
