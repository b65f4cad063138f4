"""Evidence and what may be wrong around it: a full disk, odd files in its folder, rows that cannot be read."""

import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import (
    ClipState,
    ClipStore,
    Evidence,
    StorageDamagedError,
    StorageFullError,
    Stores,
    open_storage,
)
from gateway.storage.clip_file import GrowingFile
from gateway.storage.state import State
from gateway.storage.unreadable_rows import drop_unreadable

NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)


async def opened(directory: Path) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(NOW))


def picture(identity: str) -> Evidence:
    return Evidence(
        id=identity,
        event="press-1",
        camera="cam-01",
        person="",
        kind="crop",
        created=NOW,
        purge_after=NOW + timedelta(days=1),
    )


def change(directory: Path, statement: str) -> None:
    with closing(sqlite3.connect(directory / "state.db")) as connection, connection:
        connection.execute(statement)


async def test_a_picture_that_cannot_be_written_leaves_nothing_on_the_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = await opened(tmp_path / "state")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.storage.evidence_store.os.fsync", full)
    with pytest.raises(PermanentError, match="a picture cannot be kept: No space left"):
        await stores.evidence.keep(picture("e-1"), b"jpeg")
    monkeypatch.undo()
    left = os.listdir(tmp_path / "state" / "evidence")
    await stores.close()
    assert left == []


async def test_a_folder_among_the_evidence_stops_no_start(tmp_path: Path) -> None:
    """Such as ``lost+found``, where the evidence has a disk of its own."""
    stores = await opened(tmp_path / "state")
    await stores.close()
    (tmp_path / "state" / "evidence" / "lost+found").mkdir()
    (tmp_path / "state" / "evidence" / "left").write_bytes(b"of a crash")
    stores = await opened(tmp_path / "state")
    await stores.close()
    assert os.listdir(tmp_path / "state" / "evidence") == ["lost+found"]


async def test_a_clip_that_cannot_be_closed_on_a_full_disk_stops_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores = await opened(tmp_path / "state")
    await stores.evidence._state.write(
        lambda connection: stores.evidence.begin_clip(connection, replace(picture("c-1"), clip=ClipState()))
    )
    await stores.close()

    async def full(_store: ClipStore, _evidence: str, _state: str) -> None:
        raise StorageFullError("the disk is full")

    monkeypatch.setattr(ClipStore, "_settle", full)
    stores = await opened(tmp_path / "state")
    press = ButtonPressed(id="p", source="/site/s/button/b", subject="b", time=NOW, device="b")
    stored = await stores.journal.append(press)
    await stores.close()
    assert stored.position == 1
    assert "a clip is left as it was" in caplog.text


async def test_a_row_that_cannot_be_read_keeps_no_other_evidence_beyond_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "state"
    stores = await opened(directory)
    for name in ("e-1", "e-2", "e-3"):
        await stores.evidence.keep(picture(name), b"jpeg")
    await stores.close()
    change(directory, "UPDATE evidence SET created = 'rot' WHERE id = 'e-1'")
    change(directory, "UPDATE evidence SET id = CAST(X'652DFF' AS TEXT) WHERE id = 'e-2'")
    stores = await opened(directory)
    purged = await stores.evidence.purge_due(NOW + timedelta(days=2))
    again = await stores.evidence.purge_due(NOW + timedelta(days=2))
    await stores.close()
    assert [each.id for each in purged] == ["e-3"]
    assert again == []
    assert os.listdir(directory / "evidence") == ["e-2"], "whose row says no name of a file"
    assert caplog.text.count("evidence that cannot be read is passed over") == 2
    assert caplog.text.count("evidence e-1 is destroyed without a record") == 1


async def test_a_clip_whose_file_is_gone_is_gone(tmp_path: Path) -> None:
    stores = await opened(tmp_path / "state")
    await stores.evidence._state.write(
        lambda connection: stores.evidence.begin_clip(connection, replace(picture("c-1"), clip=ClipState()))
    )
    begun = await stores.clips.look("c-1")
    change(tmp_path / "state", "UPDATE clip SET state = 'whole', size = 5")
    gone = await stores.clips.look("c-1")
    await stores.close()
    assert begun is not None
    assert begun[1] == 0
    assert gone is None


def test_a_clip_that_cannot_be_begun_leaves_no_open_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.listdir("/proc/self/fd")

    def full(_descriptor: int, _content: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.storage.clip_file.os.write", full)
    with pytest.raises(OSError, match="No space left"):
        GrowingFile(tmp_path / "c-1", bytes(32), "c-1")
    monkeypatch.undo()
    assert os.listdir("/proc/self/fd") == before


async def test_a_round_of_the_start_that_fails_late_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is put aside next must be nobody's; a writer that is left would go on in the renamed file."""
    await (await opened(tmp_path / "state")).close()
    faults = [StorageDamagedError("a page", where=str(tmp_path / "state" / "state.db"))]

    async def damaged_once(state: State) -> dict[str, int]:
        if faults:
            raise faults.pop()
        return await drop_unreadable(state)

    monkeypatch.setattr("gateway.storage.recovery.drop_unreadable", damaged_once)
    before = set(threading.enumerate())
    stores = await opened(tmp_path / "state")
    writers = sorted(each.name for each in set(threading.enumerate()) - before if each.name.endswith("-writer"))
    await stores.close()
    assert faults == []
    assert writers == ["journal-writer", "state-writer"]
