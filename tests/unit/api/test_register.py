"""Entries made by API: none that cannot be used is kept, and none that was kept stops the next start."""

from typing import Any

import pytest

from gateway.api import Register
from gateway.api.installation import EntryRefusedError, FileEntryError, shown, shown_description
from gateway.errors import PermanentError, TransientError
from gateway.settings import CameraSettings, DestinationSettings, DeviceSettings
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

    async def replace(self, entry: Entry) -> None:
        await self.put(entry)

    async def delete(self, _kind: str, identity: str) -> None:
        del self.kept[identity]


async def nothing(_any: object) -> None:
    """Nothing is live."""


def receivers(shelf: Shelf) -> Register[DestinationSettings]:
    return Register("destination", DestinationSettings, (), "gateway.toml", shelf, nothing, nothing)  # type: ignore[arg-type]  # what it uses of a store


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


async def test_every_field_that_is_wrong_is_told_in_words() -> None:
    with pytest.raises(EntryRefusedError) as refused:
        await register(Shelf(), House()).create({"id": "a b", "naem": "x", "health_deadline_seconds": "soon"})
    told = {each["where"]: (each["what"], each["remedy"]) for each in refused.value.faults}
    assert set(told) == {"id", "naem", "health_deadline_seconds"}
    assert told["id"] == ("has not the right form", "Use 1 to 64 of A-Z a-z 0-9 _ -.")
    assert told["naem"][1].startswith("Did you mean name? Known here: account,")


@pytest.mark.parametrize(
    "body", [{f"k{number}": 1 for number in range(5_000)}, {"linked_cameras": [1] * 5_000}, {"k" * 100_000: 1}]
)
async def test_of_very_many_or_long_faults_the_first_are_told(body: dict[str, object]) -> None:
    with pytest.raises(EntryRefusedError) as refused:
        await register(Shelf(), House()).create({"id": "a"} | body)
    faults = refused.value.faults
    assert len(faults) <= 21
    assert (faults[-1]["what"] == "and 4980 more") is (len(faults) == 21)
    assert len(str(faults)) < 20_000


async def test_an_address_has_an_end() -> None:
    with pytest.raises(EntryRefusedError, match="2048"):
        await receivers(Shelf()).create({"id": "a", "url": "http://10.0.0.1/?" + "a" * 2048})


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
    shelf = Shelf()
    cameras = Register("camera", CameraSettings, (), "gateway.toml", shelf, nothing, nothing)  # type: ignore[arg-type]  # what it uses of a store
    await cameras.create({"id": "a", "url": "rtsp://10.0.0.1/main", "username": "u", "password": "secret"})
    with pytest.raises(PermanentError, match="password"):
        await cameras.change("a", change)
    await cameras.change("a", {"url": "rtsp://10.0.0.1/other", "name": "gate"})
    assert cameras.get("a").password is not None
    await cameras.change("a", {**change, "password": None})
    assert cameras.get("a").password is None


async def test_what_the_file_has_counts_and_the_other_is_told_and_can_be_removed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf, house = Shelf(), House()
    shelf.kept = {each: Entry(kind="device", id=each, body=f'{{"id": "{each}", "name": "api"}}') for each in "ab"}
    devices = register(shelf, house, DeviceSettings(id="a", name="file"))
    await devices.load()
    assert {each.id: each.name for each in house.live.values()} == {"a": "file", "b": "api"}
    (cause,) = devices.faults
    assert (cause.fault, cause.figures["id"], cause.figures["file"]) == ("entry_in_both", "a", "gateway.toml")
    assert "DELETE" in cause.words
    assert cause.words in caplog.text
    with pytest.raises(FileEntryError):
        await devices.change("a", {"name": "other"})
    await devices.delete("a")
    assert (sorted(shelf.kept), sorted(house.live), devices.get("a").name) == (["b"], ["a", "b"], "file")
    with pytest.raises(FileEntryError):
        await devices.delete("a")


async def test_an_entry_that_is_left_out_is_told_and_can_be_removed_or_made_anew() -> None:
    shelf, house = Shelf(), House()
    shelf.kept = {each: Entry(kind="device", id=each, body=f'{{"id": "{each}", "name": "bad"}}') for each in "ab"}
    devices = register(shelf, house)
    await devices.load()
    assert [(each.fault, each.figures["id"]) for each in devices.faults] == [
        ("entry_left_out", "a"),
        ("entry_left_out", "b"),
    ]
    await devices.delete("a")
    await devices.create({"id": "b", "name": "good"})
    assert {name: "good" in each.body for name, each in shelf.kept.items()} == {"b": True}
    await devices.delete("b")
    assert not house.live


TOKEN_URL, OPEN_URL = "https://h/hook?token=Geheim7", "https://h/hook"


