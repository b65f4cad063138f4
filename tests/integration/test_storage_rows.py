"""Rows of ``state.db`` that bit rot made unreadable do not stop the start: they are dropped or made anew, and told."""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.daemon.response import Response
from gateway.events import ButtonPressed, Event, Severity
from gateway.settings import Settings, StorageSettings
from gateway.storage import (
    ApiToken,
    Deadline,
    Entry,
    Incident,
    Post,
    Session,
    StorageDamagedError,
    Stores,
    User,
    open_storage,
)
from gateway.storage.readers import Readers

NOW = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
SECRET = "$argon2id$v=19$m=47104,t=1,p=1$DyUsspldtxZlsbz9C"
LATER = NOW + timedelta(days=1)


async def opened(directory: Path, at: datetime = NOW) -> Stores:
    return await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), ManualClock(at))


def responding(stores: Stores, directory: Path, told: list[Event]) -> Response:
    settings = Settings.model_validate({"gateway": {"site": "s"}, "storage": {"directory": str(directory)}})

    def tell(_incident: Incident, event: Event) -> None:
        told.append(event)

    return Response(
        settings, stores, ManualClock(NOW), device=lambda _name: None, switch=lambda *_output: None, on_transition=tell
    )


def press(name: str) -> ButtonPressed:
    source = f"/site/s/button/{name}"
    return ButtonPressed(id=name, source=source, subject=name, time=NOW, device=name, severity=Severity.CRITICAL)


async def filled(directory: Path) -> None:
    stores = await opened(directory)
    for name in ("li", "wang"):
        await stores.accounts.add_user(User(name=name, role="admin", password=SECRET, created=NOW))
        await stores.accounts.open_session(Session(key=f"key {name}", user=name, created=NOW, seen=NOW, ends=LATER))
        await stores.accounts.add_token(ApiToken(id=name, key=f"key {name}", name=name, role="viewer", created=NOW))
        await stores.entries.put(Entry(kind="device", id=name, body="{}"))
        await stores.posts.put(Post(id=name, key=f"key {name}", name=name, created=NOW, created_by="li"))
    await stores.devices.save(0, {"li": "{}", "wang": "{}"})
    await stores.incidents.keep_deadlines([Deadline(name, "raised", "boot", 1.0, NOW) for name in ("li", "wang")], ())
    await stores.close()


def spoil(directory: Path, table: str, column: str, *, value: bytes = b"a\xff\xe4" * 3, file: str = "state.db") -> None:
    """Bytes that are no UTF-8 (or others) in the first row's text."""
    work = f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE rowid = (SELECT min(rowid) FROM {table})"  # noqa: S608  # fixed names
    with closing(sqlite3.connect(directory / file)) as connection, connection:
        connection.execute(work, (value,))


ROWS = [
    ("user", "password"),
    ("session", "key"),
    ("session", "seen"),
    ("api_token", "key"),
    ("device", "body"),
    ("deadline", "wait"),
    ("deadline", "wall"),
    ("post", "key"),
]


async def everything(stores: Stores) -> dict[str, int]:
    accounts = stores.accounts
    return {
        "user": len(await accounts.users()),
        "session": len(await accounts.sessions_of("li")) + len(await accounts.sessions_of("wang")),
        "api_token": len(await accounts.tokens()),
        "entry": len(await stores.entries.entries("device")),
        "device": len((await stores.devices.load())[1]),
        "deadline": len(await stores.incidents.deadlines()),
        "post": len(await stores.posts.posts()),
    }


