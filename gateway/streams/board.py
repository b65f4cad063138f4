"""What the reader's thread and the looker's thread share: the newest frame, the state, and the counts."""

import threading
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.streams.frame import Frame
from gateway.streams.states import LossReason, StreamConnecting, StreamLive, StreamLost, StreamState, StreamStopped


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """Counts since the stream was made.

    Attributes:
        seen: frames decoded; looked: frames taken; skipped: frames that a newer one replaced untaken.
        rested: packets that were not decoded because the scene was still.
        losses: how often it was lost; corrupt: packets that could not be decoded.
        decode_ms: mean CPU milliseconds per frame, lately.
    """

    seen: int = 0
    looked: int = 0
    skipped: int = 0
    rested: int = 0
    losses: int = 0
    corrupt: int = 0
    decode_ms: float = 0.0


class Board:
    """One frame and one loss at most: a newer one takes the place of the older, so memory is bounded."""

    _SMOOTHING = 0.05

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._state: StreamState = StreamStopped(clock.now())
        self._frame: Frame | None = None
        self._loss: StreamLost | None = None
        self._told: LossReason | None = None
        self._received: float | None = None
        self._heard: float | None = None
        self._seen = self._looked = self._skipped = self._rested = self._losses = self._corrupt = 0
        self._decode_ms = 0.0
        self._closed = False

    @property
    def state(self) -> StreamState:
        """The state now."""
        with self._changed:
            return self._state

    @property
    def counters(self) -> StreamCounters:
        """The counts now."""
        with self._changed:
            return StreamCounters(
                self._seen, self._looked, self._skipped, self._rested, self._losses, self._corrupt, self._decode_ms
            )

    def frame_age(self) -> float | None:
        """Seconds since the newest frame came; None if there was none."""
        with self._changed:
            return None if self._received is None else self._clock.monotonic() - self._received

    def silence(self) -> float | None:
        """Seconds since anything came that shows the stream alive; None if nothing did."""
        with self._changed:
            return None if self._heard is None else self._clock.monotonic() - self._heard

    def skip(self, now: float, width: int, height: int, codec: str, *, doubted: bool = False) -> None:
        """A packet of a picture of this size came at monotonic `now` and was not decoded: the stream is live.

        Not if it is `doubted`: then what it was lost for is not over yet.
        """
        with self._changed:
            self._go_live(width, height, codec, doubted=doubted)
            self._rested += 1
            self._heard = now

    def wait_until_taken(self, timeout: float, stopping: threading.Event) -> None:
        """Wait until the frame that was put is taken; at most `timeout` seconds, or until `stopping`."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is None or stopping.is_set(), timeout)

    def connecting(self, attempt: int) -> None:
        """The stream is being opened; a loss stays the state until pictures come."""
        with self._changed:
            if not isinstance(self._state, StreamLost):
                self._state = StreamConnecting(self._clock.now(), attempt)

    def lost(self, reason: LossReason, attempts: int, retry_seconds: float | None, detail: str = "") -> None:
        """There are no pictures; the looker is told once per loss and reason."""
        with self._changed:
            before = self._state
            again = isinstance(before, StreamLost)
            since = before.since if isinstance(before, StreamLost) else self._clock.now()
            self._state = StreamLost(since, reason, attempts, retry_seconds, detail)
            self._losses += not again
            if reason is not self._told:
                self._told, self._loss, self._frame = reason, self._state, None
                self._changed.notify_all()

    def stopped(self) -> None:
        """The reader ended; whoever waits is let go."""
        with self._changed:
            if not (isinstance(self._state, StreamLost) and self._state.retry_seconds is None):
                self._state = StreamStopped(self._clock.now())
            self._closed = True
            self._changed.notify_all()

    def put(self, frame: Frame, codec: str, decode_ms: float, *, doubted: bool = False) -> None:
        """A decoded frame: the stream is live, unless `doubted`; takes the place of one that nobody took."""
        with self._changed:
            self._go_live(frame.width, frame.height, codec, doubted=doubted)
            self._seen += 1
            self._skipped += self._frame is not None
            weight = self._SMOOTHING if self._seen > 1 else 1.0
            self._decode_ms += weight * (decode_ms - self._decode_ms)
            self._frame, self._received, self._heard = frame, frame.received, self._clock.monotonic()
            self._changed.notify_all()

    def _go_live(self, width: int, height: int, codec: str, *, doubted: bool) -> None:
        if isinstance(self._state, StreamLive):
            if (self._state.width, self._state.height) != (width, height):
                self._state = replace(self._state, width=width, height=height)
        elif not doubted:
            self._state = StreamLive(self._clock.now(), width, height, codec)
            self._told = None

    def count_corrupt(self) -> None:
        """A packet could not be decoded."""
        with self._changed:
            self._corrupt += 1

    def take(self, timeout: float) -> Frame | StreamLost | None:
        """A loss not yet told, else the newest frame not yet taken; waits at most `timeout` seconds, then None."""
        with self._changed:
            self._changed.wait_for(self._has_news, timeout)
            if self._loss is not None:
                loss, self._loss = self._loss, None
                return loss
            frame, self._frame = self._frame, None
            self._looked += frame is not None
            self._changed.notify_all()
            return frame

    def _has_news(self) -> bool:
        return self._loss is not None or self._frame is not None or self._closed
