"""One bit of one event of the journal that turns over on disk, of which SQLite knows nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path


def flip(directory: Path, position: int, at: int = 1) -> None:
    """Change one bit of an event's body in ``journal.db``, `at` bytes into it; nobody may have the file open."""
    path = directory / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (body,) = connection.execute("SELECT body FROM event WHERE position = ?", (position,)).fetchone()
    content = bytearray(path.read_bytes())
    content[content.index(body) + at] ^= 0x40
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


def newest(directory: Path, kind: str) -> int:
    """Position of the newest event of a type."""
    with closing(sqlite3.connect(f"file:{directory / 'journal.db'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT max(position) FROM event WHERE type = ?", (kind,)).fetchone()[0])
