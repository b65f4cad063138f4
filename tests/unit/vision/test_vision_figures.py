"""What a camera's status says: rates since the one before, what the work costs, and a gate that hangs."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from gateway.clock import ManualClock
from gateway.streams import LossReason, StreamCounters, StreamLive, StreamLost, StreamState
from gateway.vision.video.figures import StreamFigures
from gateway.vision.video.motion import GateCounts
from gateway.vision.video.passers import StageTimes
from gateway.wire import CameraStatus

LIVE = StreamLive(datetime(2026, 11, 23, tzinfo=UTC), 1280, 720, "h264")


@dataclass
class Stream:
    """Stands for the reader: only what a status asks of it."""

    state: StreamState = LIVE
    counters: StreamCounters = field(default_factory=StreamCounters)
    frame_age_seconds: float | None = 0.04
    resting: bool = False


def opened() -> tuple[StreamFigures, Stream, ManualClock]:
    stream, clock = Stream(), ManualClock()
    return StreamFigures("cam-01", stream, clock), stream, clock  # type: ignore[arg-type]  # as a status sees it


def test_rates_and_load_are_of_the_time_since_the_status_before() -> None:
    figures, stream, clock = opened()
    times = StageTimes()
    figures.status(times, 0, GateCounts())
    stream.counters = StreamCounters(seen=50, looked=10, skipped=40, rested=7, decode_ms=2.0)
    for _ in range(10):
        times.note("detect", 0.006)
    times.note("embed", 0.021, 3)
    clock.advance(2)
    first = figures.status(times, 4, GateCounts(11, 3))
    assert (first.frames_per_second, first.looks_per_second) == (25.0, 5.0)
    assert (first.frames_seen, first.frames_looked, first.frames_skipped, first.frames_rested) == (50, 10, 40, 7)
    assert (first.decode_ms, first.detect_ms, first.embed_ms) == (2.0, 6.0, 7.0)
    assert first.load == pytest.approx(25 * 0.002 + 0.081 / 2, abs=1e-3)
    assert (first.passages, first.gate_asked, first.gate_moved, first.frame_age_ms) == (4, 11, 3, 40.0)
    clock.advance(2)
    assert replace(figures.status(times, 4, GateCounts(11, 3)), decode_ms=0).load == 0.0


def test_a_lost_camera_says_why_and_what_to_do() -> None:
    figures, stream, _ = opened()
    assert figures.status(StageTimes(), 0, GateCounts()).remedy == ""
    stream.state = StreamLost(datetime(2026, 11, 23, tzinfo=UTC), LossReason.INVALID_DATA, 1, 2.0)
    lost = figures.status(StageTimes(), 0, GateCounts())
    assert (lost.state, lost.reason, lost.remedy) == ("lost", "invalid_data", LossReason.INVALID_DATA.remedy)


def test_the_load_counts_what_is_decoded_of_the_main_stream_too() -> None:
    main, clock = Stream(), ManualClock()
    figures = StreamFigures("cam-01", Stream(), clock, main)  # type: ignore[arg-type]  # as a status sees them
    figures.status(StageTimes(), 0, GateCounts())
    main.counters = StreamCounters(seen=20, decode_ms=10.0)
    clock.advance(2)
    now = figures.status(StageTimes(), 0, GateCounts())
    assert (now.load, now.main_frames, now.main_decode_ms, now.main_state) == (0.1, 20, 10.0, "live")


def test_ages_at_decision_are_told() -> None:
    figures, _, clock = opened()
    assert figures.status(StageTimes(), 0, GateCounts()).decision_age_p95_ms == -1.0
    for number in range(100):
        figures.ages.note(0.4 if number >= 90 else 0.05, clock.monotonic())
    status = figures.status(StageTimes(), 0, GateCounts())
    assert (status.decision_age_ms, status.decision_age_p95_ms, status.looks_late) == (50.0, 400.0, 10)


def test_a_gate_that_never_shuts_is_in_the_status() -> None:
    figures, _, clock = opened()

    def after(minutes: int) -> CameraStatus:
        clock.advance(60 * minutes)
        asked = int(clock.monotonic() * 5) + 2000
        return figures.status(StageTimes(), 0, GateCounts(asked, asked))

    assert [after(30).gate, after(29).gate, after(3).gate] == ["", "", "never_shuts"]
