"""What the doctor sees of a state folder while the gateway is down: named, with a remedy, and nothing is touched."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from harness.command import command

from gateway.clock import SystemClock
from gateway.events import GatewayStarted, gateway_source, new_id
from gateway.settings import StorageSettings
from gateway.storage import Entry, Inspected, entries_of, inspect_state, open_storage

GOOD = {"journal": True, "state database": True, "master key": True}


@pytest.fixture
def settings(tmp_path: Path) -> StorageSettings:
    """A state with an event in it, as a gateway left it that was stopped."""
    made = StorageSettings(directory=tmp_path / "state", reserve_megabytes=1)

    async def use() -> None:
        clock = SystemClock()
        stores = await open_storage(made, clock)
        source = gateway_source("east")
        await stores.journal.append(
            GatewayStarted(id=new_id(), source=source, subject="gateway", time=clock.now(), version="1")
        )
        await stores.close()

    asyncio.run(use())
    return made


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def looked(settings: StorageSettings) -> dict[str, Inspected]:
    """The findings by part; looking left every file as it was."""
    before = contents(settings.directory.parent)
    found = inspect_state(settings)
    assert contents(settings.directory.parent) == before
    return {each.part: each for each in found}


def test_a_whole_state(settings: StorageSettings) -> None:
    assert {part: each.ok for part, each in looked(settings).items()} == GOOD


def test_a_state_whose_gateway_was_killed_is_whole_with_its_log(settings: StorageSettings, tmp_path: Path) -> None:
    journal = settings.directory / "journal.db"
    with closing(sqlite3.connect(journal)) as connection:  # holds the log open as a process that is killed does
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE more (a)")
        connection.commit()
        kept = {tail: journal.with_name(journal.name + tail).read_bytes() for tail in ("", "-wal")}
    for tail, content in kept.items():
        journal.with_name(journal.name + tail).write_bytes(content)
    assert (settings.directory / "journal.db-wal").stat().st_size > 0
    assert looked(settings)["journal"].ok


def middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    path.write_bytes(content)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.commit()


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(("file", "part"), [("journal.db", "journal"), ("state.db", "state database")])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (middle, "is damaged"),
        (lambda path: path.write_bytes(b"no database at all" * 50), "is damaged"),
        (folder_instead, "it is no file"),
        (lambda path: path.unlink(), "is missing"),
        (newer, "of version 999"),
        (lambda path: path.with_name(path.name + "-wal").write_bytes(b"\xa5" * 4096), "-wal is damaged"),
    ],
)
def test_what_is_wrong_with_a_database_is_named_with_place_and_remedy(
    settings: StorageSettings, file: str, part: str, harm: Callable[[Path], object], said: str
) -> None:
    harm(settings.directory / file)
    found = looked(settings)[part]
    assert not found.ok
    assert said in found.found
    assert str(settings.directory / file) in found.found
    assert found.remedy


def test_a_key_that_is_another_is_missing_or_open_to_others(settings: StorageSettings) -> None:
    key = settings.directory.with_name("state.key")
    whole = key.read_bytes()
    key.chmod(0o600)
    key.write_bytes(b"A" * 43 + b"=\n")
    assert "another key" in looked(settings)["master key"].found
    key.write_bytes(whole)
    key.chmod(0o644)
    assert "chmod 0400" in looked(settings)["master key"].remedy
    key.unlink()
    found = looked(settings)["master key"]
    assert (found.ok, str(key) in found.found) == (False, True)
    assert not key.exists(), "looking makes none"


def test_what_was_put_aside_is_told(settings: StorageSettings) -> None:
    (settings.directory / "journal.db.damaged-20261126T163000Z").write_bytes(b"x")
    found = looked(settings)["state folder"]
    assert (found.ok, "put aside" in found.found) == (False, True)


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(tmp_path: Path) -> None:
    settings = StorageSettings(directory=tmp_path / "state")
    assert [each.ok for each in inspect_state(settings)] == [True]
    settings.directory.mkdir()
    assert all(each.ok for each in inspect_state(settings))
    assert [path.name for path in tmp_path.rglob("*")] == ["state"]


async def test_a_folder_that_a_gateway_has_open_is_left_alone(settings: StorageSettings) -> None:
    stores = await open_storage(settings, SystemClock())
    try:
        (found,) = inspect_state(settings)
        assert (found.ok, "in use" in found.found) == (True, True)
    finally:
        await stores.close()


def test_the_doctor_says_it_while_the_daemon_is_down(settings: StorageSettings) -> None:
    folder = settings.directory.parent
    text = f'[gateway]\nsite = "east"\n[storage]\ndirectory = "{settings.directory}"\n[api]\nport = 9\n'
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    middle(settings.directory / "journal.db")
    before = contents(settings.directory)
    done = command("doctor", "--json", "--config", str(folder))
    assert done.returncode == 1, done.stderr
    rows = {row["part"]: row for row in json.loads(done.stdout)}
    assert "is damaged" in rows["journal"]["finding"]
    assert "restore FILE" in rows["journal"]["remedy"]
    assert rows["state database"]["ok"]
    assert rows["master key"]["ok"]
    assert contents(settings.directory) == before


async def test_what_was_made_by_api_is_read_beside_a_gateway_and_of_one_that_is_down(tmp_path: Path) -> None:
    settings = StorageSettings(directory=tmp_path / "state", reserve_megabytes=1)
    assert entries_of(settings) == frozenset()
    stores = await open_storage(settings, SystemClock())
    await stores.entries.put(Entry(kind="device", id="a", body="{}"))
    assert ("device", "a") in entries_of(settings)
    await stores.close()
    before = contents(settings.directory.parent)
    assert ("device", "a") in entries_of(settings)
    assert contents(settings.directory.parent) == before


async def test_what_was_made_by_api_is_read_of_a_gateway_that_was_killed(tmp_path: Path) -> None:
    settings = StorageSettings(directory=tmp_path / "state", reserve_megabytes=1)
    stores = await open_storage(settings, SystemClock())
    await stores.entries.put(Entry(kind="device", id="a", body="{}"))
    killed = StorageSettings(directory=tmp_path / "killed", reserve_megabytes=1)
    shutil.copytree(settings.directory, killed.directory)  # with its log, as a process that is killed leaves it
    await stores.close()
    assert (killed.directory / "state.db-wal").stat().st_size > 0
    before = contents(tmp_path)
    assert ("device", "a") in entries_of(killed)
    assert contents(tmp_path) == before
    (killed.directory / "state.db-wal").unlink()
    (killed.directory / "state.db").write_bytes(b"no database")
    assert entries_of(killed) == frozenset()
