"""The round trip of one button: pressed, stored, answered, and taken by each destination that wants it."""

import asyncio
from dataclasses import dataclass

from gateway.alarms import Trials
from gateway.api.parts import ApiParts
from gateway.api.reach import office_faults
from gateway.errors import PermanentError
from gateway.events import new_id
from gateway.forwarding import wants
from gateway.storage import Stored

_DELIVERY_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_NEWEST = 100


class DeviceBusyError(PermanentError):
    """A test waits for this device already."""

    code = "device_busy"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a destination did with the test: accepted, refused, waiting, or not_wanted."""

    destination: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """The result of a test.

    Attributes:
        passed: the press was stored, there is a destination for presses, and every one that wants the test has it.
        pressed: whether somebody pressed the button in time.
        reason: why it did not pass: not_pressed, no_destination (a press would be told to nobody), not_delivered.
        event, position: of the stored press.
        answered: whether the button was sent an answer on its feedback topic.
    """

    passed: bool
    pressed: bool
    reason: str = ""
    event: str = ""
    position: int = 0
    answered: bool = False
    destinations: tuple[Delivery, ...] = ()


async def try_round_trip(parts: ApiParts, device: str, seconds: float) -> RoundTrip:
    """Wait for a press of a device, which is a test then, and follow it to the office.

    Raises:
        DeviceBusyError: a walk test or another test waits for it.
        PermanentError: there is no such device.
    """
    settings = parts.installation.devices.get(device)
    trials: Trials = parts.trials
    if trials.waits_for(device):
        raise DeviceBusyError("a test waits for this device already", where=f"device {device}")
    trial = new_id()
    trials.arm(device, trial, seconds)
    try:
        event = await trials.wait(device, seconds)
    finally:
        trials.disarm(trial)
    stored = await parts.stores.journal.find(event) if event is not None else None
    if stored is None:
        return RoundTrip(passed=False, pressed=False, reason="not_pressed")
    deliveries = await _follow(parts, stored)
    reason = _failure(parts, deliveries)
    return RoundTrip(
        passed=not reason,
        pressed=True,
        reason=reason,
        event=stored.event.id,
        position=stored.position,
        answered=settings.dialect == "campus" and getattr(stored.event, "kind", None) in (None, "press"),
        destinations=deliveries,
    )


def _failure(parts: ApiParts, deliveries: tuple[Delivery, ...]) -> str:
    """As `GET /protection` sees it: a press that no destination takes reaches nobody, though it is stored."""
    if "no_destination" in office_faults(parts.installation.destinations.all(), ()):
        return "no_destination"
    arrived = all(each.state in ("accepted", "not_wanted") for each in deliveries)
    return "" if arrived else "not_delivered"


async def _follow(parts: ApiParts, stored: Stored) -> tuple[Delivery, ...]:
    until = parts.clock.monotonic() + _DELIVERY_SECONDS
    while True:
        found = tuple([await _delivery(parts, each.id, stored) for each in parts.installation.destinations.all()])
        if all(each.state != "waiting" for each in found) or parts.clock.monotonic() > until:
            return found
        await asyncio.sleep(_LOOK_SECONDS)


async def _delivery(parts: ApiParts, destination: str, stored: Stored) -> Delivery:
    settings = parts.installation.destinations.get(destination)
    if not wants(settings, stored.event):
        return Delivery(destination, "not_wanted")
    for each in await parts.stores.outbox.deliveries(destination, _NEWEST):
        if each.position == stored.position and each.state in ("accepted", "refused"):
            return Delivery(destination, each.state)
    return Delivery(destination, "waiting")
