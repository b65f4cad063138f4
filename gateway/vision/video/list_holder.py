"""The watch-list that all cameras of a child compare with; changed between two frames."""

import os

from gateway.errors import PermanentError
from gateway.matching import Extent, FaceEmbedder, Gallery
from gateway.vision.memory import map_sealed
from gateway.vision.shared_list import SharedList
from gateway.wire import GallerySnapshot


class ListHolder:
    """The newest list.

    Args:
        embedder: makes the vectors that are compared with it.
    """

    def __init__(self, embedder: FaceEmbedder) -> None:
        self._embedder = embedder
        self._current: SharedList | None = None
        self._memory: tuple[int, int] | None = None

    @property
    def current(self) -> SharedList | None:
        """The list to compare with now; None if there is nobody on it, so that faces need not even be looked for."""
        current = self._current
        return current if current is not None and len(current.gallery) else None

    @property
    def revision(self) -> int:
        """Its revision; 0 if none came yet."""
        return self._current.gallery.revision if self._current is not None else 0

    def apply(self, snapshot: GallerySnapshot, descriptor: int) -> None:
        """Map a new revision in place of the old one; takes over the descriptor.

        Raises:
            GatewayError: the memory is not sealed or holds no list, or another model made it.
        """
        extent = Extent(snapshot.rows, snapshot.numbered, snapshot.templates, snapshot.people, snapshot.revision)
        memory = _identity(descriptor)
        if self._current is not None and memory == self._memory:
            os.close(descriptor)
            gallery = self._current.gallery
        else:
            # The keeper made it; its seals keep everybody else from changing it, so the checksum need not be compared.
            gallery = Gallery.map(map_sealed(descriptor, snapshot.size), checked=False)
        gallery.require(self._embedder.fingerprint)
        self._current, self._memory = SharedList(gallery.within(extent)), memory


def _identity(descriptor: int) -> tuple[int, int]:
    """Tells one memory from another as long as either is mapped."""
    try:
        told = os.fstat(descriptor)
    except OSError as error:
        raise PermanentError(f"the shared memory cannot be mapped ({error})") from None
    return told.st_dev, told.st_ino
