"""Walk tests: somebody goes from button to button and presses each once; what was pressed and what not is a report."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.alarms import Trials
from gateway.api.reach import Reach
from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import ButtonTested, WalkTestEnded, WalkTestStarted, gateway_source, new_id
from gateway.settings import DeviceSettings
from gateway.storage import EventFilter, Journal, Stored

_LOOK_SECONDS = 1.0
_OPEN = {"silent": "press", "duress": "press"}
_PAGE = 500
_WALKS = EventFilter(types=("campus.walktest.",))
_TESTED = EventFilter(types=(ButtonTested.TYPE,))


class WalkTestRunningError(PermanentError):
    """A walk test is on already."""

    code = "walk_test_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A device of a walk test.

    Attributes:
        pressed: when its press was stored; None if nobody pressed it yet.
        kind: what the press would have been without the test.
        event: id of its event.
    """

    device: str
    name: str
    place: str
    pressed: datetime | None = None
    kind: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkTest:
    """A walk test and how far it is."""

    id: str
    started: datetime
    until: datetime
    actor: str
    ticks: tuple[Tick, ...]
    ended: datetime | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The devices that nobody has pressed."""
        return tuple(each.device for each in self.ticks if each.pressed is None)

    def shown(self, *, discreet: bool) -> "WalkTest":
        """As a browser may know it: only where that is safe it learns which buttons are silent."""
        if discreet:
            return self
        return replace(self, ticks=tuple(replace(each, kind=_OPEN.get(each.kind, each.kind)) for each in self.ticks))


@dataclass(frozen=True, slots=True)
class _Current:
    start: Stored
    event: WalkTestStarted
    deadline: float


class WalkTests:
    """The walk test that is on, and those that were; all that is known of them is in the journal.

    Args:
        devices: the alarm devices of the site.
        trials: told which presses are tests.
    """

    def __init__(
        self, site: str, journal: Journal, trials: Trials, devices: Callable[[], Sequence[DeviceSettings]], clock: Clock
    ) -> None:
        self._source = gateway_source(site)
        self._journal = journal
        self._trials = trials
        self._devices = devices
        self._clock = clock
        self._current: _Current | None = None
        self._lock = asyncio.Lock()

    @property
    def current(self) -> str:
        """The id of the walk test that is on; empty if none is."""
        return self._current.event.walk if self._current is not None else ""

    async def resume(self) -> None:
        """Go on with a walk test that was on when the process ended, for the time that it had left."""
        for stored in await self._journal.tail(1, _WALKS):
            if isinstance(stored.event, WalkTestStarted):
                whole = (stored.event.until - stored.event.time).total_seconds()
                left = (stored.event.until - self._clock.now()).total_seconds()
                await self._begin(stored, stored.event, min(whole, left))

    async def _begin(self, stored: Stored, event: WalkTestStarted, seconds: float) -> None:
        self._current = _Current(stored, event, self._clock.monotonic() + seconds)
        walk = await self._describe(stored, event)
        for device in walk.missing:
            self._trials.arm(device, event.walk, seconds)

    async def start(self, devices: Sequence[str], minutes: float, actor: str) -> WalkTest:
        """Take the first press of each device as a test from now on; all devices if none is named.

        Raises:
            WalkTestRunningError: one is on.
            PermanentError: there is no device, or not that one.
        """
        known = [each.id for each in self._devices()]
        for device in devices:
            if device not in known:
                raise PermanentError("there is no such device", where=f"device {device}", code="no_such_device")
        if not known:
            raise PermanentError("there are no devices to walk to", code="no_devices")
        async with self._lock:
            if self._current is not None:
                remedy = "End it first."
                raise WalkTestRunningError("a walk test is on", where=f"walk test {self.current}", remedy=remedy)
            now = self._clock.now()
            event = WalkTestStarted(
                id=new_id(),
                source=self._source,
                subject="gateway",
                time=now,
                walk=new_id(),
                devices=tuple(devices or known),
                until=now + timedelta(minutes=minutes),
                actor=actor,
            )
            stored = await self._journal.append(event)
            await self._begin(stored, event, minutes * 60)
            return await self._describe(stored, event)

    async def end(self, actor: str) -> WalkTest | None:
        """Every press is real again; None if no walk test is on."""
        async with self._lock:
            current = self._current
            if current is None:
                return None
            self._trials.disarm(current.event.walk)
            walk = await self._describe(current.start, current.event)
            event = WalkTestEnded(
                id=new_id(),
                source=self._source,
                subject="gateway",
                time=self._clock.now(),
                walk=walk.id,
                pressed=len(walk.ticks) - len(walk.missing),
                missing=walk.missing,
                actor=actor,
            )
            await self._journal.append(event)
            self._current = None
        return await self.get(walk.id)

    async def run(self) -> None:
        """End a walk test whose time is over or whose devices were all pressed, for ever."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            current = self._current
            if current is None:
                continue
            over = self._clock.monotonic() >= current.deadline
            if over or not (await self._describe(current.start, current.event)).missing:
                await self.end("")

    async def recent(self, limit: int = 20) -> list[WalkTest]:
        """The newest walk tests, newest first."""
        walks = await self._journal.tail(2 * limit, _WALKS)
        started = [(stored, stored.event) for stored in walks if isinstance(stored.event, WalkTestStarted)]
        return [await self._describe(stored, event) for stored, event in reversed(started[-limit:])]

    async def get(self, walk: str) -> WalkTest:
        """One walk test.

        Raises:
            PermanentError: there is none of that id among the last thousand.
        """
        for stored in await self._journal.tail(2000, _WALKS):
            if isinstance(stored.event, WalkTestStarted) and stored.event.walk == walk:
                return await self._describe(stored, stored.event)
        raise PermanentError("there is no such walk test", where=f"walk test {walk}", code="no_such_walk_test")

    async def _describe(self, start: Stored, event: WalkTestStarted) -> WalkTest:
        ended = await self._end_of(start.position, event.walk)
        pressed = await self._pressed(start.position, event, ended)
        known = {each.id: each for each in self._devices()}
        ticks = []
        for device in event.devices:
            settings, test = known.get(device), pressed.get(device)
            name, place = (settings.name, settings.place) if settings else ("", "")
            at, kind, identity = (test.recorded, test.kind or "test", test.id) if test else (None, "", "")
            ticks.append(Tick(device=device, name=name, place=place, pressed=at, kind=kind, event=identity))
        return WalkTest(
            id=event.walk,
            started=event.time,
            until=event.until,
            actor=event.actor,
            ticks=tuple(ticks),
            ended=ended.event.time if ended else None,
        )

    async def _end_of(self, after: int, walk: str) -> Stored | None:
        for stored in await self._journal.read(after, 1, _WALKS):
            if isinstance(stored.event, WalkTestEnded) and stored.event.walk == walk:
                return stored
        return None

    async def _pressed(self, after: int, event: WalkTestStarted, ended: Stored | None) -> dict[str, ButtonTested]:
        found: dict[str, ButtonTested] = {}
        last = ended.position if ended is not None else self._journal.last_position
        while page := await self._journal.read(after, _PAGE, _TESTED):
            tested = [each.event for each in page if each.position <= last and isinstance(each.event, ButtonTested)]
            found |= {each.device: each for each in tested if each.trial == event.walk}
            after = page[-1].position
            if after >= last:
                break
        return found


