"""The watch-list that all cameras of a child compare with; changed between two frames."""

from gateway.matching import FaceEmbedder
from gateway.vision.memory import map_sealed
from gateway.vision.shared_list import SharedList, read_list
from gateway.wire import GallerySnapshot


class ListHolder:
    """The newest list.

    Args:
        embedder: makes the vectors that are compared with it.
    """

    def __init__(self, embedder: FaceEmbedder) -> None:
        self._embedder = embedder
        self._current: SharedList | None = None

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
        shared = read_list(map_sealed(descriptor, snapshot.size))
        shared.gallery.require(self._embedder.fingerprint)
        self._current = shared
