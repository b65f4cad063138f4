"""Looks at the state folder of a gateway that is down, and changes nothing: not one byte, no file made or removed."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import PermanentError
from gateway.settings import StorageSettings
from gateway.storage.aside import files_aside, noted_damage, wrong_kind
from gateway.storage.damage import damage_of, log_is_void
from gateway.storage.database import newest_version, open_reader, version_of, wrong_tables
from gateway.storage.key_check import fits
from gateway.storage.statements import load_statements
from gateway.storage.vault import Vault, holds_state, key_place, read_master_key

_ENTRIES = load_statements("entries")
_FILES = {"journal.db": ("journal", ("event",)), "state.db": ("state", ("audit", "delivery"))}
_PARTS = ("", "-wal")
_AS_OWNER = "Run the command as the gateway's user, or let that user own the state folder."
_DAMAGED = (
    "Keep a copy of the folder. The next start puts the file aside and goes on without it; to have a backup back "
    "instead: move the folder away, campus-gateway restore FILE."
)
_ROOM = "Name a folder with more room in the environment: TMPDIR."
_ASIDE = "Remove it when nobody needs it any more, because it holds personal data."
_NEWER = "Use the program that wrote it, or restore a backup of this version."
_NO_STATE = "Restore it from a backup; without it accounts, the watch-list and what was entered by API are gone."


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one part of the state folder looks like.

    Attributes:
        part: journal, state database, master key or state folder.
        ok: whether nothing is wrong with it.
        found: what and where.
        remedy: what to do; empty if nothing is.
    """

    part: str
    ok: bool
    found: str
    remedy: str = ""


def inspect_state(settings: StorageSettings) -> list[Inspected]:
    """Look at folder, databases and master key; the databases are read in a copy, so that SQLite touches none of them.

    Returns:
        a finding for each part; one alone if there is no state yet, or if a gateway has it open.
    """
    directory = settings.directory
    try:
        if not os.path.lexists(directory):
            return [Inspected("state folder", True, f"{directory} is not there yet: the first start makes it")]
        if not directory.is_dir():
            return [Inspected("state folder", False, f"{directory} is no folder", "Name another storage.directory.")]
        if _is_held(directory):
            return [Inspected("state folder", True, f"{directory} is in use by a process: it is not looked at")]
        return [*_folder(directory), *_databases(settings), _key(settings)]
    except OSError as error:
        where = error.filename or directory
        return [Inspected("state folder", False, f"{where} cannot be looked at: {error.strerror}", _AS_OWNER)]


def entries_of(settings: StorageSettings) -> frozenset[tuple[str, str]]:
    """Kind and id of each device, camera and destination that was made by API; empty where that cannot be told.

    Nothing of the folder changes, also beside a running gateway.
    """
    path = settings.directory / "state.db"
    try:
        if not path.is_file():
            return frozenset()
        with _readable(path) as connection:
            return frozenset((str(kind), str(name)) for kind, name in connection.execute(_ENTRIES["ids"]))
    except (OSError, sqlite3.Error, PermanentError):
        return frozenset()


@contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    """A database to read: of a running gateway, of one that was stopped, or a copy of one that was killed."""
    if _is_held(path.parent):
        with closing(open_reader(path)) as connection:
            yield connection
    elif not path.with_name(path.name + "-wal").exists():
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            yield connection
    else:
        with _copied(path) as copy, closing(open_reader(copy)) as connection:
            yield connection


def _is_held(directory: Path) -> bool:
    """Whether a process holds the folder's lock (proc(5), /proc/locks); asking by a lock would keep a start out."""
    inode = str(directory.stat().st_ino)
    try:
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return False
    rows = (line.split() for line in lines)
    return any(row[1] == "FLOCK" and row[5].rpartition(":")[2] == inode for row in rows if len(row) > 5)  # noqa: PLR2004  # columns


