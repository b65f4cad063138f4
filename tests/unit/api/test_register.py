"""Entries made by API: none that cannot be used is kept, and none that was kept stops the next start."""

import pytest

from gateway.api import Register
from gateway.errors import PermanentError, TransientError
from gateway.settings import CameraSettings, DeviceSettings
from gateway.storage import Entry


class Shelf:
    """Stands in for the store; can be full."""

    def __init__(self) -> None:
        self.kept: dict[str, Entry] = {}
        self.full = False

    async def entries(self, _kind: str) -> list[Entry]:
        return list(self.kept.values())

    async def put(self, entry: Entry) -> None:
        if self.full:
            raise TransientError("the disk is full")
        self.kept[entry.id] = entry


class House:
    """What is live; refuses entries named "bad"."""

    def __init__(self) -> None:
        self.live: dict[str, DeviceSettings] = {}

    async def put(self, device: DeviceSettings) -> None:
        if device.name == "bad":
            raise PermanentError("cannot be used")
        self.live[device.id] = device

    async def drop(self, device: str) -> None:
        self.live.pop(device, None)


def register(shelf: Shelf, house: House, *from_file: DeviceSettings) -> Register[DeviceSettings]:
    return Register("device", DeviceSettings, from_file, "gateway.toml", shelf, house.put, house.drop)  # type: ignore[arg-type]  # what it uses of a store


@pytest.mark.parametrize(
    ("entry", "fault", "where"),
    [
        ({"topic": "a/b"}, "topic_of_own", ""),
        ({"dialect": "tasmota", "topic": "/a"}, "topic_plain", "topic"),
        ({"dialect": "sia"}, "account_of_sia", ""),
        ({"zone": "1"}, "zone_of_sia", ""),
        ({"dialect": "homie4"}, "homie_input", ""),
        ({"health_deadline_seconds": -1}, "greater_than_equal", "health_deadline_seconds"),
    ],
)
async def test_what_is_wrong_with_an_entry_has_a_name_for_other_languages(
    entry: dict[str, object], fault: str, where: str
) -> None:
    with pytest.raises(PermanentError) as refused:
        await register(Shelf(), House()).create({"id": "a"} | entry)
    assert (refused.value.code, refused.value.figures["fault"], refused.value.where) == ("field_refused", fault, where)


async def test_an_entry_that_cannot_be_used_is_not_kept() -> None:
    shelf, house = Shelf(), House()
    with pytest.raises(PermanentError):
        await register(shelf, house).create({"id": "a", "name": "bad"})
    assert not shelf.kept


async def test_an_entry_that_cannot_be_kept_does_not_stay_live() -> None:
    shelf, house = Shelf(), House()
    devices = register(shelf, house)
    await devices.create({"id": "a", "name": "old"})
    shelf.full = True
    with pytest.raises(TransientError):
        await devices.create({"id": "b"})
    with pytest.raises(TransientError):
        await devices.change("a", {"name": "new"})
    assert {each.id: each.name for each in house.live.values()} == {"a": "old"}
    assert [each.name for each in devices.all()] == ["old"]


@pytest.mark.parametrize("body", ['{"id": "b", "name": "bad"}', '{"id": "b", "health_deadline_seconds": null}', "{"])
async def test_a_stored_entry_that_cannot_be_used_does_not_stop_the_start(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    shelf, house = Shelf(), House()
    shelf.kept = {"b": Entry(kind="device", id="b", body=body), "c": Entry(kind="device", id="c", body='{"id": "c"}')}
    devices = register(shelf, house, DeviceSettings(id="a"))
    await devices.load()
    assert sorted(house.live) == ["a", "c"]
    assert "device b of the store is left out" in caplog.text
    await devices.create({"id": "b", "name": "good"})
    assert sorted(house.live) == ["a", "b", "c"]


async def test_an_endless_deadline_is_refused() -> None:
    with pytest.raises(PermanentError, match="finite"):
        await register(Shelf(), House()).create({"id": "a", "health_deadline_seconds": float("inf")})


@pytest.mark.parametrize(
    "change",
    [
        {"url": "rtsp://10.0.0.9/main"},
        {"url": "rtsp://10.0.0.1:8554/main"},
        {"url": "onvif://10.0.0.1"},
        {"sub_url": "rtsp://10.0.0.9/sub"},
    ],
)
async def test_a_stored_password_does_not_go_with_a_camera_to_another_address(change: dict[str, str]) -> None:
    async def nothing(_any: object) -> None:
        pass

    shelf = Shelf()
    cameras = Register("camera", CameraSettings, (), "gateway.toml", shelf, nothing, nothing)  # type: ignore[arg-type]  # what it uses of a store
    await cameras.create({"id": "a", "url": "rtsp://10.0.0.1/main", "username": "u", "password": "secret"})
    with pytest.raises(PermanentError, match="password"):
        await cameras.change("a", change)
    await cameras.change("a", {"url": "rtsp://10.0.0.1/other", "name": "gate"})
    assert cameras.get("a").password is not None
    await cameras.change("a", {**change, "password": None})
    assert cameras.get("a").password is None
