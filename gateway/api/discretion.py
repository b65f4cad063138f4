"""What a browser that may not know of silent and duress presses is told of tests, devices and deliveries."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from gateway.alarms import DeviceStatus
from gateway.events import ButtonTested, PressKind, encode
from gateway.incidents import is_discreet
from gateway.storage import DeadLetter, Delivery, Journal, Stored

Sent = TypeVar("Sent", Delivery, DeadLetter)
MOST_SENT = 500
"""How many deliveries are looked through for those that may be told."""


def shown_status(status: DeviceStatus, *, discreet: bool) -> dict[str, Any]:
    """How a device is; its last press only if every screen may show it, or the caller may know of all (`discreet`)."""
    body = asdict(status)
    loud = body.pop("last_loud_press")
    return body if discreet else body | {"last_press": loud}


def body_of(stored: Stored, *, discreet: bool) -> bytes:
    """An event's JSON; of a press that a test took, a screen at the place learns neither its kind nor its own id."""
    event = stored.event
    if discreet or not isinstance(event, ButtonTested) or event.trial is None:
        return stored.body
    kind = event.kind and PressKind.PRESS
    return encode(replace(event, kind=kind, own_id=None))


def shown_meanings(body: dict[str, Any]) -> dict[str, Any]:
    """A device's entry for a screen at the place: which action of it is a silent press is not told."""
    return {key: _without_quiet(value) if isinstance(value, dict) else value for key, value in body.items()}


def _without_quiet(meanings: dict[str, Any]) -> dict[str, Any]:
    quiet = {PressKind.SILENT.value, PressKind.DURESS.value}
    return {
        key: _without_quiet(value) if isinstance(value, dict) else PressKind.PRESS.value if value in quiet else value
        for key, value in meanings.items()
    }


async def told_of(journal: Journal, sent: Sequence[Sent], *, discreet: bool) -> list[Sent]:
    """Those of `sent` whose event may be told; one that is in the journal no more may have been any."""
    if discreet or not sent:
        return list(sent)
    found = await journal.at([each.position for each in sent])
    loud = {each.position for each in found if not is_discreet(each.event)}
    return [each for each in sent if each.position in loud]
