"""The daily report of cameras: once a day, also across a restart, of days on which the gateway ran."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import ManualClock
from gateway.daemon import camera_reports
from gateway.daemon.camera_reports import CameraReports, bounds
from gateway.events import CameraLost, CameraRestored, CamerasReported, GatewayStarted
from gateway.settings import CameraSettings, StorageSettings
from gateway.storage import EventFilter, Journal

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

    def reports(self) -> CameraReports:
        """As after a start."""
        return CameraReports("east", self.journal, lambda: self.cameras, tuple, self.clock)

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
    await bench.reports().make_due()

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
    await bench.reports().make_due()
    assert len(await bench.told()) == 2


async def test_before_the_first_start_and_without_cameras_there_is_nothing_to_report(bench: Bench) -> None:
    await bench.start()
    await bench.reports().make_due()
    bench.cameras = []
    bench.go_to(DAY + timedelta(days=1), 0.1)
    await bench.reports().make_due()
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
    await bench.reports().make_due()

    (report,) = await bench.told()
    assert not report.complete
    assert report.cameras[0].losses == 2
