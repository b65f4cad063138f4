"""Who of the watch-list is nearest to a face's vector: people, by an exact search that `gallery_search` does."""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gateway.matching.faults import GalleryError
from gateway.matching.gallery_filling import arranged, fill
from gateway.matching.gallery_layout import Extent, GalleryArrays, map_arrays, packed
from gateway.matching.gallery_search import MOST_PROBES, ExactSearch, Near, Rows, only
from gateway.matching.gallery_values import (
    Candidate,
    Doubles,
    Probes,
    TemplateRow,
    TemplateTable,
    check_question,
    checked,
    require_same,
    tabled,
)

# Times k: from how many templates within the distance on a nearer k-th is looked for first, and among how many.
_CROWD, _SAMPLES = 16, 4


class Gallery:
    """A reader's view of the templates, unchanging: what a writer appends lies beyond it, what it removes is left out.

    Made by `build`, `map` or a `GalleryWriter`. Safe to read from several threads; nobody waits for anybody.
    """

    def __init__(self, arrays: GalleryArrays, extent: Extent, search: ExactSearch | None = None) -> None:
        self._arrays, self._extent = arrays, extent
        self._search = search or ExactSearch(arrays, extent.rows, len(os.sched_getaffinity(0)))

    @classmethod
    def build(
        cls, rows: Iterable[TemplateRow] | TemplateTable, *, fingerprint: str, dimension: int, revision: int = 0
    ) -> "Gallery":
        """A gallery of `rows`, all made by the embedder that `fingerprint` names.

        Raises:
            GalleryError: a vector of another dimension, with NaN or infinity, all zeros or longer than 1e6; a template
                id twice.
        """
        return cls(*fill(*arranged(tabled(rows, dimension)), fingerprint, revision))

    @classmethod
    def map(cls, buffer: memoryview, *, checked: bool = True) -> "Gallery":
        """The gallery that `pack` wrote into `buffer` (shared memory, or bytes); nothing is copied.

        The buffer must stay as it is while the gallery is in use. `checked` compares a checksum over all of it.

        Raises:
            GalleryError: the bytes are no gallery, cut short or damaged.
        """
        return cls(*map_arrays(buffer, checked=checked))

    def pack(self) -> bytes:
        """The gallery as bytes for `map`."""
        return packed(self._arrays, self._extent)

    def within(self, extent: Extent) -> "Gallery":
        """A view of the same memory that reaches as far as the writer has told.

        Raises:
            GalleryError: the memory has no room for as much.
        """
        if extent.rows > self._arrays.shape.rows or extent.people > self._arrays.shape.people:
            raise GalleryError(f"{extent.rows} templates are said to be in room for {self._arrays.shape.rows}")
        return Gallery(self._arrays, extent, self._search.up_to(extent.rows))

    @property
    def extent(self) -> Extent:
        """How far this view reaches."""
        return self._extent

    def __len__(self) -> int:
        """The number of templates."""
        return self._extent.templates

    @property
    def persons(self) -> int:
        """The number of persons."""
        return self._extent.persons

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return self._arrays.shape.dimension

    @property
    def fingerprint(self) -> str:
        """The embedder that made the vectors."""
        return self._arrays.fingerprint

    @property
    def revision(self) -> int:
        """The watch-list's revision that the gallery shows."""
        return self._extent.revision

    def require(self, fingerprint: str) -> None:
        """Refuse, by `GalleryError`, to serve vectors of another embedder."""
        require_same(self.fingerprint, fingerprint)

    @property
    def depths(self) -> tuple[int, ...]:
        """After how many principal axes a search may stop; none in small galleries and where that does not pay."""
        return self._arrays.shape.depths

    @property
    def size_bytes(self) -> int:
        """Memory of the gallery, with the writer's spare room."""
        return len(self._arrays.buffer)

    def head_bytes(self, probes: ArrayLike, within: float) -> int:
        """What the probes (b, dimension), asked one by one, read before any template is dropped."""
        found = checked(probes, self.dimension, "probes")
        return sum(self._search.bytes_read(found.part(at, at + 1), within) for at in range(len(found)))

    def use_threads(self, threads: int) -> None:
        """Use at most as many threads where a second one gains; as many as there are processors at first."""
        self._search.threads = threads

    def label_of(self, person: str) -> str:
        """What the list says of a person, also of one who was removed since; empty for a stranger."""
        number = self._arrays.persons.find(person, self._extent.people)
        return "" if number is None else self._arrays.labels[number]

    def identify(self, probes: ArrayLike, within: float, k: int) -> tuple[tuple[Candidate, ...], ...]:
        """For each probe the nearest persons, nearest first.

        Args:
            probes: (b, dimension) float32; b may be 0.
            within: the largest Euclidean distance of a candidate, inclusive (`cosine_distance_limit` of a cosine).
            k: the most candidates of a probe; more than there are is no error.

        Returns:
            A tuple of b tuples of at most `k` candidates, one per person by the nearest template. Equal distances are
            ordered as the rows were (where there are so many that they are `arranged`, only those of equal vectors).
            Exact: the same as computing every distance in float64.

        Raises:
            GalleryError: probes of another shape, or with NaN, infinity, only zeros or a length over 1e6;
                `within` that is NaN or negative; `k` below 1.
        """
        parts = _parts(probes, self.dimension, within, k)
        return tuple(answer for part in parts for answer in self._people(part, within, k))

    def templates_within(self, probes: ArrayLike, within: float) -> list[Near]:
        """For each probe (b, dimension) the rows (m,) of all templates within the distance, ascending, with theirs.

        Rows are counted as the gallery keeps them (`template_at`), which in a large one is not as they were given.

        Raises:
            GalleryError: as for `identify`.
        """
        parts = _parts(probes, self.dimension, within, 1)
        found = [near for part in parts for near in self._search.near(part, [within] * len(part))]
        return [self._kept(*near) if len(near[0]) else near for near in found]

    def template_at(self, row: int) -> str:
        """The id of the template at a row."""
        return self._arrays.templates[row]

    def _people(self, probes: Probes, within: float, k: int) -> list[tuple[Candidate, ...]]:
        radii = [within] * len(probes)
        if self._crowded(within, k):
            samples = [self._best(*near, k) for near in self._search.samples(probes, radii, _SAMPLES * k)]
            radii = [found[-1].distance if len(found) == k else within for found in samples]
        best = [self._best(*near, k) for near in self._search.near(probes, radii)]
        for index, radius in enumerate(radii):
            if radius < within and len(best[index]) < k:  # somebody was removed since
                (near,) = self._search.near(probes.part(index, index + 1), [within])
                best[index] = self._best(*near, k)
        return best

    def _crowded(self, within: float, k: int) -> bool:
        """Whether so many are within the distance that finding some k of them first makes the rest cheaper."""
        return self._extent.rows * self._search.share_within(within) > _CROWD * k

    def _best(self, rows: Rows, distances: Doubles, k: int) -> tuple[Candidate, ...]:
        """Of each person the nearest template, nearest person first, at most k.

        Whether a person still is on the list is asked once, behind all else: either all their templates count or none.
        """
        if not len(rows):
            return ()
        arrays, order, nearest = self._arrays, np.argsort(distances, kind="stable"), dict[int, int]()
        for owner, at in zip(arrays.owners.take(rows.take(order)).tolist(), order.tolist(), strict=True):
            nearest.setdefault(owner, at)
        alive = arrays.living.take(list(nearest)).tolist()
        best = [pair for pair, lives in zip(nearest.items(), alive, strict=True) if lives][:k]
        return tuple(
            Candidate(arrays.persons[owner], arrays.templates[int(rows[at])], float(distances[at]))
            for owner, at in best
        )

    def _kept(self, rows: Rows, distances: Doubles) -> Near:
        return only(self._arrays.living.take(self._arrays.owners.take(rows)), rows, distances)


def _parts(probes: ArrayLike, dimension: int, within: float, k: int) -> list[Probes]:
    """The probes, checked, as many together as are searched for at once."""
    found = checked(probes, dimension, "probes")
    count = len(found)
    check_question(within, k)
    if count == 1:
        return [found]
    return [found.part(start, start + MOST_PROBES) for start in range(0, count, MOST_PROBES)]
