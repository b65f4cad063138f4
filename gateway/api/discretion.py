"""What a browser that may not know of silent and duress presses is told of devices and deliveries."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from gateway.alarms import DeviceStatus
from gateway.events import PressKind
from gateway.incidents import is_discreet
from gateway.storage import DeadLetter, Delivery, Journal

Sent = TypeVar("Sent", Delivery, DeadLetter)
MOST_SENT = 500
"""How many deliveries are looked through for those that may be told."""


def shown_status(status: DeviceStatus, *, discreet: bool) -> dict[str, Any]:
    """How a device is; its last press only if every screen may show it, or the caller may know of all (`discreet`)."""
    body = asdict(status)
    loud = body.pop("last_loud_press")
    return body if discreet else body | {"last_press": loud}


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
