"""Copies of the state folder, and what can be read of it, while a gateway may be running on it."""

import lzma
import os
import shutil
import sqlite3
import stat
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import PermanentError
from gateway.storage.audit_trail import first_broken_entry
from gateway.storage.beginnings import Beginning, beginnings, starts_of
from gateway.storage.chain_check import first_broken_event
from gateway.storage.damage import damage_of, file_fault, without_value
from gateway.storage.database import open_reader, open_writer
from gateway.storage.faults import StorageBusyError, StorageDamagedError
from gateway.storage.folder import FolderLock, sync_folder
from gateway.storage.journal import last_position

# The state before the journal: a reader's position in it then never lies beyond the journal's end.
_DATABASES = {"state.db": "state", "journal.db": "journal"}
_WORK = ".campus-gateway-backup-"
_PARTS = frozenset(
    {
        "backup.tar",
        "lock",
        *(f"{name}{end}" for name in ("state.db", "journal.db") for end in ("", "-wal", "-shm", "-journal")),
    }
)
_RESTORING = "restoring"
_BEING_MADE_SECONDS = 60.0
# What reading a cut or damaged archive, packed or not, raises; the compressions have errors of their own.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)
_REMEDY = "Name a file that `backup` wrote."
_KEEP = "Keep the backups that you have. Start the gateway anew, which puts the file aside and goes on without it."
_NOT_COPIED = frozenset({"lock", "state.lock", "reserve", "running", "setup-link", "models", "restoring"})


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a look at both hash chains found.

    Attributes:
        last_position: of the journal.
        broken_event: position of the first broken event, None if the chain is whole.
        broken_entry: number of the first broken entry of the audit trail, None if the chain is whole.
        begun_anew: where the journal begins anew or goes on behind a gap, as the start of a gateway recorded it.
    """

    last_position: int
    broken_event: int | None
    broken_entry: int | None
    begun_anew: tuple[Beginning, ...] = ()


def verify_chains(directory: Path) -> ChainReport:
    """Check both hash chains of a state folder; a gateway may be running on it.

    Raises:
        PermanentError: there is no state in the folder.
        StorageDamagedError: a file is damaged; it is named.
    """
    with _databases(directory) as opened:
        journal, state = opened["journal.db"], opened["state.db"]
        with _naming(directory / "state.db"):
            broken_entry, begun = first_broken_entry(state), tuple(beginnings(state))
        with _naming(directory / "journal.db"):
            return ChainReport(
                last_position(journal), first_broken_event(journal, starts_of(begun)), broken_entry, begun
            )


def back_up(directory: Path, target: Path) -> None:
    """Write a consistent copy of a state folder into one file (tar, mode 0600); a gateway may be running on it.

    The master key, the models and the reserve are not in it. Sealed content stays sealed: keep the key elsewhere.

    Raises:
        PermanentError: there is no state in the folder, or the file cannot be written, lies in the folder, or is there
            and no backup.
        StorageDamagedError: a file is damaged; it is named.
    """
    require_state(directory)
    folder = target.absolute().parent
    try:
        _check_target(directory, target)
        _clear_unfinished(folder)
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=folder) as work, _held(Path(work)):
            packed = Path(work) / "backup.tar"
            _copy_databases(directory, Path(work))
            _pack(directory, Path(work), packed)
            packed.replace(target)
        sync_folder(folder)
    except OSError as error:
        remedy = "Name a file in a folder that this user may write, with room for a copy of the state folder."
        raise PermanentError(f"cannot be written: {error.strerror}", where=str(target), remedy=remedy) from None


def _check_target(directory: Path, target: Path) -> None:
    """A copy takes no other file's place, and none in the folder that it is a copy of."""
    if target.resolve().is_relative_to(directory.resolve()):
        remedy = "Name a file outside of it, best on another disk."
        raise PermanentError("lies in the state folder itself", where=str(target), remedy=remedy)
    if os.path.lexists(target) and (target.is_symlink() or not target.is_file()):
        raise PermanentError("is no file", where=str(target), remedy="Name a file, and pass it on from there.")
    if target.is_file() and not _is_backup(target):
        remedy = "Name a new file, or remove this one first."
        raise PermanentError("is there already, and no backup of a gateway", where=str(target), remedy=remedy)


def _is_backup(path: Path) -> bool:
    try:
        with tarfile.open(path) as archive:
            first = [archive.next(), archive.next()]
    except (OSError, *_DAMAGED):
        return False
    return {each.name for each in first if each is not None} == set(_DATABASES)


def _clear_unfinished(folder: Path) -> None:
    """Remove what a `backup` that was killed left: it holds accounts and the CA's key, and nobody else would."""
    for left in folder.glob(f"{_WORK}*"):
        with suppress(StorageBusyError, PermanentError, OSError):
            if _is_unfinished(left):
                with _held(left):
                    shutil.rmtree(left)


def _is_unfinished(left: Path) -> bool:
    """Whether this user's `backup` made it, and nobody put anything else there."""
    told = left.lstat()
    ours = (
        stat.S_ISDIR(told.st_mode) and told.st_uid == os.getuid() and time.time() - told.st_mtime > _BEING_MADE_SECONDS
    )
    return ours and all(each.name in _PARTS and each.is_file() and not each.is_symlink() for each in left.iterdir())


