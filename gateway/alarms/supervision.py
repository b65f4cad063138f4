"""Supervision of silent buttons: each has its own deadline, and a lost one is said once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.alarms.dialects.campus import HealthPayload
from gateway.clock import Clock
from gateway.events import BatteryLow, ButtonLost, ButtonRestored, Event, Severity, button_source, new_id
from gateway.settings import DeviceSettings

_WILL_GRACE_SECONDS = 3.0
_BATTERY_HYSTERESIS = 5.0
_LONGEST_SLEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """What is known of one alarm device.

    Attributes:
        last_seen: when it said anything; None if it never did since the start.
        lost: whether it counts as lost; `reason` is silent or last_will.
        battery, rssi, firmware: as it said last.
    """

    device: str
    last_seen: datetime | None = None
    lost: bool = False
    reason: str = ""
    battery: float | None = None
    rssi: float | None = None
    firmware: str | None = None


@dataclass(slots=True)
class _Watched:
    settings: DeviceSettings
    status: DeviceStatus
    deadline: float
    reason: str = "silent"
    battery_low: bool = False


class SupervisionTimer:
    """Watches every configured device.

    Args:
        site: for the sources of events.
        report: journals an event; returns once it is durable.
        clock: deadlines are on its monotonic time, so that a wall-clock jump loses no button.
    """

    def __init__(self, site: str, report: Callable[[Event], Awaitable[object]], clock: Clock) -> None:
        self._site = site
        self._report = report
        self._clock = clock
        self._devices: dict[str, _Watched] = {}
        self._changed = asyncio.Event()

    def watch(self, device: DeviceSettings) -> None:
        """Supervise a device from now on; again replaces its settings."""
        known = self._devices.get(device.id)
        status = known.status if known else DeviceStatus(device=device.id)
        deadline = self._clock.monotonic() + device.health_deadline_seconds
        self._devices[device.id] = _Watched(device, status, deadline)
        self._changed.set()

    def forget(self, device: str) -> None:
        """Supervise it no longer."""
        self._devices.pop(device, None)

    def statuses(self) -> tuple[DeviceStatus, ...]:
        """All devices as they are now."""
        return tuple(watched.status for watched in self._devices.values())

    async def seen(self, device: str) -> None:
        """The device said something: it lives."""
        watched = self._devices.get(device)
        if watched is None:
            return
        watched.deadline = self._clock.monotonic() + watched.settings.health_deadline_seconds
        watched.reason = "silent"
        was_lost = watched.status.lost
        watched.status = replace(watched.status, last_seen=self._clock.now(), lost=False, reason="")
        if was_lost:
            await self._report(self._restored(watched))

    async def health(self, device: str, said: HealthPayload) -> None:
        """The device told how it is; a battery that crosses its limit is said once."""
        await self.seen(device)
        watched = self._devices.get(device)
        if watched is None:
            return
        heard = {"battery": said.battery, "rssi": said.rssi, "firmware": said.firmware}
        known = {name: value for name, value in heard.items() if value is not None}
        watched.status = replace(watched.status, **known)  # type: ignore[arg-type]  # names and types as in DeviceStatus
        if said.battery is not None:
            await self._judge_battery(watched, said.battery)

    async def _judge_battery(self, watched: _Watched, battery: float) -> None:
        limit = watched.settings.battery_low_percent
        if battery <= limit and not watched.battery_low:
            watched.battery_low = True
            await self._report(self._battery_low(watched, battery))
        elif battery > limit + _BATTERY_HYSTERESIS:
            watched.battery_low = False

    async def state(self, device: str, *, online: bool) -> None:
        """The device said that it is there, or its last will came: then it has a few seconds to come back."""
        if online:
            await self.seen(device)
            return
        watched = self._devices.get(device)
        if watched is not None and not watched.status.lost:
            watched.deadline = min(watched.deadline, self._clock.monotonic() + _WILL_GRACE_SECONDS)
            watched.reason = "last_will"
            self._changed.set()

    async def run(self) -> None:
        """Say who is lost, for ever."""
        while True:
            now = self._clock.monotonic()
            for watched in [each for each in self._devices.values() if not each.status.lost]:
                if watched.deadline <= now:
                    lost = replace(watched.status, lost=True, reason=watched.reason)
                    await self._report(self._lost(watched, lost))
                    watched.status = lost
            await self._sleep()

    async def _sleep(self) -> None:
        now = self._clock.monotonic()
        deadlines = [each.deadline - now for each in self._devices.values() if not each.status.lost]
        wait = max(0.0, min([_LONGEST_SLEEP_SECONDS, *deadlines]))
        self._changed.clear()
        timer = asyncio.ensure_future(self._clock.sleep(wait))
        change = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            change.cancel()

    def _lost(self, watched: _Watched, status: DeviceStatus) -> ButtonLost:
        device = watched.settings
        return ButtonLost(
            id=new_id(),
            source=button_source(self._site, device.id),
            subject=device.id,
            time=self._clock.now(),
            severity=Severity.HIGH,
            device=device.id,
            name=device.name,
            place=device.place,
            reason=status.reason,
            last_seen=status.last_seen,
        )

    def _restored(self, watched: _Watched) -> ButtonRestored:
        device = watched.settings
        return ButtonRestored(
            id=new_id(),
            source=button_source(self._site, device.id),
            subject=device.id,
            time=self._clock.now(),
            device=device.id,
            name=device.name,
            place=device.place,
        )

    def _battery_low(self, watched: _Watched, battery: float) -> BatteryLow:
        device = watched.settings
        return BatteryLow(
            id=new_id(),
            source=button_source(self._site, device.id),
            subject=device.id,
            time=self._clock.now(),
            severity=Severity.MEDIUM,
            device=device.id,
            name=device.name,
            place=device.place,
            battery=battery,
        )
