"""The watch-list in shared memory, as a child compares with it."""

from dataclasses import dataclass

from gateway.matching import Gallery


@dataclass(frozen=True, slots=True, eq=False)
class SharedList:
    """A revision of the watch-list; what it says of a person is the category."""

    gallery: Gallery

    def category_of(self, person: str) -> str:
        """The category under which a person is listed."""
        return self.gallery.label_of(person)
