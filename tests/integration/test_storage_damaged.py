"""Damaged files: the gateway's start puts them aside and goes on, tells what is gone, and repeats no position."""

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
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.events import ButtonPressed, Event
from gateway.settings import StorageSettings
from gateway.storage import (
    Entry,
    NewerFileError,
    StorageDamagedError,
    Stores,
    back_up,
    note_damage,
    open_accounts,
    open_storage,
    restore,
    verify_chains,
)

NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
PAGE = 4096
COUNT = 400
JOURNAL, STATE = "journal.db", "state.db"


def press(number: int, at: datetime = NOW) -> ButtonPressed:
    return ButtonPressed(id=f"press-{number}", source="/site/s/button/b", subject="b", time=at, device="b")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def opened(directory: Path, at: datetime = NOW) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(at))


async def filled(directory: Path, events: list[Event] | None = None) -> None:
    """A folder with events, all taken in by incidents and an office, and some rows of other kinds."""
    stores = await opened(directory)
    kept = await stores.journal.append_all(events or [press(number) for number in range(1, COUNT + 1)])
    last = kept[-1].position
    await stores.outbox.open("office", 0)
    await stores.outbox.settle("office", last, low=last)
    await stores.incidents.apply(last, ())
    await asyncio.gather(
        *(stores.audit.append(at=NOW, actor="wang", action="user.add", subject=f"li-{n}") for n in range(COUNT))
    )
    await stores.close()


def aside(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes()[:6] for path in directory.glob("*.damaged-*")}


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(length))


