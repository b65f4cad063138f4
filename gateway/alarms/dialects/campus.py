"""The gateway's own MQTT profile (docs/mqtt.md): what a button says, as values."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gateway.errors import PermanentError

_TOPIC = re.compile(r"campus/([A-Za-z0-9_-]{1,64})/button/([A-Za-z0-9_-]{1,64})/(event|health|state|feedback)")


class PayloadError(PermanentError):
    """A payload that is not of this profile; the text names the field."""


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
    seq: Annotated[int, Field(ge=0, strict=True)] | None = None
    boot: Annotated[int, Field(ge=0, strict=True)] | None = None


class HealthPayload(_Payload):
    """What is published on ``…/health``: battery in percent, rssi in dBm, uptime in seconds."""

    battery: Annotated[float, Field(ge=0, le=100, strict=True)] | None = None
    rssi: Annotated[float, Field(ge=-200, le=100, strict=True)] | None = None
    firmware: Annotated[str, StringConstraints(max_length=64)] | None = None
    uptime: Annotated[float, Field(ge=0, strict=True)] | None = None


class StatePayload(_Payload):
    """What is published on ``…/state``, retained, and as the last will."""

    online: Annotated[bool, Field(strict=True)]


Payload = EventPayload | HealthPayload | StatePayload
_KINDS: dict[str, type[EventPayload | HealthPayload | StatePayload]] = {
    "event": EventPayload,
    "health": HealthPayload,
    "state": StatePayload,
}


def parse_topic(topic: str) -> tuple[str, str, str] | None:
    """Site, device and leaf of a topic of this profile; None if it is another."""
    found = _TOPIC.fullmatch(topic)
    return (found[1], found[2], found[3]) if found else None


def decode(leaf: str, payload: bytes) -> Payload:
    """What a device said on a topic that ends with `leaf` (event, health or state).

    Raises:
        PayloadError: it is no JSON object of that kind.
    """
    try:
        return _KINDS[leaf].model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise PayloadError(first["msg"], where=place) from None


def feedback_topic(site: str, device: str) -> str:
    """Where a button is answered."""
    return f"campus/{site}/button/{device}/feedback"


def is_plausible(moment: datetime) -> bool:
    """Whether a device's clock can have been set: not before 2020."""
    return moment.year >= _FIRST_YEAR


_FIRST_YEAR = 2020