def report_of(walk: WalkTest, site: str, reach: Mapping[str, Reach], now: datetime) -> str:
    """The report of a walk test for people, in both languages; a tick is no proof that a press reaches the office.

    Args:
        walk: which.
        site: where.
        reach: by device, whether a press of it would reach the office now.
        now: when that is.
    """
    done = len(walk.ticks) - len(walk.missing)
    cut = sum(not reach[each.device].reaches for each in walk.ticks if each.device in reach)
    lines = [
        f"走测报告 Walk test report  {site}",
        f"开始 started {_time(walk.started)}  结束 ended {_time(walk.ended) if walk.ended else '–'}  "
        f"发起 by {walk.actor or '–'}",
        f"已按 pressed {done} / {len(walk.ticks)}",
        f"{_time(now)} 按下送不到保卫处 a press would not reach the office: {cut}",
        "",
    ]
    for tick in walk.ticks:
        mark = "✓" if tick.pressed else "✗"
        when = _time(tick.pressed) if tick.pressed else "未按 not pressed   "
        reaches = _reaches(reach.get(tick.device))
        lines.append(f"{mark} {when}  {tick.device}  {tick.name}  {tick.place}  {_tested(tick)}  {reaches}".rstrip())
    return "\n".join(lines) + "\n"


def _tested(tick: Tick) -> str:
    """That it was a test; of a silent or duress button also what it would have been."""
    told = "测试 test" if tick.pressed else ""
    return f"{told} ({tick.kind})" if tick.kind in ("silent", "duress") else told


def _reaches(found: Reach | None) -> str:
    if found is None:
        return ""
    doubts = f" ({', '.join(found.warnings)})" if found.warnings else ""
    if found.reaches:
        return f"现在可送达 reaches the office now{doubts}"
    return f"现在送不到 DOES NOT REACH the office now: {', '.join(found.reasons)}"


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