@contextmanager
def _held(work: Path) -> Iterator[None]:
    """Say to other processes that somebody works in a folder."""
    lock = FolderLock(work)
    try:
        yield
    finally:
        lock.release()


def restore(source: Path, directory: Path) -> None:
    """Unpack what `back_up` wrote into a state folder that holds no state yet, or what a cut-off restore left.

    Raises:
        PermanentError: the folder holds state, or the file is no backup, or of a damaged file.
        StorageBusyError: a gateway runs on the folder.
    """
    lock = FolderLock(directory)
    try:
        if any((directory / name).exists() for name in _DATABASES) and not (directory / _RESTORING).exists():
            remedy = "Move the old state folder away first, also if a file in it is damaged."
            raise PermanentError("there is state already", where=str(directory), remedy=remedy)
        _unpack(source, directory)
        for name in _DATABASES:
            if damage := damage_of(directory / name, whole=True):
                remedy = "Restore another backup; until then no gateway starts on what was unpacked."
                raise PermanentError(f"its {name} is damaged: {damage}", where=str(source), remedy=remedy)
        (directory / _RESTORING).unlink()
        sync_folder(directory)
    finally:
        lock.release()


def require_restored(directory: Path) -> None:
    """Check that no restore was cut off in a folder: half a state looks like a whole one.

    Raises:
        PermanentError: one was.
    """
    if (directory / _RESTORING).exists():
        remedy = "Run `campus-gateway restore FILE` again."
        raise PermanentError("a restore into it was cut off", where=str(directory), remedy=remedy)


def require_state(directory: Path, *, files: Iterable[str] = _DATABASES) -> None:
    """Check that there is state in a folder: that a gateway has run on it, or at least an account was made.

    Args:
        directory: the state folder.
        files: what has to be there.

    Raises:
        PermanentError: it is not, or only half of it: a restore was cut off.
        PermissionError: this user may not look into the folder.
    """
    require_restored(directory)
    for name in files:
        if not (directory / name).is_file():
            remedy = "Start the gateway once, or name another state folder: storage.directory."
            raise PermanentError(f"there is no state yet (no {name})", where=str(directory), remedy=remedy)


@contextmanager
def _databases(directory: Path) -> Iterator[dict[str, sqlite3.Connection]]:
    """Connections to read from: as one reader more beside a running gateway, or else as the only one."""
    require_state(directory)
    try:
        lock = FolderLock(directory)
    except StorageBusyError:
        lock = None
    opened: dict[str, sqlite3.Connection] = {}
    try:
        for name, migrations in _DATABASES.items():
            path = directory / name
            with _naming(path):
                opened[name] = open_writer(path, migrations) if lock else open_reader(path)
        yield opened
    finally:
        for connection in opened.values():
            connection.close()
        if lock:
            lock.release()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Tell which file an error of SQLite is of."""
    try:
        yield
    except sqlite3.Error as error:
        raise file_fault(error, path, "Check the disk.", what="cannot be read: ") from without_value(error)


def _copy_databases(directory: Path, work: Path) -> None:
    with _databases(directory) as opened:
        for name, connection in opened.items():
            with _naming(directory / name), closing(sqlite3.connect(work / name)) as copy:
                connection.backup(copy)
            if damage := damage_of(work / name, whole=True):
                raise StorageDamagedError(f"it is damaged: {damage}", where=str(directory / name), remedy=_KEEP)


def _pack(directory: Path, work: Path, packed: Path) -> None:
    descriptor = os.open(packed, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name in _DATABASES:
                archive.add(work / name, name)
            for path in sorted(directory.iterdir()):
                kept_aside = path.name.startswith(tuple(_DATABASES)) or ".damaged-" in path.name
                if path.name not in _NOT_COPIED and not kept_aside:
                    _add(archive, path, path.name)
        file.flush()
        os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file or folder; what is purged meanwhile is left out."""
    try:
        archive.add(path, name, recursive=False)
    except FileNotFoundError:
        return
    if path.is_dir():
        for each in sorted(path.iterdir()):
            _add(archive, each, f"{name}/{each.name}")


def _unpack(source: Path, directory: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            if not _DATABASES.keys() <= set(archive.getnames()):
                raise PermanentError("is no backup of a gateway", where=str(source), remedy=_REMEDY)
            (directory / _RESTORING).touch(0o600)
            sync_folder(directory)
            for member in archive:
                _extract(archive, member, directory)
    except _DAMAGED as error:
        said = str(error).partition("\n")[0]
        what = "is no backup of a gateway" if isinstance(error, tarfile.ReadError) else f"cannot be unpacked: {said}"
        raise PermanentError(what, where=str(source), remedy=_REMEDY) from None
    except OSError as error:
        raise PermanentError(f"cannot be unpacked: {error.strerror}", where=str(source), remedy=_REMEDY) from None
    sync_folder(directory)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, directory: Path) -> None:
    """Put one file or folder in its place, for its owner only; nothing else, and nothing outside the folder."""
    target = (directory / member.name).resolve()
    if not target.is_relative_to(directory.resolve()):
        raise PermanentError(f"holds a file that leads out of the folder: {member.name}")
    if member.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif member.isfile() and (content := archive.extractfile(member)) is not None:
        with content, os.fdopen(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
