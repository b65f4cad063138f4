"""A file that turns out to be damaged while the daemon runs ends it, with a note for the start that follows."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.storage import StorageDamagedError, StorageFailedError, note_damage


@contextmanager
def noting_damage() -> Iterator[None]:
    """Around all that the daemon does: what failed is raised alone, out of its groups.

    Raises:
        StorageFailedError: the disk failed, or a file is damaged, which is noted.
    """
    try:
        yield
    except* StorageFailedError as group:
        error = _first_of(group)
        if isinstance(error, StorageDamagedError):
            note_damage(error)
        raise error from None


def _first_of(group: BaseExceptionGroup[StorageFailedError]) -> StorageFailedError:
    """A damaged file comes first, because the next start has to know of it."""
    flat: list[StorageFailedError] = []
    for error in group.exceptions:
        flat.append(_first_of(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((each for each in flat if isinstance(each, StorageDamagedError)), flat[0])
