"""Keeps the gallery: opens sealed rows, writes a revision into sealed memory, and answers who is near a face."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.errors import GatewayError
from gateway.matching import Candidate, Gallery, GalleryWriter, TemplateRow
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.memory import SealedMemory
from gateway.wire import GalleryRows, GallerySnapshot, SealedRow

_LOG = logging.getLogger(__name__)
_FARTHEST = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class BuiltGallery:
    """A revision as it goes to the video children; the memory stays the keeper's."""

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
        self._collecting = -1
        self._skipped = 0
        self._opened: dict[bytes, NDArray[np.float32]] = {}
        self._fresh: dict[bytes, NDArray[np.float32]] = {}
        self._built: BuiltGallery | None = None
        self._writer: GalleryWriter | None = None
        self._memory: SealedMemory | None = None
        self._shown: dict[str, TemplateRow] = {}

    @property
    def rows(self) -> tuple[TemplateRow, ...]:
        """What the newest gallery was built of."""
        return tuple(self._shown.values())

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
        self._collected, self._fresh = {}, {}

    def _open_all(self, rows: Iterable[SealedRow]) -> None:
        for row in rows:
            vector = self._vector(row)
            if vector is None:
                self._skipped += 1
            else:
                self._collected[row.photo] = TemplateRow(row.person, row.photo, vector, row.category)

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
        writer = self._writer
        if writer is None or self._has_changed_rows():
            writer = self._writer = GalleryWriter(
                self._collected.values(),
                fingerprint=self._fingerprint,
                dimension=self._dimension,
                revision=revision,
                allocate=self._allocate,
            )
        else:
            self._write_changes(writer)
        writer.publish(revision)
        self._opened, self._fresh = self._fresh, {}
        self._shown, self._collected = self._collected, {}
        self._built = self._told(writer)
        return self._built

    def _has_changed_rows(self) -> bool:
        """Whether a photo that is shown has another template, person or category now: then all is built anew."""
        shown, collected = self._shown, self._collected
        return any(_told_of(shown[photo]) != _told_of(collected[photo]) for photo in shown.keys() & collected.keys())

    def _write_changes(self, writer: GalleryWriter) -> None:
        """Newcomers first, so that nobody who stays is missed for a moment; who is gone altogether goes at once."""
        shown, collected = self._shown, self._collected
        writer.add([row for photo, row in collected.items() if photo not in shown])
        staying = {row.person for row in collected.values()}
        gone = {photo: row.person for photo, row in shown.items() if photo not in collected}
        for person in {person for person in gone.values() if person not in staying}:
            writer.remove_person(person)
        for photo, person in gone.items():
            if person in staying:
                writer.remove(photo)

    def _allocate(self, size: int) -> memoryview:
        if self._memory is not None:
            self._memory.close()
        self._memory = SealedMemory(size)
        if not self._memory.lock():
            _LOG.info("the watch-list's memory is not locked: RLIMIT_MEMLOCK is too low")
        return self._memory.view()

    def _told(self, writer: GalleryWriter) -> BuiltGallery:
        memory, extent = self._memory, writer.view.extent
        assert memory is not None  # noqa: S101 # the writer has asked for it
        snapshot = GallerySnapshot(
            revision=extent.revision,
            people=extent.persons,
            templates=extent.templates,
            size=memory.size,
            fingerprint=self._fingerprint,
            skipped=self._skipped,
            rows=extent.rows,
            numbered=extent.people,
        )
        return BuiltGallery(snapshot, memory, writer.view)

    def near(self, vector: NDArray[np.float32], within: float = _FARTHEST, limit: int = 10) -> tuple[Candidate, ...]:
        """The people near a vector (d,), nearest first."""
        if self._built is None:
            return ()
        return self._built.gallery.identify(vector[None, :], within, limit)[0]


def _told_of(row: TemplateRow) -> tuple[str, str, int]:
    """What makes a row the same as before; an unchanged template is the same array, opened once."""
    return row.person, row.label, id(row.vector)
