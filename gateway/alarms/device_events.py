"""The events that supervision reports, made of a device's settings and status."""

from datetime import datetime
from typing import Any

from gateway.alarms.device_status import DeviceStatus
from gateway.events import (
    BatteryLow,
    ButtonLost,
    ButtonRestored,
    ButtonTampered,
    ButtonTestDue,
    Cause,
    Event,
    GatewayFault,
    Severity,
    button_source,
    gateway_source,
    new_id,
)
from gateway.settings import DeviceSettings


class DeviceEvents:
    """Makes the events of one site's devices."""

    def __init__(self, site: str) -> None:
        self._site = site

    def lost(self, device: DeviceSettings, now: datetime, status: DeviceStatus) -> Event:
        """The device is silent past its deadline, or its last will came."""
        return ButtonLost(
            **self._common(device, now), severity=Severity.HIGH, reason=status.reason, last_seen=status.last_seen
        )

    def restored(self, device: DeviceSettings, now: datetime) -> Event:
        """A lost device speaks again."""
        return ButtonRestored(**self._common(device, now))

    def battery_low(self, device: DeviceSettings, now: datetime, percent: float | None) -> Event:
        """Its battery must be changed."""
        return BatteryLow(**self._common(device, now), severity=Severity.MEDIUM, battery=percent)

    def tampered(self, device: DeviceSettings, now: datetime) -> Event:
        """It is open or was moved."""
        return ButtonTampered(**self._common(device, now), severity=Severity.HIGH)

    def test_due(self, device: DeviceSettings, now: datetime, last_test: datetime | None) -> Event:
        """A press test is due."""
        return ButtonTestDue(**self._common(device, now), severity=Severity.LOW, last_test=last_test)

    def trouble(self, device: DeviceSettings, now: datetime, cause: Cause, *, cleared: bool) -> Event:
        """Something is wrong with it, or is right again."""
        return GatewayFault(
            id=new_id(),
            source=gateway_source(self._site),
            subject=device.id,
            time=now,
            severity=Severity.INFO if cleared else Severity.MEDIUM,
            **cause.data,
            device=device.id,
            cleared=cleared,
        )

    def _common(self, device: DeviceSettings, now: datetime) -> dict[str, Any]:
        return {
            "id": new_id(),
            "source": button_source(self._site, device.id),
            "subject": device.id,
            "time": now,
            "device": device.id,
            "name": device.name,
            "place": device.place,
        }
