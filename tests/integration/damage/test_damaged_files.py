"""Damaged files: the start puts them aside and goes on; commands beside it touch nothing."""

import asyncio
import fcntl
import logging
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from integration.damage.bench import COUNT, JOURNAL, PAGE, STATE, filled, opened, overwrite, press, smash_middle

from gateway.errors import PermanentError
from gateway.settings import StorageSettings
from gateway.storage import NewerFileError, StorageDamagedError, back_up, open_accounts, restore, verify_chains


def aside(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes()[:6] for path in directory.glob("*.damaged-*")}


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no database at all": lambda path: path.write_bytes(b"no database at all" * 1000),
    "garbage in the header": lambda path: overwrite(path, 0, 100),
    "a header of another format": lambda path: overwrite(path, 44, 4),
    "garbage in the schema": lambda path: overwrite(path, 100, PAGE - 100),
    "garbage in every second page": smash_middle,
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE),
    "cut within its header": lambda path: os.truncate(path, 50),
}


@pytest.mark.parametrize("file", [JOURNAL, STATE])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_put_aside_and_presses_are_stored(
    directory: Path, file: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(directory)
    DAMAGES[damage](directory / file)
    content = (directory / file).read_bytes()
    with caplog.at_level(logging.CRITICAL):
        stores = await opened(directory)
    stored = await stores.journal.append(press(COUNT + 1))
    (fault,) = stores.faults
    await stores.close()
    place = directory / f"{file}.damaged-20261126T163000Z"
    assert place.read_bytes() == content
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert fault.fault == "file_damaged"
    assert str(place) in fault.detail
    assert "campus-gateway restore" in fault.detail
    assert f"put aside as {place}" in caplog.text
    assert stored.position > COUNT
    stores = await opened(directory)
    again, found = stores.faults, await stores.journal.find(f"press-{COUNT + 1}")
    await stores.close()
    assert found is not None
    assert [each.id for each in again] == [fault.id], "it is told until it is removed, and stored once"


async def test_commands_beside_the_gateway_put_nothing_aside_and_name_the_file(directory: Path, tmp_path: Path) -> None:
    await filled(directory)
    names = sorted(os.listdir(directory))
    settings = StorageSettings(directory=directory)
    for file in (JOURNAL, STATE):
        shutil.copy(directory / file, tmp_path / file)
        smash_middle(directory / file)
        with pytest.raises(StorageDamagedError, match=rf"{file}.*it is damaged.*Start the gateway"):
            verify_chains(directory)
        shutil.copy(tmp_path / file, directory / file)
    (directory / STATE).write_bytes(b"no database at all" * 1000)
    with pytest.raises(StorageDamagedError, match=STATE):
        await open_accounts(settings)
    with pytest.raises(StorageDamagedError, match=STATE):
        back_up(directory, tmp_path / "copy.tar")
    assert [name for name in sorted(os.listdir(directory)) if name != "state.lock"] == [
        name for name in names if name != "state.lock"
    ]


@pytest.mark.parametrize("file", [JOURNAL, STATE])
async def test_a_copy_of_a_damaged_file_is_neither_made_nor_taken_for_good(
    directory: Path, tmp_path: Path, file: str
) -> None:
    await filled(directory)
    back_up(directory, tmp_path / "copy.tar")
    good = (tmp_path / "copy.tar").read_bytes()
    page = (directory / file).read_bytes()[10 * PAGE : 11 * PAGE]
    overwrite(directory / file, 10 * PAGE, PAGE)
    with pytest.raises(StorageDamagedError, match=rf"{file}: it is damaged.*Keep the backups"):
        back_up(directory, tmp_path / "copy.tar")
    assert (tmp_path / "copy.tar").read_bytes() == good
    assert page in good
    (tmp_path / "copy.tar").write_bytes(good.replace(page, os.urandom(PAGE)))
    with pytest.raises(PermanentError, match=rf"copy\.tar: its {file} is damaged.*Restore another backup"):
        restore(tmp_path / "copy.tar", tmp_path / "new")


async def test_what_is_no_damage_is_left_where_it_is(directory: Path) -> None:
    await filled(directory)
    with closing(sqlite3.connect(directory / JOURNAL)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerFileError):
        await opened(directory)
    assert not aside(directory)


async def test_nothing_that_was_put_aside_is_written_over(directory: Path) -> None:
    await filled(directory)
    for content in (b"first" * 1000, b"second" * 1000):
        (directory / JOURNAL).write_bytes(content)
        await (await opened(directory)).close()
    assert aside(directory) == {
        "journal.db.damaged-20261126T163000Z": b"firstf",
        "journal.db.damaged-20261126T163000Z-2": b"second",
    }


async def test_a_log_goes_with_its_file(directory: Path) -> None:
    await filled(directory)
    for tail, content in (("", b""), ("-wal", b"log" * 1000), ("-shm", b"index")):
        (directory / f"{JOURNAL}{tail}").write_bytes(content)
    stores = await opened(directory)
    await stores.close()
    place = directory / "journal.db.damaged-20261126T163000Z"
    assert place.with_name(f"{place.name}-wal").read_bytes() == b"log" * 1000
    assert place.stat().st_size == 0
    assert [each.fault for each in stores.faults] == ["file_damaged"]


async def test_a_log_that_sqlite_would_begin_anew_is_kept_and_told(directory: Path) -> None:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, 4)])
    copied = directory.with_name("copy")
    shutil.copytree(directory, copied)
    shutil.copy(directory.with_name("state.key"), copied.with_name("copy.key"))
    await stores.close()
    log = (copied / f"{JOURNAL}-wal").read_bytes()
    overwrite(copied / f"{JOURNAL}-wal", 0, 32)
    stores = await opened(copied)
    (fault,) = stores.faults
    stored = await stores.journal.append(press(4))
    await stores.close()
    kept = (copied / f"{JOURNAL}-wal.damaged-20261126T163000Z").read_bytes()
    assert kept[32:] == log[32:]
    assert "committed last may be missing" in fault.detail
    assert stored.position > 3


async def test_a_file_in_the_place_of_the_evidence_does_not_stop_the_start(directory: Path) -> None:
    await filled(directory)
    (directory / "evidence").rmdir()
    (directory / "evidence").write_text("x")
    stores = await opened(directory)
    await stores.close()
    assert (directory / "evidence").is_dir()
    assert (directory / "evidence.damaged-20261126T163000Z").read_text() == "x"
    assert [each.fault for each in stores.faults] == ["file_damaged"]


async def test_a_guest_that_was_stopped_in_its_turn_does_not_keep_the_gateway_from_starting(directory: Path) -> None:
    await filled(directory)
    with (directory / "state.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stores = await asyncio.wait_for(opened(directory), 10)
        fcntl.flock(lock, fcntl.LOCK_UN)
    await stores.close()


async def test_a_new_folder_has_no_faults(directory: Path) -> None:
    stores = await opened(directory)
    assert (stores.faults, stores.resend_from, stores.retold_before) == ((), None, None)
    await stores.close()


async def test_what_was_put_aside_is_in_no_backup(directory: Path, tmp_path: Path) -> None:
    await filled(directory)
    (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
    await (await opened(directory)).close()
    back_up(directory, tmp_path / "copy.tar")
    with tarfile.open(tmp_path / "copy.tar") as archive:
        assert not [name for name in archive.getnames() if "damaged-" in name]
