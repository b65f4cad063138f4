"""Figures of one camera for the heartbeat."""

from gateway.clock import Clock
from gateway.streams import StreamConnecting, StreamCounters, StreamLive, StreamLost, StreamState, VideoStream
from gateway.vision.video.main_stream import MainStream
from gateway.vision.video.motion import GateCounts
from gateway.vision.video.passers import StageTimes
from gateway.vision.video.watchers import DecisionAges, GateWatch, LookWatch
from gateway.wire import CameraStatus


class StreamFigures:
    """Turns a stream's counters into a status; rates are since the status before.

    Args:
        camera: its id.
        stream: whose counters they are.
        clock: for rates.
        main: the main stream, if that is another.
    """

    def __init__(self, camera: str, stream: VideoStream, clock: Clock, main: MainStream | None = None) -> None:
        self._camera = camera
        self._stream = stream
        self._main = main
        self._clock = clock
        self._last_at = clock.monotonic()
        self._last = (0, 0, 0.0, 0)
        self._gate = GateWatch(clock.monotonic())
        self.ages = DecisionAges()
        self.looks = LookWatch()

    def status(self, times: StageTimes, passages: int, gate: GateCounts) -> CameraStatus:
        """The camera now."""
        state, counters, age = self._stream.state, self._stream.counters, self._stream.frame_age_seconds
        name, reason = _named(state)
        main_state, main_reason = _named(self._main.state) if self._main is not None else ("", "")
        of_main = self._main.counters if self._main is not None else StreamCounters()
        looks, frames, spent, cut = self._rates(counters.looked, counters.seen, times.spent, of_main.seen)
        return CameraStatus(
            camera=self._camera,
            state=name,
            reason=reason,
            remedy=state.reason.remedy if isinstance(state, StreamLost) and name == "lost" else "",
            width=state.width if isinstance(state, StreamLive) else 0,
            height=state.height if isinstance(state, StreamLive) else 0,
            frames_seen=counters.seen,
            frames_looked=counters.looked,
            frames_skipped=counters.skipped,
            looks_per_second=round(looks, 2),
            frames_per_second=round(frames, 2),
            frame_age_ms=-1.0 if age is None else round(1000 * age, 1),
            decode_ms=round(counters.decode_ms, 2),
            detect_ms=round(times.detect_ms, 2),
            embed_ms=round(times.embed_ms, 2),
            load=round((frames * counters.decode_ms + cut * of_main.decode_ms) / 1e3 + spent, 3),
            passages=passages,
            looks_late=self.ages.late,
            looks_failed=self.looks.failed,
            frames_rested=counters.rested,
            resting=self._stream.resting,
            gate_asked=gate.asked,
            gate_moved=gate.moved,
            gate=self._gate.judge(gate, self._clock.monotonic()),
            decision_age_ms=self.ages.milliseconds(0.5),
            decision_age_p95_ms=self.ages.milliseconds(0.95),
            main_state=main_state,
            main_reason=main_reason,
            main_frames=of_main.seen,
            main_decode_ms=round(of_main.decode_ms, 2),
        )

    def _rates(self, looked: int, seen: int, spent: float, cut: int) -> tuple[float, float, float, float]:
        """Looks, frames, CPU seconds of looks, and frames of the main stream, each per second since the last call."""
        now, before = self._clock.monotonic(), self._last
        passed = now - self._last_at
        self._last_at, self._last = now, (looked, seen, spent, cut)
        if passed <= 0:
            return 0.0, 0.0, 0.0, 0.0
        return (
            (looked - before[0]) / passed,
            (seen - before[1]) / passed,
            (spent - before[2]) / passed,
            (cut - before[3]) / passed,
        )


def _named(state: StreamState) -> tuple[str, str]:
    """State and reason as the heartbeat names them; a recording that is over is idle, not lost."""
    if isinstance(state, StreamLive):
        return "live", ""
    if isinstance(state, StreamLost):
        return ("idle" if state.retry_seconds is None else "lost"), state.reason.value
    return ("connecting" if isinstance(state, StreamConnecting) else "idle"), ""
