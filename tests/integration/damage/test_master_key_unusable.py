"""Without a usable master key presses are stored, and nothing is sealed that would be lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from integration.damage.bench import NOW, opened, press

from gateway.clock import ManualClock
from gateway.errors import PermanentError
from gateway.settings import StorageSettings
from gateway.storage import Entry, open_storage


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
