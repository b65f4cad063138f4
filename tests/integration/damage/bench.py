"""A folder of state with events, and the ways in which a test damages its files."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from gateway.clock import ManualClock
from gateway.events import ButtonPressed, Event
from gateway.settings import StorageSettings
from gateway.storage import Stores, open_storage

NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
PAGE = 4096
COUNT = 400
JOURNAL, STATE = "journal.db", "state.db"


def press(number: int, at: datetime = NOW) -> ButtonPressed:
    return ButtonPressed(id=f"press-{number}", source="/site/s/button/b", subject="b", time=at, device="b")


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
