"""A loss of power at any moment: what was acknowledged is there, presses and sessions; with less sync it is not."""

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.recording_vfs import Recording, recording, sqlite_library

from gateway.clock import SystemClock
from gateway.events import ButtonPressed
from gateway.settings import StorageSettings
from gateway.storage import Journal, MqttSessionStore, StorageFailedError, database
from gateway.storage import journal as journal_module
from gateway.storage.chain_check import first_broken_event
from gateway.storage.database import open_writer

needs_library = pytest.mark.skipif(sqlite_library() is None, reason="SQLite is built into this interpreter")
LANES, EACH = 6, 25


@dataclass
class History:
    """What was acknowledged, and behind which operation on the files."""

    record: Recording
    presses: list[tuple[int, str]] = field(default_factory=list)
    saves: list[tuple[int, int, int]] = field(default_factory=list)

    def acknowledged(self, moment: int) -> set[str]:
        """Presses that were acknowledged before so many operations."""
        return {identity for when, identity in self.presses if when <= moment}

    def newest_saves(self, moment: int) -> dict[int, int]:
        """Lane → the newest number that its session was saved with."""
        return {lane: number for when, lane, number in self.saves if when <= moment}


def _press(identity: str) -> ButtonPressed:
    return ButtonPressed(id=identity, source="/site/s/button/b", subject="b", time=datetime.now(UTC), device="b")


async def _lane(lane: int, journal: Journal, store: MqttSessionStore, history: History, chance: random.Random) -> None:
    for number in range(EACH):
        identity = f"{lane}-{number}"
        await journal.append(_press(identity))
        history.presses.append((len(history.record.operations), identity))
        body = b"%d" % number
        records: list[tuple[str, str, int, bytes | None]] = [
            ("session", f"lane-{lane}", 0, body),
            ("message", f"lane-{lane}", number, bytes(300)),
        ]
        if number:
            records.append(("message", f"lane-{lane}", number - 1, None))
        await store.save(records)
        history.saves.append((len(history.record.operations), lane, number))
        if chance.random() < 0.15:
            await journal._writer.checkpoint()


async def lived(directory: Path) -> History:
    """Presses and sessions of some lanes side by side, with checkpoints in between."""
    with recording() as record:
        history = History(record)
        settings = StorageSettings(directory=directory, reserve_megabytes=1)
        journal = await Journal.open(directory, clock=SystemClock(), settings=settings)
        store = MqttSessionStore(journal)
        chance = random.Random(1)
        await asyncio.gather(*(_lane(lane, journal, store, history, chance) for lane in range(LANES)))
        await journal.close()
    return history


def losses(history: History, points: int, folder: Path) -> Iterator[str]:
    """What is wrong behind losses of power at random moments."""
    chance = random.Random(2)
    began = next(index for index, each in enumerate(history.record.operations) if index > 0 and each.kind == "sync")
    for number in range(points):
        moment = chance.randint(began, len(history.record.operations))
        directory = folder / str(number)
        directory.mkdir()
        for name, content in history.record.disk_at(moment, chance).items():
            (directory / name).write_bytes(content)
        try:
            with closing(open_writer(directory / "journal.db", "journal")) as connection:
                yield from _missing(connection, history, moment)
        except (sqlite3.Error, StorageFailedError) as error:
            yield f"at {moment}: cannot be opened: {error}"


def _missing(connection: sqlite3.Connection, history: History, moment: int) -> Iterator[str]:
    kept = [row[0] for row in connection.execute("SELECT id FROM event")]
    if lost := history.acknowledged(moment) - set(kept):
        yield f"at {moment}: {len(lost)} acknowledged presses are lost"
    if len(kept) != len(set(kept)) or first_broken_event(connection) is not None:
        yield f"at {moment}: doubled, or a broken chain"
    for lane, number in history.newest_saves(moment).items():
        rows = connection.execute("SELECT kind, number, body FROM mqtt_record WHERE name = ?", (f"lane-{lane}",))
        found = {(kind, at): body for kind, at, body in rows}
        saved = int(found.get(("session", 0), b"-1"))
        if saved < number:
            yield f"at {moment}: the session of lane {lane} is at {saved}, {number} was acknowledged"
        if [key for key in found if key[0] == "message"] != [("message", saved)]:
            yield f"at {moment}: messages of lane {lane} do not fit its session: a save was torn"


@pytest.fixture(autouse=True)
def _small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a hundred disks can be made quickly."""
    monkeypatch.setattr(journal_module, "_LOG_BYTES", 256 * 1024)


@needs_library
@pytest.mark.parametrize("points", [60, pytest.param(600, marks=pytest.mark.long)])
async def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path, points: int) -> None:
    history = await lived(tmp_path)
    assert len(history.presses) == len(history.saves) == LANES * EACH
    (tmp_path / "disks").mkdir()
    assert list(losses(history, points, tmp_path / "disks")) == []


@needs_library
async def test_with_less_sync_the_same_test_sees_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = database._set_pragmas

    def less(connection: sqlite3.Connection) -> None:
        real(connection)
        connection.execute("PRAGMA synchronous = NORMAL")

    monkeypatch.setattr(database, "_set_pragmas", less)
    history = await lived(tmp_path)
    (tmp_path / "disks").mkdir()
    assert any("lost" in each for each in losses(history, 60, tmp_path / "disks"))
