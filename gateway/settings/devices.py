"""Settings of alarm devices: what each speaks, what its actions mean, and dialects that an installer describes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.base import EntrySlice, Label, Name, Slice

BUILT_IN_DIALECTS = ("campus", "zigbee2mqtt", "shelly1", "shelly2", "tasmota", "homie4", "homie5", "sia", "onvif")
Meaning = Literal["press", "silent", "duress", "test", "tamper", "clear", "ignore"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Account = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{3,16}$")]
_DAYS = 366.0


def _plain(topic: str) -> str:
    if any(each in topic for each in "+#\0") or topic.startswith(("/", "$")) or topic.endswith("/"):
        raise PydanticCustomError(
            "topic_plain", "a device's topic has no wildcards, and neither begins nor ends with a slash"
        )
    return topic


def _pattern(topic: str) -> str:
    levels = topic.split("/")
    if "{address}" not in levels[0] and levels[0] in ("", "+", "#", "campus"):
        raise ValueError("the topic must begin with {address} or a name of its own")
    if any("#" in each and each != "#" for each in levels) or "#" in levels[:-1]:
        raise ValueError("# stands alone, at the end")
    if any("+" in each and each != "+" for each in levels) or "{address}" not in topic:
        raise ValueError("+ stands for one whole level, and {address} must be in it")
    return topic


def _pointer(pointer: str) -> str:
    if pointer and not pointer.startswith("/"):
        raise ValueError("a JSON pointer (RFC 6901) is empty or begins with a slash")
    return pointer


Topic = Annotated[str, StringConstraints(max_length=512), AfterValidator(_plain)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_pattern)]
Pointer = Annotated[str, StringConstraints(max_length=256), AfterValidator(_pointer)]


class DeviceSettings(EntrySlice):
    """An alarm device (button).

    Attributes:
        dialect: what it speaks; ``campus`` is the gateway's own profile, ``sia`` a zone of an alarm panel.
        topic: where it publishes, without wildcards; each dialect has its own default (docs/devices.md).
        input: the one input of the device that is the button, such as ``input:1``; empty: each.
        actions: what the device's words mean where that is not the dialect's default, such as
            ``{"double": "silent", "input:1/single_push": "ignore"}``.
        camera: whose dry contact the button is wired to; `input` is the contact's token, empty: each.
        normally: how that contact is at rest; ``open`` alarms when the camera says that it is active.
        account, zone: of a SIA panel; without zone it stands for every zone that no other device has.
        health_deadline_seconds: silent for longer, it counts as lost.
        sleeps: it connects only to say something; that it is offline means nothing then.
        press_test_days: after so many days without a loud press or test a reminder asks for one; 0: never.
        linked_cameras: cameras whose picture belongs to its presses.
        looks: which preset a camera turns to on a press, such as ``{"cam-01": "2"}``; a silent one moves none.
        look_seconds: after so long it turns back to its `home_preset`.
        reports_clear: it says when its condition is over (``clear``); before that only a forced resolve ends its
            incident.
    """

    name: Label = ""
    place: Label = ""
    dialect: Name = "campus"
    topic: Topic = ""
    input: Annotated[str, StringConstraints(max_length=128)] = ""
    actions: Annotated[dict[Word, Meaning], Field(max_length=64)] = Field(default_factory=dict)
    camera: Name | None = None
    normally: Literal["open", "closed"] = "open"
    account: Account | None = None
    zone: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}$")] | None = None
    health_deadline_seconds: Annotated[float, Field(ge=5, le=31 * 86400)] = 180.0
    sleeps: bool = False
    press_test_days: Annotated[float, Field(ge=0, le=_DAYS)] = 31.0
    battery_low_percent: Annotated[float, Field(ge=0, le=100)] = 20.0
    linked_cameras: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    looks: Annotated[dict[Name, Word], Field(max_length=16)] = Field(default_factory=dict)
    look_seconds: Annotated[float, Field(ge=5, le=3600)] = 60.0
    reports_clear: bool = False

    def links(self) -> Iterator[tuple[str, str]]:
        """Each camera that it names, behind the key that names it."""
        if self.camera is not None:
            yield "camera", self.camera
        yield from (("linked_cameras", each) for each in self.linked_cameras)
        yield from (("looks", each) for each in self.looks)

    @model_validator(mode="after")
    def _fits_its_dialect(self) -> Self:
        if (self.dialect == "sia") != (self.account is not None):
            what = 'account belongs to dialect "sia", which needs it: the 3 to 16 hex digits of the panel'
            raise PydanticCustomError("account_of_sia", what)
        if self.zone is not None and self.account is None:
            raise PydanticCustomError("zone_of_sia", 'zone belongs to dialect "sia"')
        if (self.dialect == "onvif") != (self.camera is not None):
            what = 'camera belongs to dialect "onvif", which needs it: the id of the camera'
            raise PydanticCustomError("camera_of_onvif", what)
        if self.dialect == "onvif" and self.topic:
            what = "a camera's contact has no topic: it is heard over ONVIF"
            raise PydanticCustomError("topic_of_contact", what, {"compares": "dialect topic"})
        if self.normally != "open" and self.camera is None:
            raise PydanticCustomError("normally_of_onvif", 'normally belongs to dialect "onvif"')
        if self.dialect.startswith("homie") and not self.input:
            what = 'a Homie device needs input: the button\'s property, such as "panic/action"'
            raise PydanticCustomError("homie_input", what)
        if self.dialect == "campus" and self.topic:
            what = "a device of the gateway's own profile has its topic from site and id"
            raise PydanticCustomError("topic_of_own", what, {"compares": "dialect topic"})
        return self


class MessageSettings(Slice):
    """One kind of message of a dialect that is described here.

    Attributes:
        topic: pattern in which ``{address}`` stands for the device's topic, and ``+`` for one level.
        value: JSON pointer (RFC 6901) to what `values` name; without it the whole payload is the value, as text.
        values: what each value means; numbers and booleans as JSON writes them, such as ``"1"`` and ``"true"``.
        lasts: the value is a state that is said again and again, so that its change is the press.
        id, seq, at: JSON pointers to the press's id, a counter and its time.
        online: values that say connected and not connected, in this order; of a topic that says so.
        battery, rssi, firmware: JSON pointers; empty: the whole payload.
    """

    topic: Pattern
    value: Pointer | None = None
    values: Annotated[dict[str, Meaning], Field(max_length=64)] = Field(default_factory=dict)
    lasts: bool = False
    id: Pointer | None = None
    seq: Pointer | None = None
    at: Pointer | None = None
    online: tuple[Word, Word] | None = None
    battery: Pointer | None = None
    rssi: Pointer | None = None
    firmware: Pointer | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        told = (self.online, self.battery, self.rssi, self.firmware)
        if not self.values and all(each is None for each in told):
            raise ValueError("it tells nothing: give values, online, battery, rssi or firmware")
        if self.values and self.online is not None:
            raise ValueError("give values or online, not both: they read the same value")
        return self


class DialectSettings(EntrySlice):
    """A dialect that an installer describes, so that an unknown button joins without code."""

    messages: Annotated[tuple[MessageSettings, ...], Field(min_length=1, max_length=32)]

    @model_validator(mode="after")
    def _has_its_own_name(self) -> Self:
        if self.id in BUILT_IN_DIALECTS:
            raise ValueError(f"the gateway has a dialect {self.id} of its own; choose another id")
        return self


class SiaAccountSettings(Slice):
    """An alarm panel's account.

    Attributes:
        account: 3 to 16 hex digits, in capitals.
        key, key_file: AES key of 128, 192 or 256 bits: 32, 48 or 64 hex digits, or as many bytes as ASCII text.
    """

    account: Account
    key: SecretStr | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key is not None and self.key_file is not None:
            raise ValueError("give key or key_file, not both")
        return self


class SiaSettings(Slice):
    """The receiver for alarm panels that speak SIA DC-09.

    Attributes:
        host, port: where it listens, with TCP and UDP alike; port 0 takes a free one.
        allow_plain: take unencrypted frames on an address that others reach; without it such a frame is refused there.
        ahead_seconds, behind_seconds: how far a panel's time stamp may be from this clock (DC-09 §5.5.1.9).
        max_connections: open TCP connections.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 12300
    accounts: tuple[SiaAccountSettings, ...] = ()
    allow_plain: bool = False
    ahead_seconds: Annotated[float, Field(gt=0, le=3600)] = 20.0
    behind_seconds: Annotated[float, Field(gt=0, le=3600)] = 40.0
    max_connections: Annotated[int, Field(ge=1, le=10_000)] = 256

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.account for each in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("an account is there more than once")
        return self
