"""Whether a database file is damaged, told apart from every other trouble, and found out in bounded time."""

import sqlite3
import struct
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from gateway.storage.faults import StorageDamagedError, StorageFailedError

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNDECODABLE = "Could not decode to UTF-8"
_VALUE = " with text "
_REMEDY = "Start the gateway, which puts it aside and goes on without it; or restore a backup into an empty folder."
_WHOLE_BYTES = 64 * 1024 * 1024
_NEWEST = 2000
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES, _NEWEST_LAYOUT, _LAST_ENCODING = 100, 4, 3
_LOG_HEADER_BYTES, _SUMMED_BYTES = 32, 24
_LOG_MAGIC, _LOG_VERSION = 0x377F0682, 3_007_000


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file's content is wrong, rather than that the disk, the rights or a lock are."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE or str(error).startswith(_UNDECODABLE)


def words_of(error: sqlite3.Error) -> str:
    """What SQLite says, without the column's value that it may quote: that may be a hash, or what a guard wrote."""
    return str(error).partition(_VALUE)[0]


def without_value(error: Exception) -> Exception:
    """The error itself, or one in its place if it quotes a column's value."""
    if not isinstance(error, sqlite3.Error) or _VALUE not in str(error):
        return error
    return type(error)(words_of(error))


def file_fault(error: sqlite3.Error, path: Path, remedy: str, *, what: str = "") -> StorageFailedError:
    """What an error of SQLite on a file is to the gateway; damage has a kind and a remedy of its own.

    Args:
        error: SQLite's.
        path: the file.
        remedy: if it is no damage.
        what: before SQLite's words.
    """
    if is_damage(error):
        return StorageDamagedError(f"{what}it is damaged: {words_of(error)}", where=str(path), remedy=_REMEDY)
    return StorageFailedError(f"{what}{words_of(error)}", where=str(path), remedy=remedy)


def damaged(what: str, path: Path) -> StorageDamagedError:
    """Damage that SQLite does not see."""
    return StorageDamagedError(f"it is damaged: {what}", where=str(path), remedy=_REMEDY)


def damage_of(path: Path, newest: Iterable[str] = (), *, whole: bool = False) -> str:
    """What is wrong with the content of a file that nobody has open; empty if nothing is, or there is no file.

    Up to 64 MB every page is looked at (`quick_check`, a fraction of a second). Of a larger file it is the header, the
    schema and the newest rows, because a press must not wait for the reading of years; what is damaged elsewhere is
    found when it is met. Trouble that is no damage is left to the opening.

    Args:
        path: the file.
        newest: tables whose newest rows are read, by rowid.
        whole: look at every page however large the file is, because nobody waits.
    """
    if not path.is_file():
        return ""
    if (wrong := wrong_header(path)) or path.stat().st_size == 0:
        return wrong
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _wrong_pages(connection, newest, whole=whole or path.stat().st_size <= _WHOLE_BYTES)
    except sqlite3.Error as error:
        return words_of(error) if is_damage(error) else ""


def _wrong_pages(connection: sqlite3.Connection, newest: Iterable[str], *, whole: bool) -> str:
    connection.execute("PRAGMA cell_size_check = ON")
    connection.text_factory = bytes  # bytes that are no UTF-8 are of one row, not of the file
    tables = {
        row[0].decode("utf-8", "replace")
        for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    for table in tables.intersection(newest):
        connection.execute(f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT {_NEWEST}").fetchall()  # noqa: S608  # fixed names
    if not whole:
        return ""
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0].decode("utf-8", "replace")
    return "" if said == "ok" else said.replace("\n", " ").removeprefix("*** in database main *** ")


def wrong_header(path: Path) -> str:
    """What is wrong with a file's header, empty if nothing is (file format, §1.3).

    SQLite takes some of it for another trouble, such as a newer format, and removes the log of an empty file.
    """
    log = path.with_name(f"{path.name}-wal")
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if not head:
        return "it is empty, but not its log" if log.is_file() and log.stat().st_size > _LOG_HEADER_BYTES else ""
    if len(head) < _HEADER_BYTES or not head.startswith(_MAGIC):
        return "file is not a database"
    fixed = head[18] in (1, 2) and head[19] in (1, 2) and head[21:24] == bytes((64, 32, 32))
    layout, encoding = struct.unpack(">I", head[44:48])[0], struct.unpack(">I", head[56:60])[0]
    known = layout <= _NEWEST_LAYOUT and encoding <= _LAST_ENCODING and not any(head[72:92])
    return "" if fixed and known else "its header is damaged"


def log_is_void(path: Path) -> bool:
    """Whether a file's write-ahead log holds something under a header that SQLite will not take: it begins it anew.

    Nothing but zeros is what a loss of power leaves of a log that was never committed to.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.is_file():
        return False
    with log.open("rb") as file:
        head = file.read(_LOG_HEADER_BYTES)
        return len(head) == _LOG_HEADER_BYTES and any(head) and not _is_log_header(head)


def _is_log_header(head: bytes) -> bool:
    """Magic, version and sum of a header (file format, §4.1 and §4.2)."""
    magic, version = struct.unpack(">II", head[:8])
    order = ">" if magic & 1 else "<"
    first = second = 0
    for one, two in struct.iter_unpack(f"{order}II", head[:_SUMMED_BYTES]):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return magic | 1 == _LOG_MAGIC | 1 and version == _LOG_VERSION and struct.pack(">II", first, second) == head[24:]