@pytest.mark.parametrize(("table", "column"), ROWS)
async def test_a_row_that_cannot_be_read_is_dropped_and_told(
    tmp_path: Path, table: str, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(tmp_path)
    spoil(tmp_path, table, column)
    with caplog.at_level(logging.CRITICAL):
        stores = await opened(tmp_path)
    (fault,) = stores.faults
    left = await everything(stores)
    await stores.close()
    assert fault.fault == "rows_unreadable"
    assert f"by table: {table} (1)" in fault.detail
    assert "argon2" not in fault.detail + caplog.text
    assert left == dict.fromkeys(left, 2) | {table: 1} | ({"session": 1} if table == "user" else {})
    stores = await opened(tmp_path)
    await stores.close()
    assert not stores.faults, "told once: they are gone"


async def test_an_entry_that_cannot_be_read_is_dropped(tmp_path: Path) -> None:
    await filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection, connection:
        connection.execute("UPDATE entry SET body = CAST(x'7bff7d' AS TEXT) WHERE id = 'li'")
    stores = await opened(tmp_path)
    left = [each.id for each in await stores.entries.entries("device")]
    await stores.close()
    assert left == ["wang"]
    assert ["entry (1)" in each.detail for each in stores.faults] == [True]


@pytest.mark.parametrize("value", [b'z"id": "not json"}', b'{"id": "\xff"}', b'{"id": "no incident"}'])
async def test_an_incident_that_cannot_be_read_is_made_anew_and_told_to_no_button_again(
    tmp_path: Path, value: bytes
) -> None:
    told: list[Event] = []
    stores = await opened(tmp_path)
    response = responding(stores, tmp_path, told)
    await response.load()
    for name in ("one", "two", "three"):
        await stores.journal.append(press(name))
    await response.desk.catch_up()
    known = {each.id: each for each in response.desk.unresolved()}
    await response.desk.acknowledge(next(iter(known)), actor="wang", command_id="c-1")
    before = sorted((each.id, each.state, each.count) for each in response.desk.unresolved())
    await stores.close()
    spoil(tmp_path, "incident", "body", value=value)
    told.clear()
    stores = await opened(tmp_path, LATER)
    response = responding(stores, tmp_path, told)
    await response.load()
    await response.desk.catch_up()
    after = sorted((each.id, each.state, each.count) for each in response.desk.unresolved())
    listed = await stores.incidents.list(discreet=False)
    await stores.close()
    assert len(before) == 3
    assert after == before
    assert len(listed) == 3
    assert told == []
    assert ["incident (1)" in each.detail for each in stores.faults] == [True]


@pytest.mark.parametrize(
    ("file", "table", "column"), [("state.db", "audit", "detail"), ("journal.db", "event", "source")]
)
async def test_a_row_that_nobody_reads_at_the_start_stays(tmp_path: Path, file: str, table: str, column: str) -> None:
    stores = await opened(tmp_path)
    await stores.audit.append(at=NOW, actor="wang", action="user.add", detail="li")
    await stores.journal.append(press("one"))
    await stores.close()
    spoil(tmp_path, table, column, file=file)
    stores = await opened(tmp_path)
    entries, intact = await stores.audit.entries(), await stores.audit.verify()
    await stores.close()
    assert not stores.faults
    assert [each.actor for each in entries] == ["wang"]
    assert intact == (1 if table == "audit" else None)


async def test_an_old_incident_that_cannot_be_read_is_left_out_of_a_list(tmp_path: Path) -> None:
    stores = await opened(tmp_path)
    response = responding(stores, tmp_path, [])
    await response.load()
    await stores.journal.append_all([press("one"), press("two")])
    await response.desk.catch_up()
    spoil(tmp_path, "incident", "body", value=b"z")
    shown = [await stores.incidents.list(discreet=each) for each in (True, False)]
    await stores.close()
    assert [len(each) for each in shown] == [1, 1]


async def test_no_value_of_a_column_is_in_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await filled(tmp_path)
    spoil(tmp_path, "user", "password", value=SECRET.encode() + b"\xff")
    readers = Readers(tmp_path / "state.db", "reader")
    with pytest.raises(StorageDamagedError, match="Could not decode to UTF-8 column 'password'") as caught:
        await readers.run(lambda connection: connection.execute("SELECT password FROM user").fetchall())
    await readers.close()
    logging.getLogger("test").error("it failed", exc_info=caught.value)
    assert "argon2" not in caplog.text + str(caught.value)


async def test_no_value_of_a_column_is_in_an_error_of_a_writers_work(tmp_path: Path) -> None:
    stores = await opened(tmp_path)
    secret = SECRET.encode().hex()
    work = f"SELECT CAST(x'{secret}ff' AS TEXT) AS password"
    with pytest.raises((sqlite3.Error, StorageDamagedError), match="decode") as caught:
        await stores.journal.submit(lambda connection: connection.execute(work).fetchall())
    await stores.close()
    assert "argon2" not in str(caught.value)
    assert "argon2" not in repr(caught.value.__cause__)
