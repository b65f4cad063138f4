"""Commands before the gateway's first start: they say so and leave nothing behind."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.command import command

from gateway.clock import SystemClock
from gateway.events import GatewayStarted, new_id
from gateway.settings import StorageSettings
from gateway.storage import open_storage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose state folder is not made yet."""
    text = f'[gateway]\nsite = "east"\n[storage]\ndirectory = "{tmp_path / "state"}"\n'
    (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "ca export",
        "user list",
        "user disable nobody",
        "token list",
        "watchlist reembed",
        "matching calibrate",
        "audit verify",
        "backup FILE",
    ],
)
def test_before_the_first_start_there_is_no_state(folder: Path, words: str) -> None:
    arguments = words.replace("FILE", str(folder / "backup.tar")).split()
    done = command(*arguments, "--config", str(folder))
    assert done.returncode == 1
    assert "there is no state yet" in done.stderr
    assert "Start the gateway once" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["gateway.toml"]


def test_an_account_may_come_first_and_its_folder_is_the_users_own(folder: Path) -> None:
    done = command("user", "add", "chief", "--config", str(folder), entered="a long enough pass phrase\n", umask=0o022)
    assert done.returncode == 0, done.stderr
    assert (folder / "state").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder / "state").iterdir())


def test_a_model_that_comes_first_leaves_a_folder_that_is_the_users_own(folder: Path) -> None:
    command("models", "install", "--from", str(folder / "none.onnx"), "--config", str(folder))
    assert (folder / "state").stat().st_mode & 0o777 == 0o700


def test_a_name_that_could_not_sign_in_is_refused_before_the_password(folder: Path) -> None:
    done = command("user", "add", "王 保安", "--config", str(folder))
    assert done.returncode == 1
    assert "user 王 保安: is no name of an account. Use 1 to 64 letters" in done.stderr
    assert not (folder / "state").exists()


def test_who_is_not_there_is_said_before_a_password_is_asked_for(folder: Path) -> None:
    assert (
        command("user", "add", "王保安", "--config", str(folder), entered="a long enough pass phrase\n").returncode == 0
    )
    (folder / "state" / "journal.db").touch()
    for words in ("passwd", "disable", "enable"):
        done = command("user", words, "nobody", "--config", str(folder))
        assert done.returncode == 1
        assert "user nobody: there is no such account. See campus-gateway user list." in done.stderr


def test_an_account_is_disabled_and_enabled_and_both_are_on_record(folder: Path) -> None:
    """Two administrators: the last one stays one."""
    for name in ("chief", "deputy"):
        words = ("user", "add", name, "--role", "admin", "--config", str(folder))
        assert command(*words, entered="a long enough pass phrase\n").returncode == 0
    (folder / "state" / "journal.db").touch()
    for verb, disabled in (("disable", True), ("enable", False)):
        done = command("user", verb, "deputy", "--config", str(folder))
        assert (done.returncode, done.stderr) == (0, f"deputy is {verb}d.\n")
        users = json.loads(command("user", "list", "--json", "--config", str(folder)).stdout)
        assert {each["name"]: each["disabled"] for each in users} == {"chief": False, "deputy": disabled}
    with closing(sqlite3.connect(folder / "state" / "state.db")) as state:
        actions = [row[0] for row in state.execute("SELECT action FROM audit ORDER BY 1")]
    assert {"disabled user", "enabled user"} <= set(actions)


def test_a_copy_says_what_is_not_in_it_and_what_it_replaced(folder: Path) -> None:
    asyncio.run(_started_once(folder / "state"))
    copy, key = folder / "copy.tar", folder / "state.key"
    for former in (False, True):
        done = command("backup", str(copy), "--config", str(folder))
        assert done.returncode == 0, done.stderr
        assert f"the master key ({key})" in done.stderr
        assert ("former copy" in done.stderr) is former
    (folder / "state").rename(folder / "old")
    done = command("restore", str(copy), "--config", str(folder))
    assert done.returncode == 0, done.stderr
    assert f"put the master key of this state to {key}" in done.stderr
    done = command("audit", "verify", "--json", "--config", str(folder))
    assert json.loads(done.stdout)["whole"] is True


def test_a_journal_that_begins_anew_is_told_from_one_that_was_tampered_with(folder: Path) -> None:
    journal = folder / "state" / "journal.db"
    asyncio.run(_started_once(folder / "state", 3))
    journal.write_bytes(b"no database at all" * 1000)
    asyncio.run(_started_once(folder / "state", 2))
    done = command("audit", "verify", "--config", str(folder))
    assert done.returncode == 0, done.stderr
    assert "The journal begins anew at position 100004, because a damaged file was put aside on 20" in done.stdout
    found = json.loads(command("audit", "verify", "--json", "--config", str(folder)).stdout)
    assert found["whole"] is True
    assert [each["position"] for each in found["begun_anew"]] == [100_004]
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("DELETE FROM event WHERE position = 100004")
    done = command("audit", "verify", "--config", str(folder))
    assert done.returncode == 1
    assert "breaks at position 100005. No start of the gateway recorded a gap there" in done.stderr
    assert "compare with the newest whole backup" in done.stderr


async def _started_once(directory: Path, events: int = 0) -> None:
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), SystemClock())
    for _ in range(events):
        event = GatewayStarted(id=new_id(), source="/site/east", subject="", time=datetime.now(UTC), version="1")
        await stores.incidents.apply((await stores.journal.append(event)).position, ())
    await stores.close()
