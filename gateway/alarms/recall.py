"""What the events of the journal say of a device's status: so a restart neither forgets nor repeats one."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gateway.alarms.device_status import DeviceStatus
from gateway.events import (
    BatteryLow,
    ButtonCleared,
    ButtonEvent,
    ButtonLost,
    ButtonPressed,
    ButtonRestored,
    ButtonTampered,
    ButtonTestDue,
    ButtonTested,
    Event,
    GatewayFault,
    PressKind,
)


def recall(status: DeviceStatus, events: Iterable[Event]) -> DeviceStatus:
    """The status after events, from old to new; those of other devices change nothing."""
    for event in events:
        if isinstance(event, ButtonEvent) and event.device == status.device:
            status = _after(status, event)
        elif isinstance(event, GatewayFault) and event.device == status.device and _is_trouble(event):
            left = tuple(each for each in status.troubles if each != event.fault)
            status = replace(status, troubles=left if event.cleared else (*left, event.fault))
    return status


def _after(status: DeviceStatus, event: ButtonEvent) -> DeviceStatus:
    if isinstance(event, ButtonLost):
        return replace(status, lost=True, reason=event.reason)
    if isinstance(event, ButtonPressed):
        return _pressed(status, event)
    if isinstance(event, ButtonTested):
        return replace(status, last_test=event.recorded or event.time, test_due=False)
    return replace(status, **_CHANGES.get(type(event), {}))


def _pressed(status: DeviceStatus, event: ButtonPressed) -> DeviceStatus:
    """A silent press, or one under duress, is no news for those who may not know of it."""
    at = event.recorded or event.time
    if event.kind is not PressKind.PRESS:
        return replace(status, last_press=at)
    return replace(status, last_press=at, last_loud_press=at, test_due=False)


_CHANGES: dict[type[ButtonEvent], dict[str, Any]] = {
    ButtonRestored: {"lost": False, "reason": ""},
    ButtonTestDue: {"test_due": True},
    ButtonTampered: {"tampered": True},
    ButtonCleared: {"tampered": False},
    BatteryLow: {"battery_low": True},
}


def _is_trouble(event: GatewayFault) -> bool:
    """Whether a fault is one that ends: those of single messages, such as a bad payload, have a topic."""
    return not event.topic
