"""The state folder: one process has it, and some of its disk is kept in reserve."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import PermanentError
from gateway.storage.faults import StorageBusyError, StorageLockedError

_MEGABYTE = 1024 * 1024
_PATIENCE_SECONDS = 3.0
_LOOK_SECONDS = 0.005


class FolderLock:
    """Holds the state folder for this process until `release`.

    The lock is on the folder itself, not on a file in it: one that somebody cleans away would let a second process in.

    Raises:
        StorageBusyError: another process holds it.
        PermanentError: the folder cannot be made or written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            remedy = "Name a folder that this user may write: storage.directory."
            raise PermanentError(f"cannot be used: {error.strerror}", where=str(directory), remedy=remedy) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            remedy = "Stop the running gateway first, or name another storage.directory."
            raise StorageBusyError("another process has it open", where=str(directory), remedy=remedy) from None

    def release(self) -> None:
        """Let the folder go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class WriteGuard:
    """Lets one process at a time write or checkpoint a file, because SQLite before 3.51.3 may corrupt its log else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the file's turn, and have it.

        Raises:
            StorageLockedError: another process had it for seconds, such as a command that was stopped with Ctrl-Z.
        """
        self._wait_for_turn()
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _wait_for_turn(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    what = f"another process has held it for {_PATIENCE_SECONDS:.0f} s"
                    remedy = "End, or go on with, the campus-gateway command that was stopped."
                    raise StorageLockedError(what, where=str(self._path), remedy=remedy) from None
                time.sleep(_LOOK_SECONDS)
            else:
                return

    def close(self) -> None:
        """Give the guard up; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Ballast:
    """Disk space that is really taken, to be given up when the disk is full so that presses are still stored."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        self._path = directory / "reserve"
        self._size = megabytes * _MEGABYTE

    def take(self) -> bool:
        """Take the reserve if the disk has room for it; says whether it is there."""
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        finally:
            os.close(descriptor)
        return True

    def give(self) -> bool:
        """Give the reserve up; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def spared(self) -> bool:
        """Whether it is there and the disk has as much again free, so that others may write, too."""
        try:
            room = os.statvfs(self._path)
        except OSError:
            return False
        return room.f_bavail * room.f_frsize > self._size

    @property
    def held(self) -> bool:
        """Whether the reserve is there."""
        return self._path.exists()


def sync_folder(folder: Path) -> None:
    """Make what was made or renamed in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
