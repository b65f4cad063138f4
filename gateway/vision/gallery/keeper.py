"""Keeps the gallery: opens sealed rows, builds the sealed memory of a revision, and answers who is near a face."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.errors import GatewayError
from gateway.matching import Candidate, Gallery, TemplateRow
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.memory import SealedMemory
from gateway.vision.shared_list import SharedList, pack_list, read_list
from gateway.wire import GalleryRows, GallerySnapshot, SealedRow

_LOG = logging.getLogger(__name__)
_FARTHEST = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class BuiltGallery:
    """A revision as it goes to the video children."""

    snapshot: GallerySnapshot
    memory: SealedMemory
    gallery: Gallery


class GalleryKeeper:
    """The one writer of the shared gallery.

    Args:
        seals: opens templates; nobody else has the key.
        fingerprint: of the embedder; rows of another one are left out, never compared.
        dimension: components of its vectors.
    """

    def __init__(self, seals: PersonSeals, fingerprint: str, dimension: int) -> None:
        self._seals = seals
        self._fingerprint = fingerprint
        self._dimension = dimension
        self._collected: dict[str, TemplateRow] = {}
        self._categories: dict[str, str] = {}
        self._collecting = -1
        self._skipped = 0
        self._opened: dict[bytes, NDArray[np.float32]] = {}
        self._fresh: dict[bytes, NDArray[np.float32]] = {}
        self._built: BuiltGallery | None = None
        self._rows: tuple[TemplateRow, ...] = ()

    @property
    def rows(self) -> tuple[TemplateRow, ...]:
        """What the newest gallery was built of."""
        return self._rows

    @property
    def gallery(self) -> Gallery | None:
        """The newest gallery; None before the first."""
        return self._built.gallery if self._built else None

    @property
    def people(self) -> int:
        """On the newest list."""
        return self._built.snapshot.people if self._built else 0

    @property
    def templates(self) -> int:
        """On the newest list."""
        return self._built.snapshot.templates if self._built else 0

    @property
    def revision(self) -> int:
        """The revision that is built; 0 if none."""
        return self._built.snapshot.revision if self._built else 0

    def take(self, rows: GalleryRows) -> BuiltGallery | None:
        """Take one chunk; the first of a revision replaces an unfinished one.

        Returns:
            the gallery when the revision is complete, else None.
        """
        if rows.first:
            self._begin(rows.revision)
        if rows.revision != self._collecting:
            return None
        self._open_all(rows.rows)
        if not rows.last:
            return None
        return self._build(rows.revision)

    def _begin(self, revision: int) -> None:
        self._collecting, self._skipped = revision, 0
        self._collected, self._categories, self._fresh = {}, {}, {}

    def _open_all(self, rows: Iterable[SealedRow]) -> None:
        for row in rows:
            vector = self._vector(row)
            if vector is None:
                self._skipped += 1
            else:
                self._collected[row.photo] = TemplateRow(row.person, row.photo, vector)
                self._categories[row.person] = row.category

    def _vector(self, row: SealedRow) -> NDArray[np.float32] | None:
        """The opened template; one that was opened for the last revision is not opened again."""
        if row.fingerprint != self._fingerprint:
            return None
        key = hashlib.sha256(b"\0".join((row.person.encode(), row.photo.encode(), row.template))).digest()
        vector = self._opened.get(key)
        if vector is None:
            vector = self._unseal(row)
        if vector is not None:
            self._fresh[key] = vector
        return vector

    def _unseal(self, row: SealedRow) -> NDArray[np.float32] | None:
        try:
            plain = self._seals.open_template(row)
        except GatewayError as error:
            _LOG.error("photo %s of the watch-list cannot be opened: %s", row.photo, error)
            return None
        vector = np.frombuffer(plain, "<f4").astype(np.float32) if len(plain) == 4 * self._dimension else None
        if vector is None or not np.isfinite(vector).all() or not vector.any():
            _LOG.error("photo %s of the watch-list holds no template", row.photo)
            return None
        return vector

    def _build(self, revision: int) -> BuiltGallery:
        gallery = Gallery.build(
            self._collected.values(), fingerprint=self._fingerprint, dimension=self._dimension, revision=revision
        )
        memory = SealedMemory(pack_list(SharedList(gallery, self._categories)))
        if not memory.lock():
            _LOG.info("the watch-list's memory is not locked: RLIMIT_MEMLOCK is too low")
        snapshot = GallerySnapshot(
            revision=revision,
            people=gallery.persons,
            templates=len(gallery),
            size=memory.size,
            fingerprint=self._fingerprint,
            skipped=self._skipped,
        )
        self._rows = tuple(self._collected.values())
        self._opened, self._fresh, self._collected = self._fresh, {}, {}
        self._built = BuiltGallery(snapshot, memory, read_list(memory.view()).gallery)
        return self._built

    def near(self, vector: NDArray[np.float32], within: float = _FARTHEST, limit: int = 10) -> tuple[Candidate, ...]:
        """The people near a vector (d,), nearest first."""
        if self._built is None:
            return ()
        return self._built.gallery.identify(vector[None, :], within, limit)[0]
