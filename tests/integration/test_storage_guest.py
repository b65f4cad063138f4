"""Accounts and audit trail written by a command while a gateway writes the same file."""

import asyncio
import fcntl
import os
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.settings import StorageSettings
from gateway.storage import (
    ApiToken,
    NewerFileError,
    StorageFailedError,
    StorageLockedError,
    open_accounts,
    open_storage,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WRITES = 60

GUEST = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.settings import StorageSettings
from gateway.storage import open_accounts

async def main(directory, writes):
    for number in range(int(writes)):
        desk = await open_accounts(StorageSettings(directory=Path(directory)))
        await desk.audit.append(at=datetime.now(UTC), actor="guest", action=f"write {number}")
        await desk.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def settings(tmp_path: Path) -> StorageSettings:
    return StorageSettings(directory=tmp_path / "state", reserve_megabytes=1)


async def test_a_command_writes_beside_a_gateway_that_writes_and_checkpoints(settings: StorageSettings) -> None:
    stores = await open_storage(settings, SystemClock())
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", GUEST, str(settings.directory), str(WRITES))
    own = 0
    while child.returncode is None:
        own += 1
        await stores.audit.append(at=NOW, actor="gateway", action=f"write {own}")
        await stores.watchlist._state.erase()  # a truncating checkpoint behind every write
        await asyncio.sleep(0)
    assert await child.wait() == 0
    entries = await stores.audit.entries(limit=10**6)
    assert await stores.audit.verify() is None
    await stores.close()
    assert [each.action for each in entries if each.actor == "guest"] == [f"write {n}" for n in range(WRITES)]
    assert len([each for each in entries if each.actor == "gateway"]) == own
    with closing(sqlite3.connect(settings.directory / "state.db")) as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_the_gateway_sees_a_token_at_once(settings: StorageSettings) -> None:
    stores = await open_storage(settings, SystemClock())
    desk = await open_accounts(settings)
    token = ApiToken(id="t1", key="hash", name="office", role="viewer", created=NOW)
    await desk.accounts.add_token(token)
    assert await stores.accounts.token("hash") == token
    await desk.close()
    await stores.close()


async def test_the_gateway_may_end_before_its_guest(settings: StorageSettings) -> None:
    stores = await open_storage(settings, SystemClock())
    desk = await open_accounts(settings)
    await stores.close()
    await desk.audit.append(at=NOW, actor="guest", action="late")
    again = await open_storage(settings, SystemClock())
    await desk.close()
    assert [each.action for each in await again.audit.entries()] == ["late"]
    await again.close()


async def test_without_a_gateway_the_command_is_the_one_process(settings: StorageSettings) -> None:
    desk = await open_accounts(settings)
    assert await desk.accounts.users() == []
    await desk.close()
    assert "journal.db" not in os.listdir(settings.directory)
    await (await open_storage(settings, SystemClock())).close()


async def test_a_guest_of_another_version_or_too_early_is_refused(settings: StorageSettings) -> None:
    stores = await open_storage(settings, SystemClock())
    state = settings.directory / "state.db"
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(NewerFileError, match=r"of version 999, this program's is \d+"):
        await open_accounts(settings)
    state.rename(settings.directory / "away")
    with pytest.raises(StorageFailedError, match="Try again"):
        await open_accounts(settings)
    await stores.close()


async def test_a_command_that_was_stopped_in_the_middle_holds_nobody_up_for_long(
    settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.storage.folder._PATIENCE_SECONDS", 0.2)
    stores = await open_storage(settings, SystemClock())
    with (settings.directory / "state.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with asyncio.timeout(5):
            with pytest.raises(StorageLockedError, match="campus-gateway command that was stopped"):
                await stores.audit.append(at=NOW, actor="gateway", action="while it is held")
    await stores.audit.append(at=NOW, actor="gateway", action="after it")
    assert [each.action for each in await stores.audit.entries()] == ["after it"]
    await stores.close()