async def test_what_an_address_holds_behind_its_path_is_sealed_and_shown_to_administrators_only() -> None:
    shelf = Shelf()
    made = await receivers(shelf).create({"id": "d", "url": TOKEN_URL})
    assert "Geheim7" not in shelf.kept["d"].body
    assert shelf.kept["d"].secrets == {"url": TOKEN_URL}
    assert (shown(made, whole=True)["url"], shown(made, whole=False)["url"]) == (TOKEN_URL, OPEN_URL)
    again = receivers(shelf)
    await again.load()
    assert again.get("d").url == TOKEN_URL
    await again.change("d", {"minimum_level": 1})
    assert shelf.kept["d"].secrets == {"url": TOKEN_URL}
    await again.change("d", {"url": OPEN_URL})
    assert shelf.kept["d"].secrets == {}


async def test_both_addresses_of_a_camera_are_sealed_beside_its_password() -> None:
    shelf = Shelf()
    cameras = Register("camera", CameraSettings, (), "gateway.toml", shelf, nothing, nothing)  # type: ignore[arg-type]  # what it uses of a store
    url, sub_url = "rtsp://10.0.0.1/live?user=a&password=Geheim7", "rtsp://10.0.0.1/user=a&password=Geheim8"
    await cameras.create({"id": "c", "url": url, "sub_url": sub_url, "password": "Geheim9"})
    assert "Geheim" not in shelf.kept["c"].body
    again = Register("camera", CameraSettings, (), "gateway.toml", shelf, nothing, nothing)  # type: ignore[arg-type]  # what it uses of a store
    await again.load()
    found = again.get("c")
    assert (found.url, found.sub_url, found.password and found.password.get_secret_value()) == (url, sub_url, "Geheim9")
    assert "Geheim" not in str(shown(found, whole=False))


@pytest.mark.parametrize("full", [False, True])
async def test_an_address_that_a_former_version_kept_open_is_sealed_at_the_start(full: bool) -> None:
    """On a full disk it stays open until a later start; the destination works all the same."""
    shelf = Shelf()
    body = f'{{"id": "d", "url": "{TOKEN_URL}"}}'
    shelf.kept["d"] = Entry(kind="destination", id="d", body=body)
    shelf.full = full
    destinations = receivers(shelf)
    await destinations.load()
    assert destinations.get("d").url == TOKEN_URL
    assert ("Geheim7" in shelf.kept["d"].body) is full
    assert destinations.faults == []


async def test_an_address_with_a_password_that_a_former_version_took_stops_no_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf()
    for name, userinfo in {"d": "office:Geheim7", "e": "office:Geheim7/x"}.items():
        body = f'{{"id": "{name}", "url": "https://{userinfo}@h/hook"}}'
        shelf.kept[name] = Entry(kind="destination", id=name, body=body)
    destinations = receivers(shelf)
    await destinations.load()
    assert [each.figures["id"] for each in destinations.faults] == ["d", "e"]
    assert "credentials do not belong in the url" in destinations.faults[0].words
    assert "Geheim" not in caplog.text + repr(destinations.faults)


@pytest.mark.parametrize("userinfo", ["office:Geheim7", "Geheim7", "office:Geheim7/x", "office:Geheim7#1"])
async def test_an_address_with_a_password_is_refused_without_repeating_it(userinfo: str) -> None:
    with pytest.raises(PermanentError) as refused:
        await receivers(Shelf()).create({"id": "d", "url": f"https://{userinfo}@h/hook"})
    error = refused.value
    assert (error.where, error.figures["fault"]) == ("url", "url_credentials")
    assert "Geheim" not in f"{error}{error.figures}"


def test_addresses_that_a_camera_tells_are_cut_as_those_that_were_entered() -> None:
    told = {"model": "XM", "stream": "rtsp://h:554/user=admin_password=Geheim7_channel=1.sdp?real", "snapshot": None}
    assert shown_description(told, whole=True) == told
    assert shown_description(told, whole=False) == told | {"stream": "rtsp://h:554/"}


async def test_there_is_an_end_of_entries_by_api() -> None:
    """A thousand cameras by a slip of the hand would start as many children as the machine cannot hold."""
    of_file = DeviceSettings(id="btn-00")
    shelf, house = Shelf(), House()
    store: Any = shelf
    entries = Register("device", DeviceSettings, (of_file,), "gateway.toml", store, house.put, house.drop, 2)
    await entries.load()
    await entries.create({"id": "btn-01"})

    with pytest.raises(PermanentError, match="2 entries") as refused:
        await entries.create({"id": "btn-02"})

    assert (refused.value.code, entries.room, set(house.live)) == ("too_many_entries", 0, {"btn-00", "btn-01"})
    await entries.delete("btn-01")
    await entries.create({"id": "btn-02"})
