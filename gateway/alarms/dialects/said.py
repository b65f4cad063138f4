"""What a device said, in values that every dialect shares: actions, conditions, health, presence, troubles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.errors import PermanentError
from gateway.settings import Meaning

PRESSES = frozenset({"press", "silent", "duress"})
DISCREET = frozenset({"silent", "duress"})


class PayloadError(PermanentError):
    """A payload that the dialect does not know; the text names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that happened once, such as a push.

    Attributes:
        name: in the maker's words, such as ``single_push``; the device's entry or the dialect gives it its meaning.
        part: which input of the device it was; empty if it has one only.
        id: the device's own id of it.
        at: when, by the device's clock.
        seq: the device's counter; with `boot`, the count of its starts, it never comes twice.
        certain: its id holds its moment, or it is said again until the next one: the same is a copy, however late.
        detail: more of it in words, for the guard.
        flaws: what was left out of it, because it could not be read.
    """

    name: str
    part: str = ""
    id: str | None = None
    at: datetime | None = None
    seq: int | None = None
    boot: int | None = None
    detail: str | None = None
    certain: bool = False
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is so or not and is said again and again, such as ``"sos": true``; its change is the press.

    `detail`: more of it in words, for the guard.
    """

    name: str
    active: bool
    part: str = ""
    at: datetime | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a device is; None: it did not say.

    Attributes:
        battery: percent.
        battery_low: its own judgement, of those that give no percentage or do.
        tamper: whether it is open or was moved.
        rssi: dBm.
        link_quality: 0 to 255, as Zigbee counts it.
        uptime: seconds since its start.
    """

    battery: float | None = None
    battery_low: bool | None = None
    tamper: bool | None = None
    rssi: float | None = None
    link_quality: float | None = None
    firmware: str | None = None
    uptime: float | None = None
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a device is connected, by its own word or its last will; `bridge`: what it is reached through."""

    online: bool
    bridge: bool = False
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something is wrong with the device, or is right again.

    Attributes:
        detail: in words.
        reason: the name of those words, if they are the gateway's; see `gateway.events.Cause`.
    """

    name: str
    active: bool
    detail: str = ""
    part: str = ""
    reason: str = ""


Said = Action | Condition | Health | Presence | Trouble
Decode = Callable[[str, bytes], tuple[Said, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One entry of the table of dialects.

    Attributes:
        decode: topic and payload to what was said, in order; pure. Raises PayloadError.
        topics: the filters (MQTT 5.0 §4.7) that a device of an address publishes on.
        address: the address of a device whose entry gives none; ``{device}`` is its id.
        meanings: what actions and conditions mean unless the device's entry says otherwise.
    """

    name: str
    decode: Decode
    topics: Callable[[str], tuple[str, ...]]
    address: str
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