def _folder(directory: Path) -> Iterator[Inspected]:
    for aside in files_aside(directory):
        yield Inspected("state folder", False, f"{aside.file} was damaged and is put aside as {aside.place}", _ASIDE)
    if os.path.lexists(evidence := directory / "evidence") and not evidence.is_dir():
        yield Inspected("state folder", False, f"{evidence} is no folder", _DAMAGED)


def _databases(settings: StorageSettings) -> Iterator[Inspected]:
    there = {name: os.path.lexists(settings.directory / name) for name in _FILES}
    for name, (part, newest) in _FILES.items():
        path, part_name = settings.directory / name, "state database" if part == "state" else part
        if there[name]:
            yield _database(path, part_name, part, newest)
        elif any(there.values()):
            remedy = _NO_STATE if part == "state" else "Restore it from a backup; the next start begins an empty one."
            yield Inspected(part_name, False, f"{path} is missing", remedy)
    if not any(there.values()):
        yield Inspected("state folder", True, f"{settings.directory} holds no state yet")


def _database(path: Path, name: str, migrations: str, newest: tuple[str, ...]) -> Inspected:
    if reason := wrong_kind(path) or noted_damage(path):
        return Inspected(name, False, f"{path} is damaged: {reason}", _DAMAGED)
    if log_is_void(path):
        return Inspected(name, False, f"{path}-wal is damaged: its header", _DAMAGED)
    try:
        with _copied(path) as copy:
            return _copy(path, copy, name, migrations, newest)
    except PermanentError as error:
        return Inspected(name, False, f"{path} was not looked at: {error.what}", error.remedy)


def _copy(path: Path, copy: Path, name: str, migrations: str, newest: tuple[str, ...]) -> Inspected:
    if reason := damage_of(copy, newest, whole=True) or wrong_tables(copy, migrations):
        return Inspected(name, False, f"{path} is damaged: {reason}", _DAMAGED)
    try:
        if (version := version_of(copy)) > (known := newest_version(migrations)):
            return Inspected(name, False, f"{path} is of version {version}, this program's is {known}", _NEWER)
    except sqlite3.Error as error:
        return Inspected(name, False, f"{path} cannot be read: {error}", _DAMAGED)
    return Inspected(name, True, f"{path} is whole")


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """A copy of a database and its log, for nobody else to read, gone afterwards.

    Raises:
        PermanentError: there is no room for it.
    """
    parts = [part for tail in _PARTS if (part := path.with_name(path.name + tail)).is_file()]
    size = sum(part.stat().st_size for part in parts)
    with tempfile.TemporaryDirectory(prefix="campus-gateway-look-") as folder:
        if shutil.disk_usage(folder).free < size:
            raise PermanentError(f"{folder} has no room for its {size // 2**20} MB", remedy=_ROOM)
        for part in parts:
            shutil.copyfile(part, Path(folder) / part.name)
        yield Path(folder) / path.name


def _key(settings: StorageSettings) -> Inspected:
    place = key_place(settings)
    if not place.exists() and not holds_state(settings.directory):
        return Inspected("master key", True, f"{place} is not there yet: the first start makes it")
    try:
        vault = Vault(read_master_key(settings))
    except PermanentError as error:
        remedy = error.remedy or "Put the key that belongs to this state there; it is in no backup."
        return Inspected("master key", False, f"{error.where}: {error.what}", remedy)
    if (wrong := _is_other_key(settings.directory / "state.db", vault)) is None:
        return Inspected("master key", True, f"{place} can be read; whether it fits cannot be told")
    if wrong:
        remedy = "Put the key that belongs to this state there; it is in no backup."
        return Inspected("master key", False, f"{place} is another key than that of this state", remedy)
    return Inspected("master key", True, f"{place} is the one of this state")


def _is_other_key(path: Path, vault: Vault) -> bool | None:
    """Whether the state was sealed with another key; None if it cannot be read."""
    if not path.is_file():
        return None
    try:
        with _copied(path) as copy, closing(open_reader(copy)) as connection:
            return not fits(connection, vault)
    except (sqlite3.Error, PermanentError):
        return None
