"""SQLite files: opened with the project's pragmas, migrated by number after a copy, never by two writers."""

import logging
import os
import sqlite3
from contextlib import closing
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.storage.damage import file_fault, without_value, words_of
from gateway.storage.faults import NewerFileError, StorageFailedError

_AUTOCHECKPOINT_PAGES = 8000
_COPY = ".before-"
BUSY_MILLISECONDS = 5000
_ROOM_BYTES, _PLENTY = 60_000, 64
_log = logging.getLogger(__name__)


def open_writer(path: Path, migrations: str) -> sqlite3.Connection:
    """The one connection that writes and checkpoints a file; the file is made or migrated first.

    Args:
        path: the file.
        migrations: folder below ``migrations/`` that holds its numbered scripts.

    Raises:
        NewerFileError: the file is of a newer version.
        StorageDamagedError: it is damaged.
        StorageFailedError: it cannot be opened.
    """
    _make_private(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _set_pragmas(connection)
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        remedy = "Check the disk, or restore a backup into an empty folder."
        raise file_fault(error, path, remedy) from without_value(error)
    return connection


def lay_out_log(connection: sqlite3.Connection, path: Path, size: int) -> None:
    """Give the write-ahead file its room at once: a sync of a file that grows costs twice one in place.

    What is written for that spills out of a transaction that is rolled back; recovery ignores it. On a disk without
    plenty of room the file grows as it must.
    """
    log = path.with_name(f"{path.name}-wal")
    disk = os.statvfs(path.parent)
    if disk.f_bavail * disk.f_frsize < _PLENTY * size or (log.exists() and log.stat().st_size >= size * 3 // 4):
        return
    cache = connection.execute("PRAGMA cache_size").fetchone()[0]
    connection.execute("PRAGMA cache_size = 8").fetchall()
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE room (body BLOB)")
        for _ in range(size // _ROOM_BYTES):
            connection.execute("INSERT INTO room VALUES (zeroblob(?))", (_ROOM_BYTES,))
    except sqlite3.Error as error:
        _log.info("%s: no room is laid out: %s", log.name, words_of(error))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {cache}").fetchall()


def open_guest(path: Path, migrations: str) -> sqlite3.Connection:
    """A connection that writes beside the one of `open_writer`, in another process, and never checkpoints.

    Raises:
        NewerFileError: the file is of another version than this program's.
        StorageDamagedError: it is damaged.
        StorageFailedError: it cannot be opened.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        _set_pragmas(connection)
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise file_fault(error, path, "Try again once the gateway is ready.") from without_value(error)
    if version != len(_scripts(migrations)):
        connection.close()
        what = f"the running gateway's file is of version {version}, this program's is {len(_scripts(migrations))}"
        raise NewerFileError(what, where=str(path), remedy="Use the program that the gateway runs.")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    return connection


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, because its side files take their mode from it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        remedy = "Let the gateway's user own the state folder."
        raise StorageFailedError(f"cannot be opened: {error.strerror}", where=str(path), remedy=remedy) from None


def _set_pragmas(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        f"wal_autocheckpoint = {_AUTOCHECKPOINT_PAGES}",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _migrate(connection: sqlite3.Connection, path: Path, folder: str) -> None:
    scripts = _scripts(folder)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(scripts):
        what = f"is of version {version}, this program knows {len(scripts)}"
        raise NewerFileError(what, where=str(path), remedy="Run the newer program, or restore a backup.")
    if 0 < version < len(scripts):
        _copy(connection, path.with_name(f"{path.name}{_COPY}{len(scripts)}"))
    for number, script in enumerate(scripts[version:], start=version + 1):
        connection.executescript(f"BEGIN;\n{script.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;")


def _scripts(folder: str) -> list[Traversable]:
    """The numbered scripts of a file, in order; the last one's number is the version that this program knows."""
    return sorted(resources.files("gateway.storage").joinpath("migrations", folder).iterdir(), key=lambda s: s.name)


def newest_version(folder: str) -> int:
    """The version of a file that this program writes."""
    return len(_scripts(folder))


def version_of(path: Path) -> int:
    """The version of a file.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    with closing(open_reader(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def wrong_tables(path: Path, migrations: str) -> str:
    """Whether a file that nobody has open lacks tables that its version has, or is another file; empty if all is well.

    Of a file of a newer version only so much is asked that it has any table that this program knows.

    Args:
        path: the file.
        migrations: folder of its numbered scripts.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return ""
    try:
        version = version_of(path)
        with closing(open_reader(path)) as connection:
            found = _tables(connection)
    except sqlite3.Error:  # the opening says what it is
        return ""
    scripts = _scripts(migrations)
    known = _tables_of(scripts)
    if version > len(scripts):
        return "" if found & known else "it holds no table of this file"
    due = _tables_of(scripts[: max(0, version)])
    wrong = sorted((found & known) ^ due)
    return f"its tables are not those of its version: {', '.join(wrong)}" if wrong else ""


def _tables_of(scripts: list[Traversable]) -> set[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts:
            connection.executescript(script.read_text("utf-8"))
        return _tables(connection)


def _tables(connection: sqlite3.Connection) -> set[str]:
    connection.text_factory = bytes
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {row[0].decode("utf-8", "replace") for row in rows}


def remove_copies(path: Path) -> None:
    """Remove the copies that migrations of a file left, because they hold what was to be erased."""
    for copy in path.parent.glob(f"{path.name}{_COPY}*"):
        copy.unlink(missing_ok=True)


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
    target.chmod(0o600)
