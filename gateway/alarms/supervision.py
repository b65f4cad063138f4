"""Supervision of alarm devices: each has a deadline of its own; whatever ails one is said once, and its end once."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.alarms.chattering import BATTERY, CHATTERING, TAMPER, Chatter
from gateway.alarms.device_events import DeviceEvents
from gateway.alarms.device_status import BatterySample, DeviceMemory, DeviceStatus, trend_of, with_sample
from gateway.alarms.dialects.said import Health
from gateway.alarms.flapping import Flapping
from gateway.alarms.recall import recall
from gateway.clock import Clock, wait_at_most
from gateway.events import (
    ButtonCleared,
    ButtonEvent,
    ButtonPressed,
    ButtonTampered,
    ButtonTested,
    Cause,
    Event,
    PressKind,
    because,
)
from gateway.settings import DeviceSettings

_WILL_GRACE_SECONDS = 3.0
_BATTERY_HYSTERESIS = 5.0
_LONGEST_SLEEP_SECONDS = 60.0
_AT_ONCE = 500
_MOST_TROUBLES = 16
_MOST_IN_A_MINUTE = 20
_MINUTE_SECONDS = 60.0
_FLAPPING = "device_flapping"


@dataclass(slots=True)
class _Watched:
    """One device; what changes with every message is beside its status, because a status is made anew as a whole."""

    settings: DeviceSettings
    status: DeviceStatus
    deadline: float
    since: datetime
    samples: tuple[BatterySample, ...] = ()
    reason: str = "silent"
    heard_at: float | None = None
    alive_since: float | None = None
    last_seen: datetime | None = None
    last_press: datetime | None = None
    last_loud_press: datetime | None = None
    via: str = ""
    told: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_IN_A_MINUTE))
    flapping: Flapping = field(default_factory=Flapping)
    chatter: Chatter = field(default_factory=Chatter)
    tampering: str = ""
    pressed: bool = True

    def snapshot(self) -> DeviceStatus:
        """The status with what changes with every message."""
        status = replace(self.status, last_press=self.last_press, last_loud_press=self.last_loud_press)
        return replace(status, last_seen=self.last_seen, via=self.via)

    def take(self, status: DeviceStatus) -> None:
        """Take up a whole status."""
        self.status = status
        self.last_seen, self.via = status.last_seen, status.via
        self.last_press, self.last_loud_press = status.last_press, status.last_loud_press

    def heard_within(self, now: float) -> bool:
        """Whether the device spoke within its deadline before `now`."""
        return self.heard_at is not None and now - self.heard_at < self.settings.health_deadline_seconds


class SupervisionTimer:
    """Watches every configured device.

    Args:
        site: for the sources of events.
        report: journals an event; returns once it is durable.
        clock: deadlines are on its monotonic time, so that a wall-clock jump loses no button.
    """

    def __init__(self, site: str, report: Callable[[Event], Awaitable[object]], clock: Clock) -> None:
        self._events = DeviceEvents(site)
        self._report = report
        self._clock = clock
        self._devices: dict[str, _Watched] = {}
        self._changed = asyncio.Event()

    def watch(self, device: DeviceSettings) -> None:
        """Supervise a device from now on; again replaces its settings."""
        known = self._devices.get(device.id)
        deadline = self._clock.monotonic() + device.health_deadline_seconds
        if known is not None:
            known.settings, known.deadline, known.reason = device, deadline, "silent"
        else:
            status = DeviceStatus(device=device.id)
            self._devices[device.id] = _Watched(device, status, deadline, since=self._clock.now())
        self._changed.set()

    def forget(self, device: str) -> None:
        """Supervise it no longer."""
        self._devices.pop(device, None)

    def statuses(self) -> tuple[DeviceStatus, ...]:
        """All devices as they are now."""
        return tuple(watched.snapshot() for watched in self._devices.values())

    def look_again(self, device: str) -> None:
        """The device is in service again: that it is lost is told anew, because nobody had to act on it before."""
        watched = self._devices.get(device)
        if watched is not None and watched.status.lost:
            watched.reason = watched.status.reason
            watched.status = replace(watched.status, lost=False)
            watched.deadline = self._clock.monotonic()
            self._changed.set()

    def heard_for(self, device: str) -> float:
        """Seconds for which a device was never silent past its deadline; 0 if it is lost, or was not heard yet."""
        watched = self._devices.get(device)
        if watched is None or watched.alive_since is None or watched.status.lost:
            return 0.0
        return self._clock.monotonic() - watched.alive_since

    def memories(self) -> dict[str, DeviceMemory]:
        """What should outlive the process, by device; the conditions are the listener's."""
        return {
            name: DeviceMemory(status=each.snapshot(), since=each.since, samples=each.samples)
            for name, each in self._devices.items()
        }

    def restore(self, memories: Iterable[DeviceMemory], said: Iterable[Event]) -> None:
        """Take up what a former run knew, and what it reported after it wrote that down (`said`, from old to new).

        A device that was lost stays lost and is not said again; each other one has its whole deadline from now on.
        """
        known = {memory.status.device: memory for memory in memories}
        events = defaultdict[str, list[Event]](list)
        for event in said:
            events[getattr(event, "device", "")].append(event)
        for name, watched in self._devices.items():
            memory = known.get(name)
            if memory is not None:
                watched.since, watched.samples = memory.since, memory.samples
            recalled = recall(memory.status if memory is not None else watched.snapshot(), events[name])
            flaps = _FLAPPING in recalled.troubles
            watched.take(replace(recalled, flapping=flaps))
            if flaps:
                watched.flapping.resume(self._clock.monotonic())
            if CHATTERING in recalled.troubles:
                tampered = self._events.tampered(watched.settings, self._clock.now())
                watched.chatter.resume(self._clock.monotonic(), tampered if recalled.tampered else None)
            watched.deadline = self._clock.monotonic() + watched.settings.health_deadline_seconds
        self._changed.set()

    async def seen(self, device: str, via: str = "") -> None:
        """The device said something: it lives."""
        watched = self._devices.get(device)
        if watched is None:
            return
        now = self._clock.monotonic()
        if watched.status.lost or watched.alive_since is None:
            watched.alive_since = now
        if watched.flapping.active and watched.status.lost and not watched.heard_within(now):
            watched.flapping.went(now)
        watched.heard_at = now
        watched.deadline = now + watched.settings.health_deadline_seconds
        watched.reason = "silent"
        watched.last_seen, watched.via = self._clock.now(), via or watched.via
        if watched.status.lost and not watched.flapping.active:
            await self._is_back(watched)

    async def _is_back(self, watched: _Watched) -> None:
        watched.status = replace(watched.status, lost=False, reason="")
        await self._report(self._events.restored(watched.settings, self._clock.now()))

    async def health(self, device: str, said: Health) -> None:
        """The device told how it is; a battery that crosses its limit, and tampering, are said once."""
        watched = self._devices.get(device)
        if watched is None:
            return
        names = ("rssi", "link_quality", "firmware", "uptime")
        known = {name: value for name in names if (value := getattr(said, name)) is not None}
        watched.status = replace(watched.status, **known)
        if said.battery is not None:
            self._sample(watched, said.battery)
        if said.battery is not None or said.battery_low is not None:
            await self._judge_battery(watched, said)
        if said.tamper is not None:
            await self._judge_tamper(watched, said.tamper)

    def _sample(self, watched: _Watched, percent: float) -> None:
        watched.samples = with_sample(watched.samples, self._clock.now().date(), percent)
        trend, left = trend_of(watched.samples)
        watched.status = replace(watched.status, battery=percent, battery_trend=trend, battery_days_left=left)

    async def _judge_battery(self, watched: _Watched, said: Health) -> None:
        limit = watched.settings.battery_low_percent
        below = said.battery is not None and said.battery <= limit
        above = said.battery is None or said.battery > limit + _BATTERY_HYSTERESIS
        if said.battery_low or below:
            if not watched.status.battery_low:
                event = self._events.battery_low(watched.settings, self._clock.now(), said.battery)
                await self._comes(watched, BATTERY, event)
                watched.status = replace(watched.status, battery_low=True)
        elif above:
            watched.status = replace(watched.status, battery_low=False)

    async def _judge_tamper(self, watched: _Watched, tampered: bool) -> None:
        if tampered and not watched.status.tampered:
            await self._comes(watched, TAMPER, self._events.tampered(watched.settings, self._clock.now()))
        watched.status = replace(watched.status, tampered=tampered)

    def told(self, event: ButtonEvent) -> None:
        """An event of the device's own was stored: a press, a test, tampering or its end."""
        watched = self._devices.get(event.device)
        if watched is None:
            return
        watched.pressed = not isinstance(event, ButtonCleared) and (watched.pressed or isinstance(event, ButtonPressed))
        if isinstance(event, ButtonPressed):
            watched.last_press = self._clock.now()
            if event.kind is not PressKind.PRESS:
                return
            watched.last_loud_press = watched.last_press
            if watched.status.test_due:
                watched.status = replace(watched.status, test_due=False)
        else:
            status = recall(watched.status, [event])
            tested = self._clock.now() if isinstance(event, ButtonTested) else status.last_test
            watched.status = replace(status, last_test=tested)

    async def trouble(self, device: str, cause: Cause, *, active: bool) -> None:
        """Something is wrong with a device, or is right: each is said when it changes."""
        watched, fault = self._devices.get(device), cause.fault
        if watched is None or (fault in watched.status.troubles) == active:
            return
        own = fault in (CHATTERING, _FLAPPING)
        if active and not own and len(watched.status.troubles) >= _MOST_TROUBLES:
            return
        event = self._events.trouble(watched.settings, self._clock.now(), cause, cleared=not active)
        if own:
            await self._report(event)
        elif active:
            await self._comes(watched, fault, event)
        elif not watched.chatter.hushes(fault):
            await self._tell(watched, event)
        left = [each for each in watched.status.troubles if each != fault]
        watched.status = replace(watched.status, troubles=(*left, fault) if active else tuple(left))

    async def hushes(self, event: ButtonEvent) -> bool:
        """Whether an event is one of too much tampering, or the end of it, and is not stored; a press never is."""
        watched = self._devices.get(event.device)
        if watched is None:
            return False
        if isinstance(event, ButtonTampered):
            if event.id == watched.tampering:  # the same message again
                return watched.chatter.hushes(TAMPER)
            watched.tampering = event.id
            return await self._hushed(watched, TAMPER, event)
        if isinstance(event, ButtonCleared) and not watched.pressed and watched.chatter.hushes(TAMPER):
            watched.status = replace(watched.status, tampered=False)
            return True
        return False

    async def _comes(self, watched: _Watched, what: str, event: Event) -> None:
        if not await self._hushed(watched, what, event):
            await self._tell(watched, event)

    async def _hushed(self, watched: _Watched, what: str, event: Event) -> bool:
        """A condition came; True if that is not told, because it chatters: then that is what is told, once."""
        chatter = watched.chatter
        if not chatter.came(what, event, self._clock.monotonic()):
            return False
        if what == TAMPER:
            watched.status = replace(watched.status, tampered=True)
        await self.trouble(watched.settings.id, chatter.began(what), active=True)
        self._changed.set()
        return True

    async def _grows_quiet(self, watched: _Watched, now: float) -> None:
        """Tell what stands of that which was not told, once it is quiet."""
        for what, event in watched.chatter.calmed(now):
            status = watched.status
            stands = {TAMPER: status.tampered, BATTERY: status.battery_low}.get(what, what in status.troubles)
            if event is not None and stands:
                await self._report(event)
            watched.chatter.end(what)
        if CHATTERING in watched.status.troubles and not watched.chatter.active:
            await self.trouble(watched.settings.id, watched.chatter.ended(), active=False)

    async def _tell(self, watched: _Watched, event: Event) -> None:
        """Report what a device may bring about at will: 20 times a minute at most, because more is its own fault."""
        now = self._clock.monotonic()
        if len(watched.told) == _MOST_IN_A_MINUTE and now - watched.told[0] < _MINUTE_SECONDS:
            return
        watched.told.append(now)
        await self._report(event)

    async def state(self, device: str, *, online: bool, bridge: bool = False) -> None:
        """The device is connected, or its last will came: then it has a few seconds to come back.

        A bridge's word is about the way to the device: that it is back says nothing of the device itself.
        """
        watched = self._devices.get(device)
        if watched is None or (watched.settings.sleeps and not bridge):
            return
        now = self._clock.monotonic()
        if online:
            if bridge and watched.reason == "bridge":
                watched.reason = "silent"
                watched.deadline = now + watched.settings.health_deadline_seconds
            return
        if watched.flapping.went(now):
            await self._flaps(watched, active=True)
        if not watched.status.lost and not watched.flapping.active:
            watched.deadline = min(watched.deadline, now + _WILL_GRACE_SECONDS)
            watched.reason = "bridge" if bridge else "last_will"
            self._changed.set()

    async def _flaps(self, watched: _Watched, *, active: bool) -> None:
        what = "goes and comes again and again: two devices with one client id, or a weak link?"
        cause = because("device_flapping", what if active else "stayed for five minutes")
        watched.status = replace(watched.status, flapping=active)
        if active:
            watched.deadline = self._clock.monotonic() + watched.settings.health_deadline_seconds
            watched.reason = "silent"
        self._changed.set()
        await self.trouble(watched.settings.id, cause, active=active)

    async def run(self) -> None:
        """Say who is lost, whose flapping ended and whose test is due, for ever."""
        while True:
            now = self._clock.monotonic()
            watched = list(self._devices.values())
            due = [each for each in watched if not each.status.lost and each.deadline <= now]
            for start in range(0, len(due), _AT_ONCE):
                await asyncio.gather(*(self._lose(each, now) for each in due[start : start + _AT_ONCE]))
            for each in watched:
                await self._look_after(each, now)
            await self._sleep()

    async def _lose(self, watched: _Watched, now: float) -> None:
        lost = replace(watched.snapshot(), lost=True, reason=watched.reason)
        heard = watched.heard_at
        await self._report(self._events.lost(watched.settings, self._clock.now(), lost))
        if watched.heard_at != heard:  # it spoke while that was stored
            await self._is_back(watched)
            return
        watched.status = replace(watched.status, lost=True, reason=lost.reason)
        watched.alive_since = None
        if watched.flapping.went(now):
            await self._flaps(watched, active=True)

    async def _look_after(self, watched: _Watched, now: float) -> None:
        if watched.flapping.calmed(now):
            await self._flaps(watched, active=False)
            if watched.status.lost and watched.heard_within(now):
                await self._is_back(watched)
        await self._grows_quiet(watched, now)
        if self._is_due(watched) and not watched.status.test_due:
            event = self._events.test_due(watched.settings, self._clock.now(), watched.status.last_test)
            await self._report(event)
            watched.status = replace(watched.status, test_due=True)

    def _is_due(self, watched: _Watched) -> bool:
        days = watched.settings.press_test_days
        known = [watched.since, watched.status.last_test, watched.last_loud_press]
        latest = max(each for each in known if each is not None)
        return days > 0 and self._clock.now() - latest >= timedelta(days=days)

    async def _sleep(self) -> None:
        now = self._clock.monotonic()
        deadlines = [each.deadline - now for each in self._devices.values() if not each.status.lost]
        calm = [each.flapping.calm_at - now for each in self._devices.values() if each.flapping.active]
        quiet = [each.chatter.calm_at - now for each in self._devices.values()]
        wait = max(0.0, min([_LONGEST_SLEEP_SECONDS, *deadlines, *calm, *quiet]))
        self._changed.clear()
        await wait_at_most(self._clock, wait, self._changed)
