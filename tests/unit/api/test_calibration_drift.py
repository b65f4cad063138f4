"""The alarm of drift is raised once and cleared once, and survives a restart; thresholds reach the children."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

from gateway.api.calibration import Calibrations
from gateway.clock import ManualClock
from gateway.events import Event, GatewayFault
from gateway.storage import SeenPassages
from gateway.wire import CalibratedThresholds, CalibrationReply, CalibrationRequest
from gateway.workers import GalleryState, WorkerAwayError

from .test_calibration_desk import REPLY


class Bench:
    """Stores and workers as far as the calibration uses them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.stood = ""
        self.reply: CalibrationReply | Exception = REPLY
        self.applied: list[CalibratedThresholds] = []
        self.revision = 1
        stores: Any = SimpleNamespace(histograms=self, journal=SimpleNamespace(append=self.append))
        self.clock = ManualClock()
        self.desk = Calibrations("east", stores, self, self.clock)  # type: ignore[arg-type]  # what it uses of them

    async def append(self, event: Event) -> None:
        self.events.append(event)

    async def seen(self, since: date, model: str) -> SeenPassages:
        return SeenPassages(days={})

    async def drift(self) -> str:
        return self.stood

    async def set_drift(self, drift: str) -> None:
        self.stood = drift

    async def trim(self, before: date) -> None:
        pass

    def gallery(self) -> GalleryState:
        return GalleryState(revision=self.revision, fingerprint="net")

    async def calibrate(self, request: CalibrationRequest) -> CalibrationReply:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def apply_thresholds(self, thresholds: CalibratedThresholds) -> None:
        self.applied.append(thresholds)


def faults(bench: Bench) -> list[tuple[str, str]]:
    return [(each.fault, each.severity.value) for each in bench.events if isinstance(each, GatewayFault)]


async def test_drift_is_raised_once_and_cleared_once() -> None:
    bench = Bench()
    for drift in ("", "above", "above", "", "", "below", ""):
        bench.reply = replace(REPLY, drift=drift)
        await bench.desk._refresh()
    assert faults(bench) == [
        ("false_warning_rate_above", "medium"),
        ("false_warning_rate_normal", "info"),
        ("false_warning_rate_below", "medium"),
        ("false_warning_rate_normal", "info"),
    ]


async def test_an_alarm_that_stands_is_not_raised_again_by_the_next_run() -> None:
    bench = Bench()
    bench.stood, bench.reply = "above", replace(REPLY, drift="above")
    await bench.desk._refresh()
    assert faults(bench) == []


async def test_thresholds_go_to_the_children_with_what_they_cost() -> None:
    bench = Bench()
    await bench.desk._refresh()
    (told,) = bench.applied
    assert (told.default.full, told.warnings_per_day, told.basis) == (0.412, 1.94, "site")
    assert bench.desk.current == REPLY


async def test_a_gallery_child_that_is_away_leaves_the_thresholds_as_they_are() -> None:
    bench = Bench()
    await bench.desk._refresh()
    bench.reply = WorkerAwayError("the gallery child is away")
    await bench.desk._refresh()
    assert (len(bench.applied), bench.desk.current) == (1, REPLY)


async def test_it_is_due_when_the_list_changed_or_a_quarter_of_an_hour_passed() -> None:
    bench = Bench()
    assert bench.desk._is_due()
    await bench.desk._refresh()
    assert not bench.desk._is_due()
    bench.revision = 2
    assert bench.desk._is_due()
    await bench.desk._refresh()
    bench.clock.advance(901)
    assert bench.desk._is_due()
