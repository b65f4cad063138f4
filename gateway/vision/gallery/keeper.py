"""Keeps the gallery: opens sealed rows, writes a revision into sealed memory, and answers who is near a face."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.errors import GatewayError, PermanentError
from gateway.matching import Candidate, Gallery, GalleryWriter, TemplateRow
from gateway.vision.gallery.seals import PersonSeals
from gateway.vision.memory import SealedMemory
from gateway.wire import WHOLE_LIST, GalleryRows, GallerySnapshot, SealedRow

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
        self._touched: dict[str, None] = {}
        self._unusable: set[str] = set()
        self._collecting = -1
        self._built: BuiltGallery | None = None
        self._writer: GalleryWriter | None = None
        self._memory: SealedMemory | None = None
        self._shown: dict[str, TemplateRow] = {}
        self._skipped: set[str] = set()

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

        Raises:
            PermanentError: the chunk changes another revision than the one that is shown.
        """
        if rows.first:
            self._begin(rows)
        if rows.revision != self._collecting:
            return None
        for photo in rows.removed:
            self._touched[photo] = None
            self._collected.pop(photo, None)
            self._unusable.discard(photo)
        for row in rows.rows:
            self._open(row)
        return self._build(rows.revision) if rows.last else None

    def _begin(self, rows: GalleryRows) -> None:
        """Begin with nobody, or with who is shown if only changes come."""
        whole = rows.base == WHOLE_LIST
        if not whole and (self._built is None or rows.base != self.revision):
            raise PermanentError(f"changes of revision {rows.base} of the watch-list came; {self.revision} is shown")
        self._collecting = rows.revision
        self._collected, self._unusable = ({}, set()) if whole else (dict(self._shown), set(self._skipped))
        self._touched = dict.fromkeys(self._shown) if whole else {}

    def _open(self, row: SealedRow) -> None:
        vector = self._unseal(row) if row.fingerprint == self._fingerprint else None
        self._touched[row.photo] = None
        if vector is None:
            self._unusable.add(row.photo)
            self._collected.pop(row.photo, None)
            return
        self._unusable.discard(row.photo)
        shown = self._shown.get(row.photo)
        if shown is not None and np.array_equal(shown.vector, vector):
            vector = shown.vector
        self._collected[row.photo] = TemplateRow(row.person, row.photo, vector, row.category)

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
        self._shown, self._collected = self._collected, {}
        self._skipped = self._unusable
        self._built = self._told(writer)
        return self._built

    def _has_changed_rows(self) -> bool:
        """Whether a photo that is shown has another template, person or category now: then all is built anew."""
        shown, collected = self._shown, self._collected
        both = (photo for photo in self._touched if photo in shown and photo in collected)
        return any(_told_of(shown[photo]) != _told_of(collected[photo]) for photo in both)

    def _write_changes(self, writer: GalleryWriter) -> None:
        """Newcomers first, so that nobody who stays is missed for a moment; who is gone altogether goes at once."""
        shown, collected = self._shown, self._collected
        writer.add([collected[photo] for photo in self._touched if photo in collected and photo not in shown])
        gone = {photo: shown[photo].person for photo in self._touched if photo in shown and photo not in collected}
        staying = {row.person for row in collected.values()} if gone else set()
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
            skipped=len(self._skipped),
            rows=extent.rows,
            numbered=extent.people,
        )
        return BuiltGallery(snapshot, memory, writer.view)

    def near(self, vector: NDArray[np.float32], within: float = _FARTHEST, limit: int = 10) -> tuple[Candidate, ...]:
        """The people near a vector (d,), nearest first."""
        if self._built is None:
            return ()
        return self._built.gallery.identify(vector[None, :], within, limit)[0]

    def own_distance(self, person: str, vector: NDArray[np.float32]) -> float | None:
        """Euclidean distance of a vector (d,) to the nearest template of a person; None if none of theirs is shown."""
        own = [row.vector for row in self._shown.values() if row.person == person]
        if not own:
            return None
        return float(np.linalg.norm(np.stack(own).astype(np.float64) - vector.astype(np.float64), axis=1).min())


def _told_of(row: TemplateRow) -> tuple[str, str, int]:
    """What makes a row the same as before; an unchanged template is the same array."""
    return row.person, row.label, id(row.vector)
