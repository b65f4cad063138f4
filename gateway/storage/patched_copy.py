"""A copy of a damaged database under a sound first page, to be read and thrown away."""

import logging
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.storage.damage import log_is_void
from gateway.storage.database import open_writer

HEADER, FIRST_PAGE = 100, 4096
_WORK = ".salvage"
_MOST_BYTES = 1024 * 1024 * 1024
_PAGES, _FREE_LIST = slice(28, 32), slice(32, 40)
_log = logging.getLogger(__name__)


@contextmanager
def patched_copy(damaged: Path, migrations: str, length: int) -> Iterator[Path | None]:
    """A copy whose first bytes are those of a fresh file of the same migrations, with its log if that is sound.

    The number of pages follows from the file's length, and nothing counts as free (file format, §1.3). What is read of
    it needs a proof of its own. None if the file is larger than 1 GB, for which a press must not wait, or than half of
    the disk's room.

    Args:
        damaged: the file; it is only read.
        migrations: folder below ``migrations/`` that made it.
        length: how many bytes are replaced: `HEADER`, or `FIRST_PAGE` with the schema.

    Raises:
        OSError: the copy cannot be made.
    """
    work, size = damaged.with_name(f"{damaged.name.partition('.damaged-')[0]}{_WORK}"), damaged.stat().st_size
    shutil.rmtree(work, ignore_errors=True)  # what a crash left
    if not FIRST_PAGE <= size <= min(_MOST_BYTES, shutil.disk_usage(damaged.parent).free // 2):
        _log.warning("%s is not copied to be read under a sound header: it is too short or too large", damaged.name)
        yield None
        return
    work.mkdir(mode=0o700)
    try:
        open_writer(work / "fresh.db", migrations).close()
        yield _patched(damaged, work / "copy.db", (work / "fresh.db").read_bytes()[:length])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _patched(damaged: Path, copy: Path, head: bytes) -> Path:
    shutil.copyfile(damaged, copy)
    log = damaged.with_name(f"{damaged.name}-wal")
    if log.is_file() and not log_is_void(damaged):
        shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
    patch = bytearray(head)
    patch[_PAGES] = struct.pack(">I", copy.stat().st_size // FIRST_PAGE)
    patch[_FREE_LIST] = bytes(8)
    with copy.open("r+b") as file:
        file.write(patch)
    return copy
