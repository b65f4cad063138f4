"""The daily report of cameras: one event a day, made of the journal soon after midnight."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from gateway.clock import Clock
from gateway.daemon.camera_day import COUNTED_TYPES, CameraTally
from gateway.events import CamerasReported, GatewayStarted, derived_id, gateway_source
from gateway.settings import CameraSettings
from gateway.storage import EventFilter, Journal
from gateway.workers import CameraState

_LOOK_SECONDS = 60.0
_LATE = timedelta(seconds=60)
_PAGE, _MOST = 100, 500_000
_REST_SECONDS = 0.01


class CameraReports:
    """Makes the report of each day that is over, by the machine's time zone; one that is there is not made again.

    A day on which the gateway did not run has none; of days that it missed only yesterday is made up for.

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
        self._done: date | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._clock.sleep(_LOOK_SECONDS)
            await self.make_due()

    async def make_due(self) -> None:
        """Make yesterday's report, if it is missing.

        Raises:
            StorageFullError: it cannot be stored now.
        """
        day = (self._clock.now() - _LATE).astimezone().date() - timedelta(days=1)
        if day == self._done:
            return
        if self._cameras() and await self._journal.find(self._id(day)) is None and await self._ran(day):
            await self._journal.append(await self._report(day))
        self._done = day

    def _id(self, day: date) -> str:
        return derived_id(CamerasReported.TYPE, self._site, day.isoformat())

    async def _ran(self, day: date) -> bool:
        """Whether anything was journaled on that day, or nothing happened while this run of the gateway was on."""
        since, until = bounds(day)
        begin = await self._journal.position_before(since, _MOST)
        if await self._journal.read(begin, 1, EventFilter(since=since, until=until)):
            return True
        started = await self._journal.tail(1, EventFilter(types=(GatewayStarted.TYPE,)))
        return bool(started) and started[0].event.time < until

    async def _report(self, day: date) -> CamerasReported:
        since, until = bounds(day)
        tally = CameraTally(since, until, await self._lost_at_the_end_of(day - timedelta(days=1)))
        last = self._journal.last_position
        position = begin = await self._journal.position_before(since, _MOST)
        wanted = EventFilter(types=COUNTED_TYPES, since=since, until=until)
        while page := await self._journal.read(position, _PAGE, wanted):
            position = page[-1].position
            for stored in page:
                tally.take(stored.event)
            await asyncio.sleep(_REST_SECONDS)  # presses go first
        return CamerasReported(
            id=self._id(day),
            source=gateway_source(self._site),
            subject="gateway",
            time=self._clock.now(),
            day=day.isoformat(),
            complete=begin == 0 or last - begin < _MOST,
            cameras=tally.days(self._cameras(), {each.camera: each for each in self._states()}),
        )

    async def _lost_at_the_end_of(self, day: date) -> tuple[str, ...]:
        before = await self._journal.find(self._id(day))
        if before is None or not isinstance(before.event, CamerasReported):
            return ()
        return tuple(each.camera for each in before.event.cameras if each.lost)


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends here, aware; 23 or 25 hours apart where clocks are changed."""
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min).astimezone()
