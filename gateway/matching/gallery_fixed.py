"""What a gallery that is built once and never changes says of itself."""

from gateway.matching.gallery_values import TemplateTable, require_same


class FixedGallery:
    """The part that such galleries share, however they search.

    Args:
        table: checked, all made by the embedder that `fingerprint` names.
        fingerprint: of the embedder.
        dimension: components of a vector.
        revision: of the watch-list.
    """

    def __init__(self, table: TemplateTable, *, fingerprint: str, dimension: int, revision: int) -> None:
        self._fingerprint, self._dimension, self._revision = fingerprint, dimension, revision
        self._templates, self._persons = len(table.templates), len(set(table.persons))

    def __len__(self) -> int:
        """The number of templates."""
        return self._templates

    @property
    def persons(self) -> int:
        """The number of persons."""
        return self._persons

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """The embedder that made the vectors."""
        return self._fingerprint

    @property
    def revision(self) -> int:
        """The watch-list's revision that the gallery shows."""
        return self._revision

    def require(self, fingerprint: str) -> None:
        """Refuse, by `GalleryError`, to serve vectors of another embedder."""
        require_same(self._fingerprint, fingerprint)
