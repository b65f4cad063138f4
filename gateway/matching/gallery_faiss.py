"""The same gallery over FAISS, for lists that outgrow the core; FAISS finds, float64 decides, so that it is exact, too.

An optional extra (`pip install campus-gateway[faiss]`): docs/decisions/matching-pruned-gallery.md says from when on.
"""

import importlib
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gateway.matching.faults import MissingLibraryError
from gateway.matching.gallery_bound import score_limit
from gateway.matching.gallery_fixed import FixedGallery
from gateway.matching.gallery_values import (
    Candidate,
    TemplateRow,
    TemplateTable,
    check_question,
    checked,
    tabled,
)

_FARTHEST = 3e38  # near the largest float32


class FaissGallery(FixedGallery):
    """The templates of the watch-list in a flat index of FAISS; unchanging, answers as `Gallery` does.

    Args:
        rows: all made by the embedder that `fingerprint` names.
        fingerprint: of the embedder.
        dimension: components of a vector.
        revision: of the watch-list.

    Raises:
        GalleryError: as `Gallery.build`.
        MissingLibraryError: FAISS is not installed.
    """

    def __init__(
        self, rows: Iterable[TemplateRow] | TemplateTable, *, fingerprint: str, dimension: int, revision: int = 0
    ) -> None:
        try:
            faiss = importlib.import_module("faiss")
        except ImportError:
            raise MissingLibraryError(
                "FAISS is not installed",
                remedy="pip install campus-gateway[faiss], or use the built-in gallery",
            ) from None
        self._table = tabled(rows, dimension)
        super().__init__(self._table, fingerprint=fingerprint, dimension=dimension, revision=revision)
        self._index = faiss.IndexFlatL2(dimension)
        self._index.add(self._table.vectors)
        squares = np.einsum("nd,nd->n", self._table.vectors, self._table.vectors, dtype=np.float64)
        self._longest = math.sqrt(squares.max(initial=0.0))

    def identify(self, probes: ArrayLike, within: float, k: int) -> tuple[tuple[Candidate, ...], ...]:
        """For each probe the nearest persons, nearest first; see `Gallery.identify`.

        FAISS searches a little farther than asked; what it finds is measured in float64. However it sums ‖x - q‖² in
        float32, as squares of differences or as ‖x‖² + ‖q‖² - 2x·q, it errs by less than 2γ(d + 4)(‖x‖ + ‖q‖)², which
        is twice what `score_limit` allows for.
        """
        found = checked(probes, self._dimension, "probes")
        check_question(within, k)
        answers = []
        for probe, square in zip(found.single, found.squares, strict=True):
            limit = score_limit(within, square, terms=self._dimension, longest=self._longest)
            reach = square - 2 * limit
            farthest = min(reach + max(reach - within**2, 0.0), _FARTHEST)
            _, _, rows = self._index.range_search(probe[None], farthest)
            answers.append(self._best(probe, np.sort(rows), within, k))
        return tuple(answers)

    def _best(self, probe: np.ndarray, rows: np.ndarray, within: float, k: int) -> tuple[Candidate, ...]:
        differences = self._table.vectors[rows] - probe.astype(np.float64)
        distances = np.sqrt(np.einsum("nd,nd->n", differences, differences))
        best: dict[str, Candidate] = {}
        for at in np.argsort(distances, kind="stable").tolist():
            person = self._table.persons[int(rows[at])]
            if distances[at] > within or len(best) == k:
                break
            if person not in best:
                best[person] = Candidate(person, self._table.templates[int(rows[at])], float(distances[at]))
        return tuple(best.values())
