"""The gateway's own MQTT profile (docs/mqtt.md): what a button says, as values."""

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.alarms.dialects.said import Action, Dialect, Health, PayloadError, Presence, Said

_TOPIC = re.compile(r"campus/([A-Za-z0-9_-]{1,64})/button/([A-Za-z0-9_-]{1,64})/(event|health|state|feedback)")


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class EventPayload(_Payload):
    """What is published on ``…/event``.

    Attributes:
        id: unique per press.
        seq: the device's counter; with `boot`, the count of its starts, it tells duplicates where there is no id.
        at: when it was pressed by the device's clock.
    """

    type: Literal["press", "silent", "duress", "test", "tamper", "clear"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    at: AwareDatetime | None = None
    seq: Annotated[int, Field(ge=0, lt=1 << 53, strict=True)] | None = None
    boot: Annotated[int, Field(ge=0, lt=1 << 53, strict=True)] | None = None

    def said(self) -> Said:
        """The action that it is."""
        return Action(name=self.type, id=self.id, at=self.at, seq=self.seq, boot=self.boot)


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


_KINDS: dict[str, type[EventPayload | HealthPayload | StatePayload]] = {
    "event": EventPayload,
    "health": HealthPayload,
    "state": StatePayload,
}


def parse_topic(topic: str) -> tuple[str, str, str] | None:
    """Site, device and leaf of a topic of this profile; None if it is another."""
    found = _TOPIC.fullmatch(topic)
    return (found[1], found[2], found[3]) if found else None


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a device said on a topic that ends with event, health or state.

    Raises:
        PayloadError: it is no JSON object of that kind.
    """
    kind = _KINDS.get(topic.rpartition("/")[2])
    if kind is None:
        return ()
    try:
        return (kind.model_validate_json(payload).said(),)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise PayloadError(first["msg"], where=place) from None


def topics(address: str) -> tuple[str, ...]:
    """What a button publishes on; its address is ``campus/<site>/button/<device>``."""
    return tuple(f"{address}/{leaf}" for leaf in _KINDS)


def feedback_topic(site: str, device: str) -> str:
    """Where a button is answered."""
    return f"campus/{site}/button/{device}/feedback"


DIALECT = Dialect(
    name="campus",
    decode=decode,
    topics=topics,
    address="campus/{site}/button/{device}",
    meanings={each: each for each in ("press", "silent", "duress", "test", "tamper", "clear")},
)
