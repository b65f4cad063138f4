"""The database files: their mode, one process, migrations with a copy, newer files, changed rows."""

import logging
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import (
    Journal,
    NewerFileError,
    StorageBusyError,
    StorageDamagedError,
    StorageFailedError,
    Stores,
    open_storage,
)
from gateway.storage.database import open_reader, open_writer


def press(number: int) -> ButtonPressed:
    now = datetime.now(UTC)
    return ButtonPressed(id=f"press-{number}", source="/site/s/button/b", subject="b", time=now, device="b")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def opened(directory: Path) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), SystemClock())


async def filled(directory: Path, count: int) -> None:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, count + 1)])
    await stores.close()


async def test_nobody_else_may_read_any_file(directory: Path) -> None:
    stores = await opened(directory)
    await stores.journal.append(press(1))
    await stores.outbox.open("office", 0)
    modes = _modes(directory)
    await stores.close()
    assert {"journal.db", "journal.db-wal", "state.db", "state.db-wal", "reserve"} <= set(modes)
    assert {mode & 0o077 for mode in modes.values()} == {0}


def _modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir() if path.is_file()}


async def test_a_second_opening_is_refused_and_told_why(directory: Path) -> None:
    stores = await opened(directory)
    with pytest.raises(StorageBusyError, match=r"another process has it open.*Stop the running gateway"):
        await opened(directory)
    await stores.close()
    await (await opened(directory)).close()


async def test_the_reserve_is_really_taken(directory: Path) -> None:
    stores = await opened(directory)
    blocks = (directory / "reserve").stat().st_blocks
    await stores.close()
    assert blocks * 512 >= 1024 * 1024


async def test_every_commit_is_fully_synced(directory: Path) -> None:
    with closing(_open_as_the_gateway_does(directory)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)


def _open_as_the_gateway_does(directory: Path) -> sqlite3.Connection:
    directory.mkdir()
    return open_writer(directory / "journal.db", "journal")


@pytest.mark.parametrize("file", ["journal.db", "state.db"])
async def test_a_file_of_a_newer_version_is_refused(directory: Path, file: str) -> None:
    await filled(directory, 1)
    with closing(sqlite3.connect(directory / file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerFileError, match=r"version 99, this program knows \d+\..*Run the newer program"):
        await opened(directory)


def test_a_damaged_file_is_named(directory: Path) -> None:
    directory.mkdir()
    for file, migrations in (("journal.db", "journal"), ("state.db", "state")):
        (directory / file).write_bytes(b"no database at all" * 1000)
        with pytest.raises(StorageDamagedError, match=f"{file}.*restore"):
            open_writer(directory / file, migrations)


async def test_an_older_file_is_copied_and_then_migrated(directory: Path, scripts: Path) -> None:
    await filled(directory, 3)
    path = directory / "journal.db"
    (scripts / "journal" / "0003_more.sql").write_text("ALTER TABLE event ADD COLUMN more TEXT NOT NULL DEFAULT 'x';")
    with closing(open_writer(path, "journal")) as connection:
        assert connection.execute("SELECT count(*), min(more) FROM event").fetchone() == (3, "x")
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    with closing(sqlite3.connect(directory / "journal.db.before-3")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (2,)
        assert copy.execute("SELECT count(*) FROM event").fetchone() == (3,)


async def test_a_migration_that_fails_changes_nothing(directory: Path, scripts: Path) -> None:
    await filled(directory, 3)
    path = directory / "journal.db"
    (scripts / "journal" / "0003_bad.sql").write_text("ALTER TABLE event ADD COLUMN more TEXT; SELECT no_such();")
    with pytest.raises(StorageFailedError, match="no_such"):
        open_writer(path, "journal")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert "more" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The room's migrations, copied to where a test may add one."""
    root = tmp_path / "room"
    shutil.copytree(Path(__file__).parents[2] / "gateway/storage/migrations", root / "migrations")
    monkeypatch.setattr("gateway.storage.database.resources.files", lambda _package: root)
    return root / "migrations"


Change = Callable[[sqlite3.Connection], object]
CHANGES: dict[str, tuple[Change, int]] = {
    "a body": (lambda c: c.execute("UPDATE event SET body = replace(body, 'btn', 'xxx') || ' ' WHERE position = 3"), 3),
    "an id": (lambda c: c.execute("UPDATE event SET id = 'other' WHERE position = 4"), 4),
    "a row taken out": (lambda c: c.execute("DELETE FROM event WHERE position = 2"), 3),
    "a severity": (lambda c: c.execute("UPDATE event SET severity = 'low' WHERE position = 3"), 3),
    "a type": (lambda c: c.execute("UPDATE event SET type = 'campus.camera.lost' WHERE position = 2"), 2),
    "a source": (lambda c: c.execute("UPDATE event SET source = '/site/west' WHERE position = 4"), 4),
    "a time": (lambda c: c.execute("UPDATE event SET time_us = time_us + 1 WHERE position = 5"), 5),
    "a hash": (lambda c: c.execute("UPDATE event SET hash = zeroblob(32) WHERE position = 5"), 5),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_journal_is_told_by_position(directory: Path, what: str) -> None:
    await filled(directory, 6)
    change, broken = CHANGES[what]
    with closing(sqlite3.connect(directory / "journal.db")) as connection, connection:
        change(connection)
    stores = await opened(directory)
    assert await stores.journal.verify() == broken
    await stores.close()


async def test_a_journal_that_was_cut_uses_no_position_again(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, 7)])
    await stores.outbox.open("office", 0)
    await stores.outbox.settle("office", 6, low=6)
    await stores.close()
    with closing(sqlite3.connect(directory / "journal.db")) as connection, connection:
        connection.execute("DELETE FROM event WHERE position > 3")
    with caplog.at_level(logging.ERROR):
        stores = await opened(directory)
    assert "ends at position 3, but 6 was there" in caplog.text
    assert (await stores.journal.append(press(10))).position == 7
    assert await stores.journal.verify() == 7
    assert [each.position for each in await stores.journal.read(6)] == [7]
    await stores.close()


async def test_only_the_writer_can_write(directory: Path) -> None:
    await filled(directory, 1)
    with closing(open_reader(directory / "journal.db")) as reader, pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM event")


async def test_a_reader_of_a_missing_file_says_which(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, clock=SystemClock(), settings=StorageSettings(directory=tmp_path))
    (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(StorageFailedError, match=r"journal\.db"):
        await journal.find("press-1")
    await journal.close()