def smash_middle(path: Path) -> None:
    for page in range(2, path.stat().st_size // PAGE, 2):
        overwrite(path, page * PAGE, PAGE)


def smash_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event_by_type'").fetchone()[0]
    overwrite(path, (root - 1) * PAGE, PAGE)


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
    with pytest.raises(PermanentError, match=rf"copy\.tar: its {file} is damaged.*Name another backup"):
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


async def test_the_newest_events_are_taken_over_under_their_positions(directory: Path) -> None:
    await filled(directory)
    smash_index(directory / JOURNAL)
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    again = await stores.journal.append(press(COUNT))
    new = await stores.journal.append(press(COUNT + 1))
    (fault,) = stores.faults
    await stores.close()
    assert [each.position for each in events] == list(range(1, COUNT + 1))
    assert again == events[-1], "a button that sends it once more is answered, and nobody is alarmed twice"
    assert new.position > COUNT
    assert f"Taken over: {COUNT} events, up to position {COUNT}" in fault.detail
    told = fault.cause
    assert (told.reason, told.figures["taken"], told.figures["up_to"]) == ("file_damaged_journal", COUNT, COUNT)
    report = verify_chains(directory)
    assert (report.broken_event, report.broken_entry) == (None, None), "the start made this gap itself"
    (begun,) = report.begun_anew
    assert (begun.position, begun.at) == (new.position, NOW)
    assert begun.file.startswith("journal.db.damaged-")


async def test_only_what_the_chain_proves_is_taken_over(directory: Path) -> None:
    await filled(directory)
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("UPDATE event SET body = replace(body, 'press-390', 'press-xxx') WHERE position = 390")
    smash_index(directory / JOURNAL)
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    await stores.close()
    assert [each.position for each in events] == list(range(391, COUNT + 1))
    assert verify_chains(directory).broken_event is None
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("UPDATE event SET body = replace(body, 'press-391', 'press-xxx') WHERE position = 391")
    assert verify_chains(directory).broken_event == 391, "what was taken over is still proven by what came before it"


async def test_a_gap_that_no_start_recorded_stays_broken(directory: Path) -> None:
    await filled(directory)
    smash_index(directory / JOURNAL)
    await (await opened(directory)).close()
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("DELETE FROM event WHERE position = 200")
    assert verify_chains(directory).broken_event == 201


@pytest.mark.parametrize("length", [100, PAGE])
@pytest.mark.parametrize("in_log", [False, True])
async def test_what_lies_under_an_overwritten_header_is_taken_over(directory: Path, length: int, in_log: bool) -> None:
    await filled(directory)
    if in_log:
        stores = await opened(directory)
        await stores.journal.append(press(COUNT + 1))
        kept = directory.with_name("kept")
        shutil.copytree(directory, kept)
        shutil.copy(directory.with_name("state.key"), kept.with_name("kept.key"))
        await stores.close()
        directory = kept
    overwrite(directory / JOURNAL, 0, length)
    content = (directory / JOURNAL).read_bytes()
    stores = await opened(directory)
    events = await stores.journal.read(0, 2 * COUNT)
    (fault,) = stores.faults
    await stores.close()
    assert [each.position for each in events] == list(range(1, COUNT + in_log + 1))
    assert f"Taken over: {COUNT + in_log} events" in fault.detail
    assert (directory / "journal.db.damaged-20261126T163000Z").read_bytes() == content, "it is only read"
    assert not list(directory.glob("*.salvage"))
    assert verify_chains(directory).broken_event is None


async def test_what_a_destination_had_not_got_is_told_by_its_name_at_each_start(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    await stores.outbox.open("police", 100)
    await stores.outbox.settle("police", 150, low=100)
    await stores.close()
    (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
    for _ in range(2):
        stores = await opened(directory, NOW + timedelta(milliseconds=500))
        await stores.outbox.settle("police", COUNT, low=COUNT)
        (fault,) = stores.faults
        await stores.close()
        assert f"{COUNT - 100 - 1} events had not reached police; presses may be among them" in fault.detail
        assert fault.cause.figures["unsent"] == f"police: {COUNT - 100 - 1}"
        assert "tell it by other means" in fault.detail
        assert "reached office" not in fault.detail, "it had all of them"
        assert not fault.told


async def test_positions_that_never_were_count_as_lost_to_nobody(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    await stores.outbox.open("police", COUNT)
    await stores.close()
    for number in (1, 2):
        at = NOW + timedelta(hours=number)
        (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
        stores = await opened(directory, at)
        stored = await stores.journal.append_all([press(1000 * number), press(1000 * number + 1)])
        await stores.incidents.apply(stored[-1].position, ())
        faults = stores.faults
        await stores.close()
    assert [each.told for each in faults] == [True, False], "a former one is no news for a fresh journal"
    assert "2 events had not reached police" in faults[-1].detail
    assert verify_chains(directory).broken_event is None


async def test_a_journal_that_is_gone_repeats_no_position(directory: Path) -> None:
    await filled(directory)
    (directory / JOURNAL).unlink()
    stores = await opened(directory)
    stored = await stores.journal.append(press(1))
    (fault,) = stores.faults
    await stores.close()
    assert stored.position > COUNT
    assert fault.fault == "journal_cut"


@pytest.mark.parametrize("how", ["damaged", "gone"])
async def test_with_a_fresh_state_a_destination_gets_the_last_day(directory: Path, how: str) -> None:
    days = [press(number, NOW - timedelta(days=30 - number)) for number in range(1, 30)]
    await filled(directory, [*days, press(100, NOW - timedelta(hours=23)), press(101)])
    if how == "damaged":
        (directory / STATE).write_bytes(b"no database at all" * 1000)
    else:
        (directory / STATE).unlink()
    stores = await opened(directory)
    assert stores.resend_from is not None
    resent = await stores.journal.read(stores.resend_from)
    users, faults, retold = await stores.accounts.users(), stores.faults, stores.retold_before
    await stores.close()
    assert [each.event.id for each in resent] == ["press-29", "press-100", "press-101"]
    assert users == []
    assert [each.fault for each in faults] == ["file_damaged" if how == "damaged" else "state_missing"]
    assert retold == NOW
    stores = await opened(directory, NOW + timedelta(hours=1))
    assert (stores.resend_from is not None) == (how == "damaged"), "a crash before it was noted skips nothing"
    assert stores.retold_before is None
    await stores.close()
    stores = await opened(directory, NOW + timedelta(days=2))
    assert stores.resend_from is None
    await stores.close()


async def test_incidents_are_made_anew_from_the_newest_events_only(directory: Path) -> None:
    stores = await opened(directory)
    await stores.journal.append_all([press(number) for number in range(1, 10_051)])
    await stores.close()
    (directory / STATE).unlink()
    stores = await opened(directory)
    assert await stores.incidents.position() == 50, "of years of history none stands before a new press"
    await stores.close()


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


async def test_damage_that_a_reader_meets_ends_the_journal_and_the_next_start_puts_it_aside(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    smash_middle(directory / JOURNAL)
    with pytest.raises(StorageDamagedError, match=JOURNAL):
        await stores.journal.read(0, 2 * COUNT)
    error = await asyncio.wait_for(stores.journal.failed, 5)
    await stores.close()
    assert error.where == str(directory / JOURNAL)


async def test_damage_that_the_writer_meets_ends_the_journal(directory: Path) -> None:
    await filled(directory, [press(number) for number in range(1, 5001)])
    stores = await opened(directory)
    smash_middle(directory / JOURNAL)
    with pytest.raises(StorageDamagedError, match=rf"{JOURNAL}.*it is damaged"):
        await stores.journal.append_all([press(number) for number in range(10, 5000, 7)])
    error = await asyncio.wait_for(stores.journal.failed, 5)
    await stores.close()
    assert isinstance(error, StorageDamagedError)


async def test_damage_of_the_state_is_told_by_whoever_meets_it(directory: Path) -> None:
    await filled(directory)
    stores = await opened(directory)
    smash_middle(directory / STATE)
    with pytest.raises(StorageDamagedError, match=STATE):
        await stores.audit.entries()
    error = await asyncio.wait_for(asyncio.shield(stores.state_damaged), 5)
    await stores.close()
    assert error.where == str(directory / STATE)


async def test_what_was_noted_while_it_ran_is_put_aside_at_the_next_start_however_whole(directory: Path) -> None:
    await filled(directory)
    note_damage(StorageDamagedError("a page of it", where=str(directory / JOURNAL)))
    stores = await opened(directory)
    kept = await stores.journal.read(0, 2 * COUNT)
    await stores.close()
    assert len(kept) == COUNT
    assert (directory / "journal.db.damaged-20261126T163000Z").is_file()
    assert not (directory / "journal.db.suspect").exists()


async def test_a_file_that_took_the_place_of_a_noted_one_is_not_suspected(directory: Path) -> None:
    await filled(directory)
    shutil.copy(directory / JOURNAL, directory / "repaired")
    note_damage(StorageDamagedError("a page of it", where=str(directory / JOURNAL)))
    (directory / "repaired").rename(directory / JOURNAL)
    stores = await opened(directory)
    await stores.close()
    assert stores.faults == ()
    assert not (directory / "journal.db.suspect").exists()


async def test_what_was_put_aside_is_in_no_backup(directory: Path, tmp_path: Path) -> None:
    await filled(directory)
    (directory / JOURNAL).write_bytes(b"no database at all" * 1000)
    await (await opened(directory)).close()
    back_up(directory, tmp_path / "copy.tar")
    with tarfile.open(tmp_path / "copy.tar") as archive:
        assert not [name for name in archive.getnames() if "damaged-" in name]


def spoil(key: Path) -> None:
    key.chmod(0o600)
    key.write_text("foo")
    key.chmod(0o400)


KEYS: dict[str, Callable[[Path], None]] = {
    "missing": lambda key: key.unlink(),
    "no key": spoil,
    "readable by others": lambda key: key.chmod(0o644),
}


@pytest.mark.parametrize("trouble", KEYS)
async def test_without_a_usable_master_key_presses_are_stored_and_nothing_is_sealed_that_would_be_lost(
    directory: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    stores = await opened(directory)
    await stores.entries.put(Entry(kind="camera", id="cam-01", body="{}", secrets={"password": "x"}))
    await stores.close()
    key = directory.with_name("state.key")
    content = key.read_bytes()
    KEYS[trouble](key)
    stores = await opened(directory)
    await stores.journal.append(press(1))
    wrong = stores.wrong_key
    assert wrong is not None
    assert wrong.cause.fault == "master_key_unusable"
    assert str(key) in str(wrong)
    assert "restart the gateway" in wrong.remedy
    assert await stores.entries.entries("camera") == []
    await stores.entries.put(Entry(kind="device", id="btn-01", body="{}"))
    with pytest.raises(PermanentError, match="cannot be opened"):
        await stores.entries.put(Entry(kind="camera", id="cam-02", body="{}", secrets={"password": "y"}))
    await stores.close()
    key.unlink(missing_ok=True)
    key.write_bytes(content)
    key.chmod(0o400)
    stores = await opened(directory)
    cameras = await stores.entries.entries("camera")
    await stores.close()
    assert stores.wrong_key is None
    assert [each.secrets for each in cameras] == [{"password": "x"}]


async def test_a_new_folder_without_a_usable_key_is_refused(directory: Path, tmp_path: Path) -> None:
    settings = StorageSettings(directory=directory, reserve_megabytes=1, key_file=tmp_path / "nowhere")
    with pytest.raises(PermanentError, match="nowhere"):
        await open_storage(settings, ManualClock(NOW))
