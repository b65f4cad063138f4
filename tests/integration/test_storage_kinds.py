"""Files of a wrong kind, notes and names that say nothing, and swapped files: the start goes on without them."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import Stores, open_storage

NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
STAMP = ".damaged-20261126T163000Z"


def press(name: str) -> ButtonPressed:
    return ButtonPressed(id=name, source="/site/s/button/b", subject="b", time=NOW, device="b")


async def opened(directory: Path) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(NOW))


async def pressed(directory: Path, name: str) -> list[str]:
    """Start, store a press, stop: the names of the faults."""
    stores = await opened(directory)
    stored = await stores.journal.append(press(name))
    found = await stores.journal.find(name)
    await stores.close()
    assert found is not None
    assert 0 < stored.position < 2**62
    return [each.detail.split(" was damaged")[0] for each in stores.faults]


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    await pressed(tmp_path / "state", "before")
    return tmp_path / "state"


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").write_text("x")


KINDS: dict[str, Callable[[Path], object]] = {
    "a folder": a_folder,
    "a link to nothing": lambda path: path.symlink_to("/nonexistent/x"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a pipe": os.mkfifo,
}
FILES = ["journal.db", "state.db", "journal.db-wal", "journal.db-shm", "state.db-journal", "state.lock", "evidence"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES)
async def test_what_is_no_file_is_put_aside(directory: Path, file: str, kind: str) -> None:
    if (file, kind) == ("evidence", "a folder"):
        return
    place = directory / file
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    KINDS[kind](place)
    mode = stat.S_IFMT(place.lstat().st_mode)
    assert await pressed(directory, "after") == [file]
    assert stat.S_IFMT((directory / f"{file}{STAMP}").lstat().st_mode) == mode
    assert await pressed(directory, "once more") == [file]


async def test_a_link_to_a_damaged_file_goes_and_what_it_names_is_not_touched(directory: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_bytes(b"no database" * 1000)
    there.chmod(0o644)
    (directory / "state.db").unlink()
    (directory / "state.db").symlink_to(there)
    assert await pressed(directory, "after") == ["state.db"]
    assert stat.S_IMODE(there.stat().st_mode) == 0o644
    assert (directory / f"state.db{STAMP}").is_symlink()


async def test_a_link_to_a_sound_file_stays(directory: Path, tmp_path: Path) -> None:
    (directory / "state.db").rename(tmp_path / "there.db")
    (directory / "state.db").symlink_to(tmp_path / "there.db")
    assert await pressed(directory, "after") == []
    assert (directory / "state.db").is_symlink()


NOTES = {"noise": bytes(range(128, 192)), "long": b"\xff" * 5_000_000, "empty": b"", "number": b"17"}


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
async def test_a_note_that_says_nothing_is_removed(directory: Path, note: bytes) -> None:
    (directory / "journal.db.suspect").write_bytes(note)
    assert await pressed(directory, "after") == []
    assert not (directory / "journal.db.suspect").exists()


async def test_a_note_that_is_a_folder_stops_nothing(directory: Path) -> None:
    (directory / "journal.db.suspect").mkdir()
    (directory / "journal.db").write_bytes(b"no database" * 1000)
    assert await pressed(directory, "after") == ["journal.db"]


async def test_a_note_may_be_no_text(directory: Path) -> None:
    note = b"%d\n\xff\xfe" % (directory / "journal.db").stat().st_ino
    (directory / "journal.db.suspect").write_bytes(note)
    assert await pressed(directory, "after") == ["journal.db"]


async def test_a_name_that_only_looks_like_one_of_ours_is_none(directory: Path) -> None:
    (directory / "state.db.damaged-20261399T000000Z").write_text("x")
    assert await pressed(directory, "after") == []


async def test_files_that_took_each_others_place_are_put_aside(directory: Path) -> None:
    (directory / "state.db").rename(directory / "other")
    (directory / "journal.db").rename(directory / "state.db")
    (directory / "other").rename(directory / "journal.db")
    assert sorted(await pressed(directory, "after")) == ["journal.db", "state.db"]


SPOILS = [
    ("journal.db", "DROP TABLE event"),
    ("journal.db", "DROP TABLE mqtt_record"),
    ("state.db", "DROP TABLE delivery"),
    ("state.db", "DROP TABLE incident"),
    ("state.db", "PRAGMA user_version = 0"),
    ("state.db", "PRAGMA user_version = 2"),
    ("state.db", "PRAGMA user_version = -2"),
    ("state.db", "UPDATE incident_reader SET position = 9223372036854775807"),
    ("journal.db", "UPDATE event SET position = 9223372036854775807"),
    ("journal.db", "UPDATE event SET position = 9223372036854775750"),
    ("journal.db", "UPDATE event SET hash = 7"),
]


@pytest.mark.parametrize(("file", "spoil"), SPOILS)
async def test_a_file_that_lacks_a_table_or_tells_of_no_possible_position_is_put_aside(
    directory: Path, file: str, spoil: str
) -> None:
    with closing(sqlite3.connect(directory / file)) as connection, connection:
        connection.execute(spoil)
    assert await pressed(directory, "after") == [file]
