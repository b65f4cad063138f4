"""The gateway's own MQTT profile (docs/mqtt.md): what a button says, as values."""

import hashlib
import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.alarms.dialects.reading import count, moment, object_of
from gateway.alarms.dialects.said import Action, Dialect, Health, PayloadError, Presence, Said

_TOPIC = re.compile(r"campus/([A-Za-z0-9_-]{1,64})/button/([A-Za-z0-9_-]{1,64})/(event|health|state|feedback)")
_DIGITS = re.compile(r"[0-9]{1,15}")
_EVENT = "event"
_LONGEST_ID = 128
_ACTIONS: Final[tuple[Literal["press", "silent", "duress", "test", "tamper", "clear"], ...]] = (
    "press",
    "silent",
    "duress",
    "test",
    "tamper",
    "clear",
)


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class HealthPayload(_Payload):
    """What is published on ``…/health``: battery in percent, rssi in dBm, uptime in seconds, tamper while open."""

    battery: Annotated[float, Field(ge=0, le=100, strict=True)] | None = None
    rssi: Annotated[float, Field(ge=-200, le=100, strict=True)] | None = None
    firmware: Annotated[str, StringConstraints(max_length=64)] | None = None
    uptime: Annotated[float, Field(ge=0, le=1e12, strict=True)] | None = None
    tamper: Annotated[bool, Field(strict=True)] | None = None

    def said(self) -> Said:
        """The health that it is."""
        return Health(
            battery=self.battery, rssi=self.rssi, firmware=self.firmware, uptime=self.uptime, tamper=self.tamper
        )


class StatePayload(_Payload):
    """What is published on ``…/state``, retained, and as the last will."""

    online: Annotated[bool, Field(strict=True)]

    def said(self) -> Said:
        """The presence that it is."""
        return Presence(online=self.online)


_KINDS: dict[str, type[HealthPayload | StatePayload]] = {"health": HealthPayload, "state": StatePayload}


def parse_topic(topic: str) -> tuple[str, str, str] | None:
    """Site, device and leaf of a topic of this profile; None if it is another."""
    found = _TOPIC.fullmatch(topic)
    return (found[1], found[2], found[3]) if found else None


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a device said on a topic that ends with event, health or state.

    Raises:
        PayloadError: it is no JSON object of that kind.
    """
    leaf = topic.rpartition("/")[2]
    if leaf == _EVENT:
        return (event_of(payload),)
    kind = _KINDS.get(leaf)
    if kind is None:
        return ()
    try:
        return (kind.model_validate_json(payload).said(),)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise PayloadError(first["msg"], where=place, code="payload_field") from None


def event_of(payload: bytes) -> Action:
    """What is published on ``…/event``.

    A press is a press whatever stands beside its type: a field that cannot be read is left out and named.

    Raises:
        PayloadError: it is no JSON object with a known type.
    """
    body = object_of(payload)
    kind = body.get("type")
    name = kind.strip().lower() if isinstance(kind, str) else ""
    if name not in _ACTIONS:
        choices = ", ".join(_ACTIONS)
        raise PayloadError(f"should be one of {choices}", where="type", code="payload_type", choices=choices)
    fields = {field: read(body[field]) for field, read in _FIELDS.items() if body.get(field) is not None}
    flaws = tuple(f"{field} {_WANTED[field]}" for field, value in fields.items() if value is None)
    return Action(name=name, flaws=flaws, **fields)


def _identity(value: object) -> str | None:
    """A press's own id: text as it is, also a number; one that is too long or of no characters by its hash."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if math.isfinite(value) else None
    if not isinstance(value, str) or not value:
        return None
    raw = value.encode("utf-8", "surrogatepass")
    if len(value) <= _LONGEST_ID and raw.decode("utf-8", "ignore") == value:
        return value
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _counter(value: object) -> int | None:
    return count(int(value)) if isinstance(value, str) and _DIGITS.fullmatch(value) else count(value)


_FIELDS: dict[str, Callable[[object], Any]] = {"id": _identity, "at": moment, "seq": _counter, "boot": _counter}
_WANTED = {
    "id": "should be text",
    "at": "should be a time with its zone (RFC 3339)",
    "seq": "should be a whole number from 0 on",
    "boot": "should be a whole number from 0 on",
}


def topics(address: str) -> tuple[str, ...]:
    """What a button publishes on; its address is ``campus/<site>/button/<device>``."""
    return tuple(f"{address}/{leaf}" for leaf in (_EVENT, *_KINDS))


def feedback_topic(site: str, device: str) -> str:
    """Where a button is answered."""
    return f"campus/{site}/button/{device}/feedback"


DIALECT = Dialect(
    name="campus",
    decode=decode,
    topics=topics,
    address="campus/{site}/button/{device}",
    meanings={each: each for each in _ACTIONS},
)
