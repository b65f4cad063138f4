"""The hourly look at a camera's own recording: what is a gap, and what is told of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from harness.devices_bench import ASSIGNED, Outbox

from gateway.cameras import CameraError, CameraState, OwnRecording
from gateway.clock import ManualClock
from gateway.events import CameraFault, Severity, decode
from gateway.settings import VisionSettings
from gateway.vision.devices.own_recording import RecordingRounds, RecordingWatch
from gateway.wire import Report

NOW = ManualClock().now()
DAYS, MINUTES = timedelta(days=1), timedelta(minutes=1)
NOTHING = OwnRecording(None, None, 0)


def own(days: float, minutes: float = 0.0, *, now: datetime = NOW, ahead: timedelta = timedelta(0)) -> OwnRecording:
    """One that reaches back so many days, and whose newest picture is so many minutes old."""
    there = now + ahead
    return OwnRecording(there - days * DAYS, there - minutes * MINUTES, 1, None, ahead)


def watch(days: float | None = None) -> RecordingWatch:
    return RecordingWatch(10 * MINUTES, None if days is None else days * DAYS)


@pytest.mark.parametrize(("minutes", "is_gap"), [(-5, False), (9.9, False), (10.1, True)])
def test_the_newest_picture_may_be_ten_minutes_old(minutes: float, *, is_gap: bool) -> None:
    verdict = watch().judge(own(3, minutes), NOW)
    assert verdict is not None
    assert bool(verdict.gap) == is_gap


def test_a_clock_that_is_off_makes_no_gap() -> None:
    verdict = watch().judge(own(3, 1, ahead=timedelta(hours=-8)), NOW)
    assert verdict is not None
    assert verdict.gap == ""
    assert verdict.figures == {"minutes": 1, "days": 3.0}


def test_a_picture_of_the_future_hides_whether_it_records_and_is_a_gap() -> None:
    """One file that was written while the camera's clock was wrong would otherwise be the newest for ever."""
    verdict = watch().judge(own(3, -60 * 24 * 365), NOW)
    assert verdict is not None
    assert "by a clock that was wrong" in verdict.gap
    assert verdict.figures == {"minutes": "–", "days": 3.0}


def test_a_new_card_fills_and_is_no_gap() -> None:
    watched = watch(days=7)
    for hour in range(0, 48, 6):
        verdict = watched.judge(own(1 + hour / 24, now=NOW + timedelta(hours=hour)), NOW + timedelta(hours=hour))
        assert verdict is not None
        assert verdict.gap == ""


def test_one_that_overwrites_what_should_be_kept_is_a_gap() -> None:
    watched, later = watch(days=7), NOW + timedelta(hours=1)
    watched.judge(own(3), NOW)
    verdict = watched.judge(own(3, now=later), later)
    assert verdict is not None
    assert verdict.gap == "it reaches back 3 days only"


def test_one_that_was_emptied_is_a_gap_until_it_is_full_again() -> None:
    watched = watch(days=7)
    gaps = []
    for day, reach in enumerate((9, 1, 5, 7.5)):
        verdict = watched.judge(own(reach, now=NOW + day * DAYS), NOW + day * DAYS)
        assert verdict is not None
        gaps.append(bool(verdict.gap))
    assert gaps == [False, True, True, False]


def test_how_far_it_reaches_back_is_not_judged_without_a_setting() -> None:
    watched = watch()
    watched.judge(own(9), NOW)
    verdict = watched.judge(own(1), NOW)
    assert verdict is not None
    assert verdict.gap == ""


def test_nothing_recorded_is_a_gap_only_where_something_should_be() -> None:
    assert watch().judge(NOTHING, NOW) is None
    asked = watch(days=1).judge(NOTHING, NOW)
    assert asked is not None
    assert asked.gap
    emptied = watch()
    emptied.judge(own(3), NOW)
    gone = emptied.judge(NOTHING, NOW)
    assert gone is not None
    assert gone.gap


@dataclass
class Camera:
    """Answers in turn, the last for ever."""

    answers: list[OwnRecording | CameraState]
    asked: int = 0

    async def own_recording(self) -> OwnRecording:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CameraState):
            raise CameraError(answer, "no", where="127.0.0.1")
        return answer


async def looked(*answers: OwnRecording | CameraState, hours: int) -> tuple[Outbox, Camera, RecordingRounds]:
    camera, outbox, clock = Camera(list(answers)), Outbox(), ManualClock()
    rounds = RecordingRounds(ASSIGNED, camera, "east", outbox, clock, VisionSettings())
    task = asyncio.create_task(rounds.run())
    for _ in range(hours * 60):
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(60)
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return outbox, camera, rounds


def ends(minutes: float) -> OwnRecording:
    """One whose newest picture was taken so many minutes after the beginning."""
    return OwnRecording(NOW - DAYS, NOW + minutes * MINUTES, 1)


async def test_a_gap_is_told_once_with_its_figures_and_its_end_once() -> None:
    outbox, _, rounds = await looked(ends(0), ends(0), ends(0), ends(0), ends(600), hours=8)
    assert outbox.faults() == ["recording_gap", "recording_ok"]
    events = [decode(each.event) for each in outbox.sent if isinstance(each, Report)]
    gap = events[0]
    assert isinstance(gap, CameraFault)
    assert gap.severity is Severity.MEDIUM
    assert gap.figures is not None
    assert gap.figures["days"] == pytest.approx(1, abs=0.2)
    assert "memory card" in gap.remedy
    assert rounds.figures()["recording_gap"] is False


async def test_the_same_gap_has_the_same_id_behind_a_restart() -> None:
    ids = []
    for _ in range(2):
        outbox, _, _ = await looked(ends(-60), hours=1)
        ids += [decode(each.event).id for each in outbox.sent if isinstance(each, Report)]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_it_is_looked_at_once_an_hour() -> None:
    _, camera, _ = await looked(ends(10_000), hours=12)
    assert 9 <= camera.asked <= 17


async def test_a_camera_without_recording_is_told_nothing_of_and_asked_on() -> None:
    outbox, camera, rounds = await looked(CameraState.NO_RECORDING, hours=6)
    assert outbox.sent == []
    assert camera.asked > 2
    assert rounds.figures() == {}


async def test_a_camera_that_is_away_is_asked_sooner() -> None:
    outbox, camera, _ = await looked(CameraState.UNREACHABLE, CameraState.UNREACHABLE, ends(600), hours=1)
    assert outbox.sent == []
    assert camera.asked >= 3
