"""The daily report of cameras: once a day, also across a restart, of days on which the gateway ran."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import ManualClock
from gateway.daemon import camera_reports
from gateway.daemon.camera_reports import CameraReports, bounds
from gateway.events import CameraDay, CameraLost, CameraRestored, CamerasReported, GatewayStarted, derived_id
from gateway.settings import CameraSettings, StorageSettings
from gateway.storage import EventFilter, Journal
from gateway.workers import CameraState

GATE = CameraSettings(id="gate", name="东门", url="rtsp://127.0.0.1/1")
BACK = CameraSettings(id="back", name="后门", url="rtsp://127.0.0.1/2")
DAY = date(2026, 11, 25)
COMMON: dict[str, Any] = {"source": "/c", "subject": "gate", "camera": "gate"}


class Bench:
    """A journal whose days are played."""

    def __init__(self, journal: Journal, clock: ManualClock) -> None:
        self.journal = journal
        self.clock = clock
        self.cameras = [GATE, BACK]
        self.states: list[CameraState] = []

    def reports(self) -> CameraReports:
        """As after a start."""
        return CameraReports("east", self.journal, lambda: self.cameras, lambda: self.states, self.clock)

    async def made_after_a_start(self) -> None:
        """What a run of the gateway makes that begins now."""
        reports = self.reports()
        self.clock.advance(600)
        await reports.make_due()

    def go_to(self, day: date, hours: float) -> None:
        """Let time pass."""
        moment = bounds(day)[0] + timedelta(hours=hours)
        self.clock.advance((moment - self.clock.now()).total_seconds())

    async def start(self) -> None:
        """The gateway starts."""
        now = self.clock.now()
        await self.journal.append(GatewayStarted(id=f"s{now}", source="/g", subject="gateway", time=now, version="1"))

    async def lose(self) -> None:
        """The gate's picture is lost."""
        now = self.clock.now()
        await self.journal.append(CameraLost(**COMMON, id=f"l{now}", time=now, reason="stalled"))

    async def restore(self) -> None:
        """It is back."""
        now = self.clock.now()
        await self.journal.append(CameraRestored(**COMMON, id=f"r{now}", time=now))

    async def told(self) -> list[CamerasReported]:
        """The reports that there are."""
        found = await self.journal.tail(31, EventFilter(types=(CamerasReported.TYPE,)))
        return [each.event for each in found if isinstance(each.event, CamerasReported)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(bounds(DAY)[0] + timedelta(hours=8))
    journal = await Journal.open(tmp_path, clock=clock, settings=StorageSettings(directory=tmp_path))
    yield Bench(journal, clock)
    await journal.close()


async def test_each_day_has_one_report_also_across_a_restart(bench: Bench) -> None:
    await bench.start()
    await bench.lose()
    bench.go_to(DAY, 10)
    await bench.restore()
    reports = bench.reports()
    await reports.make_due()
    assert await bench.told() == []

    bench.go_to(DAY + timedelta(days=1), 0.1)
    await reports.make_due()
    await reports.make_due()
    await bench.made_after_a_start()

    (report,) = await bench.told()
    gate, back = report.cameras
    assert (report.day, report.complete) == ("2026-11-25", True)
    assert (gate.camera, gate.losses, gate.seconds_without_picture, gate.well) == ("gate", 1, 7200.0, False)
    assert back.well


async def test_a_loss_that_lasts_for_days_is_in_each_of_their_reports(bench: Bench) -> None:
    await bench.start()
    bench.go_to(DAY, 23)
    await bench.lose()
    reports = bench.reports()
    for day in range(1, 4):
        bench.go_to(DAY + timedelta(days=day), 0.1)
        await reports.make_due()

    told = [(each.day, each.cameras[0].losses, each.cameras[0].lost) for each in await bench.told()]
    assert told == [("2026-11-25", 1, True), ("2026-11-26", 0, True), ("2026-11-27", 0, True)]
    hours = [each.cameras[0].seconds_without_picture / 3600 for each in await bench.told()]
    assert hours == [1, 24, 24]


async def test_a_quiet_day_is_reported_and_one_on_which_the_gateway_was_off_is_not(bench: Bench) -> None:
    await bench.start()
    reports = bench.reports()
    for day in (1, 2):
        bench.go_to(DAY + timedelta(days=day), 0.1)
        await reports.make_due()
    assert [each.day for each in await bench.told()] == ["2026-11-25", "2026-11-26"]

    bench.go_to(DAY + timedelta(days=9), 9)
    await bench.start()
    await bench.made_after_a_start()
    assert len(await bench.told()) == 2


async def test_before_the_first_start_and_without_cameras_there_is_nothing_to_report(bench: Bench) -> None:
    await bench.start()
    await bench.made_after_a_start()
    bench.cameras = []
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await bench.made_after_a_start()
    assert await bench.told() == []


async def test_more_than_is_read_is_said_to_be_incomplete(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.start()
    for hours in range(9, 15):
        bench.go_to(DAY, hours)
        await bench.lose()
        await bench.restore()
    monkeypatch.setattr(camera_reports, "_MOST", 4)
    monkeypatch.setattr(camera_reports, "_PAGE", 3)
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await bench.made_after_a_start()

    (report,) = await bench.told()
    assert not report.complete
    assert report.cameras[0].losses == 2


# --- wall clocks that are wrong


async def test_a_wall_clock_that_is_wrong_for_a_look_makes_no_report(bench: Bench) -> None:
    await bench.start()
    reports = bench.reports()
    bench.clock.advance(900)
    await reports.make_due()
    for jump in (86_400.0, -86_400.0):
        bench.clock.jump(jump)
        bench.clock.advance(60)
        await reports.make_due()
    assert await bench.told() == []
    await bench.lose()
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await reports.make_due()
    (report,) = await bench.told()
    assert (report.day, report.cameras[0].losses) == ("2026-11-25", 1)


@pytest.mark.parametrize("stored_at", [0.0, 86_400.0])
async def test_a_report_that_was_stored_before_its_day_was_over_is_followed_by_a_right_one(
    bench: Bench, stored_at: float
) -> None:
    await bench.start()
    await _store_too_early(bench, stored_at)
    bench.go_to(DAY, 12)
    await bench.lose()
    for _ in range(2):
        bench.go_to(DAY + timedelta(days=1), 0.1)
        await bench.made_after_a_start()
    early, right = await bench.told()
    assert (early.day, right.day) == ("2026-11-25", "2026-11-25")
    assert (early.cameras[0].losses, right.cameras[0].losses) == (0, 1)
    bench.go_to(DAY + timedelta(days=2), 0.1)
    await bench.made_after_a_start()
    assert [each.cameras[0].lost for each in await bench.told()] == [False, True, True]


async def _store_too_early(bench: Bench, wrong: float) -> None:
    """As earlier versions did, whose wall clock was wrong by so many seconds."""
    bench.clock.jump(wrong)
    identity = derived_id(CamerasReported.TYPE, "east", DAY.isoformat())
    days = (CameraDay(camera="gate"), CameraDay(camera="back"))
    common: dict[str, Any] = {"source": "/g", "subject": "gateway", "time": bench.clock.now(), "day": DAY.isoformat()}
    await bench.journal.append(CamerasReported(id=identity, cameras=days, **common))
    bench.clock.jump(-wrong)


# --- cameras that come and go


async def test_a_camera_that_was_added_after_midnight_is_in_no_report_of_the_day_before(bench: Bench) -> None:
    await bench.start()
    reports = bench.reports()
    bench.cameras = [GATE]
    bench.go_to(DAY, 23)
    await reports.make_due()
    bench.cameras = [GATE, BACK]
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await reports.make_due()
    bench.go_to(DAY + timedelta(days=2), 0.1)
    await reports.make_due()
    assert [[day.camera for day in each.cameras] for each in await bench.told()] == [["gate"], ["gate", "back"]]


async def test_a_camera_that_was_lost_all_day_and_removed_in_the_evening_is_in_its_report(bench: Bench) -> None:
    await bench.start()
    reports = bench.reports()
    since = bounds(DAY)[0] - timedelta(hours=1)
    bench.states = [CameraState(camera="back", name="", place="", state="lost", lost_since=since)]
    bench.go_to(DAY, 18)
    await reports.make_due()
    bench.cameras, bench.states = [GATE], []
    for day in (1, 2):
        bench.go_to(DAY + timedelta(days=day), 0.1)
        await reports.make_due()
    first, second = await bench.told()
    assert [each.camera for each in second.cameras] == ["gate"]
    back = first.cameras[1]
    told = (back.camera, back.name, back.seconds_without_picture / 3600, back.lost, back.well)
    assert told == ("back", "后门", 18, False, False)


async def test_a_lost_camera_that_was_removed_before_a_restart_is_told_once_more(bench: Bench) -> None:
    await bench.start()
    await bench.lose()
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await bench.made_after_a_start()
    bench.cameras = [BACK]
    for day in (2, 3):
        bench.go_to(DAY + timedelta(days=day), 0.1)
        await bench.made_after_a_start()
    told = [[(day.camera, day.name, day.lost) for day in each.cameras] for each in await bench.told()]
    gone, back = ("gate", "东门", False), ("back", "后门", False)
    assert told == [[("gate", "东门", True), back], [back, gone], [back]]


# --- midnights


@pytest.fixture
def havana(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/Havana")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("havana")
def test_where_clocks_go_forward_at_midnight_the_day_begins_then() -> None:
    begin, end = bounds(date(2026, 3, 8))
    assert (begin.isoformat(), end.isoformat()) == ("2026-03-08T01:00:00-04:00", "2026-03-09T00:00:00-04:00")
    assert bounds(date(2026, 3, 7))[1] == begin
