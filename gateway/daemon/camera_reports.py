"""The daily report of cameras: one event a day, made of the journal soon after midnight."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from gateway.clock import Clock
from gateway.daemon.camera_day import COUNTED_TYPES, CameraTally, Watched
from gateway.daemon.cameras_seen import CamerasSeen
from gateway.daemon.steadiness import Steadiness
from gateway.events import CameraDay, CamerasReported, GatewayStarted, derived_id, gateway_source
from gateway.settings import CameraSettings
from gateway.storage import EventFilter, Journal, Stored
from gateway.workers import CameraState

_LOOK_SECONDS = 60.0
_STEADY_SECONDS = 600.0
_LATE = timedelta(seconds=60)
_PAGE, _MOST = 100, 500_000
_REST_SECONDS = 0.01


class CameraReports:
    """Makes the report of each day that is over, by the machine's time zone; one that is there is not made again.

    A day on which the gateway did not run has none; of days that it missed only yesterday is made up for. Nothing is
    made, nor noted, until wall and monotonic clock have gone together for ten minutes. One that was made before its
    day was over, by a wall clock that was wrong, is followed by a corrected one.

    Args:
        site: for the events' source and id.
        journal: where everything is.
        cameras: those that there are.
        states: how they are now.
        clock: for the day.
    """

    def __init__(
        self,
        site: str,
        journal: Journal,
        cameras: Callable[[], Sequence[CameraSettings]],
        states: Callable[[], Sequence[CameraState]],
        clock: Clock,
    ) -> None:
        self._site = site
        self._journal = journal
        self._cameras = cameras
        self._states = states
        self._clock = clock
        self._steadiness = Steadiness(clock)
        self._seen = CamerasSeen()
        self._done: date | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            await self.make_due()

    async def make_due(self) -> None:
        """Look which cameras there are, and make yesterday's report, if it is missing.

        Raises:
            StorageFullError: it cannot be stored now.
        """
        if self._steadiness.look() < _STEADY_SECONDS:
            return
        now = self._clock.now()
        self._seen.note(now, self._cameras(), self._states_now())
        day = (now - _LATE).astimezone().date() - timedelta(days=1)
        if day != self._done:
            await self._make(day)
            self._done = day

    def _states_now(self) -> dict[str, CameraState]:
        return {each.camera: each for each in self._states()}

    async def _make(self, day: date) -> None:
        last, identity = await self._newest(day)
        there = self._cameras() or self._seen.on(day)
        due = await self._is_early(last, day) if last is not None else there and await self._ran(day)
        if due:
            await self._journal.append(await self._report(day, identity))

    async def _newest(self, day: date) -> tuple[Stored | None, str]:
        """The last report of a day, if there is one, and the id of the one behind it."""
        last, identity = None, derived_id(CamerasReported.TYPE, self._site, day.isoformat())
        while (found := await self._journal.find(identity)) is not None:
            last = found
            identity = derived_id(CamerasReported.TYPE, self._site, day.isoformat(), str(found.position))
        return last, identity

    async def _is_early(self, report: Stored, day: date) -> bool:
        """Whether a report was stored before its day was over: it says so, or the day went on behind it."""
        _since, until = bounds(day)
        if (report.event.recorded or report.event.time) < until:
            return True
        position = report.position
        while page := await self._journal.read(position, _PAGE, EventFilter(types=COUNTED_TYPES, until=until)):
            if any((each.event.recorded or each.event.time) < until for each in page):
                return True
            position = page[-1].position
            await asyncio.sleep(_REST_SECONDS)
        return False

    async def _ran(self, day: date) -> bool:
        """Whether anything was journaled on that day, or nothing happened while this run of the gateway was on."""
        since, until = bounds(day)
        begin = await self._journal.position_before(since, _MOST)
        if await self._journal.read(begin, 1, EventFilter(since=since, until=until)):
            return True
        started = await self._journal.tail(1, EventFilter(types=(GatewayStarted.TYPE,)))
        return bool(started) and started[0].event.time < until

    async def _report(self, day: date, identity: str) -> CamerasReported:
        since, until = bounds(day)
        before = await self._told_of(day - timedelta(days=1))
        tally = CameraTally(since, until, [each.camera for each in before.values() if each.lost])
        last = self._journal.last_position
        position = begin = await self._journal.position_before(since, _MOST)
        wanted = EventFilter(types=COUNTED_TYPES, since=since, until=until)
        while page := await self._journal.read(position, _PAGE, wanted):
            position = page[-1].position
            for stored in page:
                tally.take(stored.event)
            await asyncio.sleep(_REST_SECONDS)  # presses go first
        return CamerasReported(
            id=identity,
            source=gateway_source(self._site),
            subject="gateway",
            time=self._clock.now(),
            day=day.isoformat(),
            complete=begin == 0 or last - begin < _MOST,
            cameras=tally.days(self._watched(day, tally.counted, before), self._known_states(day)),
        )

    async def _told_of(self, day: date) -> dict[str, CameraDay]:
        """What the last report of a day says, by camera."""
        last, _identity = await self._newest(day)
        if last is None or not isinstance(last.event, CamerasReported):
            return {}
        return {each.camera: each for each in last.event.cameras}

    def _known_states(self, day: date) -> dict[str, CameraState]:
        """How each camera is; one that is gone as it was last."""
        then = {name: each.state for name, each in self._seen.on(day).items() if each.state is not None}
        return then | self._states_now()

    def _watched(self, day: date, counted: Sequence[str], before: Mapping[str, CameraDay]) -> Iterator[Watched]:
        """The cameras that there were on a day: those of now but for new ones, then those that are gone."""
        seen, now = self._seen.on(day), {each.id: each for each in self._cameras()}
        for camera in now.values():
            unknown = not seen and (not before or camera.id in before)
            if camera.id in seen or camera.id in counted or unknown:
                yield Watched(camera.id, camera.name, camera.place)
        for name, known in seen.items():
            if name not in now:
                yield Watched(name, known.camera.name, known.camera.place, known.at)
        for name in counted:
            if name not in now and name not in seen:
                told = before.get(name, CameraDay(camera=name))
                yield Watched(name, told.name, told.place, bounds(day)[1])


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends here, aware; 23 or 25 hours apart where clocks are changed."""
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    """The first moment of a day; where clocks go forward at midnight that is one o'clock."""
    moment = datetime.combine(day, time.min).astimezone()
    return moment if moment.date() == day else datetime.combine(day, time.min, moment.tzinfo).astimezone()
