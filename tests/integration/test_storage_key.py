"""A master key that is not the one of the state: it is told, and what needs no key works on."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.sealing import new_key
from gateway.settings import StorageSettings
from gateway.storage import Entry, Person, Stores, WrongKeyError, open_storage, open_watchlist

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StorageSettings:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return StorageSettings(directory=tmp_path / "state", reserve_megabytes=1)


def exchange_key(settings: StorageSettings) -> bytes:
    """Put another key in the place of the one that the first start made; returns that one."""
    path = settings.directory.with_name("state.key")
    before = path.read_bytes()
    put_key(settings, base64.b64encode(new_key()))
    return before


def put_key(settings: StorageSettings, content: bytes) -> None:
    path = settings.directory.with_name("state.key")
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o400)


async def opened(settings: StorageSettings) -> Stores:
    return await open_storage(settings, SystemClock())


def listed() -> Person:
    return Person(
        id="p-1",
        name="张三",
        category="barred",
        reason="order",
        authority="police",
        valid_until=NOW + timedelta(days=1),
        created=NOW,
        updated=NOW,
        created_by="admin",
    )


async def test_the_key_of_the_first_start_fits_at_later_ones(settings: StorageSettings) -> None:
    for _ in range(2):
        stores = await opened(settings)
        assert stores.wrong_key is None
        await stores.close()


async def test_another_key_is_told_with_its_place_and_remedy_until_the_right_one_is_back(
    settings: StorageSettings,
) -> None:
    await (await opened(settings)).close()
    right = exchange_key(settings)
    stores = await opened(settings)
    with pytest.raises(WrongKeyError):
        await stores.watchlist.add(listed())
    await stores.close()
    assert isinstance(stores.wrong_key, WrongKeyError)
    assert stores.wrong_key.where == str(settings.directory.with_name("state.key"))
    assert "restart the gateway" in stores.wrong_key.remedy
    with pytest.raises(WrongKeyError):
        await open_watchlist(settings)
    put_key(settings, right)
    stores = await opened(settings)
    await stores.close()
    assert stores.wrong_key is None


async def test_a_state_of_before_the_check_is_judged_by_its_people(settings: StorageSettings) -> None:
    stores = await opened(settings)
    await stores.watchlist.add(listed())
    await stores._state.write(lambda c: c.execute("DELETE FROM entry"))
    await stores.close()
    exchange_key(settings)
    for _ in range(2):
        stores = await opened(settings)
        await stores.close()
        assert stores.wrong_key is not None, "nothing is sealed for a key that does not fit"


async def test_buttons_of_the_store_need_no_key_and_sealed_credentials_are_left_out(settings: StorageSettings) -> None:
    stores = await opened(settings)
    await stores.entries.put(Entry(kind="device", id="btn-01", body="{}", secrets={}))
    await stores.entries.put(Entry(kind="camera", id="cam-01", body="{}", secrets={"password": "x"}))
    await stores.close()
    exchange_key(settings)
    stores = await opened(settings)
    devices, cameras = await stores.entries.entries("device"), await stores.entries.entries("camera")
    await stores.close()
    assert [(each.id, each.secrets) for each in devices] == [("btn-01", {})]
    assert cameras == []
