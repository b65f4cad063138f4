"""The journal and a disk that is full, that fails, or that another program has locked."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.tools import needs

from gateway.clock import SystemClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import Journal, StorageFullError, StorageLockedError, open_storage

MEGABYTE = 1024 * 1024


def press(number: int, name: str = "") -> ButtonPressed:
    now = datetime.now(UTC)
    return ButtonPressed(id=f"press-{number}", source="/site/s/button/b", subject="b", time=now, device="b", name=name)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("needs root to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                return path


@dataclass
class Until:
    """Appends events, large ones, one after the other."""

    journal: Journal
    number: int = 0

    async def full(self) -> list[str]:
        kept: list[str] = []
        while True:
            self.number += 1
            try:
                stored = await self.journal.append(press(self.number, "x" * 20_000))
            except StorageFullError:
                return kept
            kept.append(stored.event.id)


async def test_a_full_disk_is_met_from_the_reserve_and_then_refused(small_disk: Path) -> None:
    directory = small_disk / "state"
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=2), SystemClock())
    try:
        held_before = stores.ballast.held
        filler = fill(small_disk)
        until = Until(stores.journal)
        kept = await until.full()
        assert (held_before, stores.ballast.held) == (True, False)
        works = [stores.journal.works]
        assert len(kept) > 20  # they are in the room that the reserve gave
        assert not stores.journal.failed.done()
        assert [each.event.id for each in await stores.journal.read(0, 1000)] == kept
        filler.unlink()
        await stores.journal.append(press(9999))
        works.append(stores.journal.works)
        assert works == [False, True], "readyz says so"
        assert await stores.journal.verify() is None
        assert stores.ballast.take()
    finally:
        await stores.close()


FAILING = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.clock import SystemClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import Journal

async def main(directory):
    path = Path(directory)
    journal = await Journal.open(path, clock=SystemClock(), settings=StorageSettings(directory=path))
    for number in range(12):
        event = ButtonPressed(
            id=f"press-{number}", source="/site/s/button/b", subject="b", time=datetime.now(UTC), device="b")
        try:
            await journal.append(event)
        except Exception as error:
            print("refused", event.id, type(error).__name__, flush=True)
        else:
            print("stored", event.id, flush=True)
    print("failed", type(await asyncio.wait_for(asyncio.shield(journal.failed), 5)).__name__, flush=True)
    await journal.close()

asyncio.run(main(sys.argv[1]))
"""


@needs("strace")
async def test_after_a_failed_sync_nothing_is_acknowledged(tmp_path: Path) -> None:
    first = await Journal.open(tmp_path, clock=SystemClock(), settings=StorageSettings(directory=tmp_path))
    await first.close()
    child = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync,fsync"),
        *("-e", "inject=fdatasync,fsync:error=EIO:when=6+", sys.executable, "-c", FAILING, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    if b"ptrace" in err:
        pytest.skip("needs the right to trace a child")
    lines = [line.split() for line in out.decode().splitlines()]
    stored = [words[1] for words in lines if words[0] == "stored"]
    refused = [words for words in lines if words[0] == "refused"]
    assert stored == [f"press-{number}" for number in range(len(stored))], err.decode()
    assert 0 < len(stored) < 12
    assert [words[1] for words in refused] == [f"press-{number}" for number in range(len(stored), 12)]
    assert {words[2] for words in refused} == {"StorageFailedError"}
    assert lines[-1] == ["failed", "StorageFailedError"]
    again = await Journal.open(tmp_path, clock=SystemClock(), settings=StorageSettings(directory=tmp_path))
    kept = [each.event.id for each in await again.read()]
    assert kept[: len(stored)] == stored
    assert (await again.append(press(0))).position == 1
    assert await again.verify() is None
    await again.close()


async def test_a_foreign_lock_refuses_presses_only_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.database.BUSY_MILLISECONDS", 50)
    journal = await Journal.open(tmp_path, clock=SystemClock(), settings=StorageSettings(directory=tmp_path))
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageLockedError, match="another program"):
            await journal.append(press(1))
    assert (await journal.append(press(1))).position == 1
    assert not journal.failed.done()
    await journal.close()
