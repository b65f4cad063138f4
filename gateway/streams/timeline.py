"""Camera time that only grows, the pace of a recording, and the watch over a camera's clock."""

from gateway.streams.loss import StreamFaultError
from gateway.streams.states import LossReason

_NOMINAL_STEP = 0.04
_TICK = 1e-3


class Timeline:
    """Joins the times of sessions (connections, or rounds of a recording) into one that grows."""

    def __init__(self) -> None:
        self._last = -_NOMINAL_STEP
        self._last_received = 0.0
        self._step = _NOMINAL_STEP
        self._offset: float | None = None
        self._begins = True

    def new_session(self) -> None:
        """The next frame's time has no relation to the last one's."""
        self._offset = None
        self._begins = True

    def place(self, media: float | None, received: float, *, live: bool) -> float:
        """The camera time of a frame.

        Args:
            media: the frame's own time in its session; None if it has none.
            received: monotonic seconds.
            live: a new session begins after as much time as really passed; a recording's round goes on at once.
        """
        due = self._last + self._gap(received, live=live)
        if media is None:
            # Often a live session's first picture, so its place must not wait for the second.
            placed = due
        else:
            self._offset = due - media if self._offset is None else self._offset
            placed = media + self._offset
        self._begins = False
        placed = max(placed, self._last + _TICK)
        if 2 * _TICK < placed - self._last < 1 and self._last >= 0:
            self._step = placed - self._last
        self._last, self._last_received = placed, received
        return placed

    def of(self, media: float) -> float:
        """The camera time that a frame of this own time would have, were it shown."""
        if self._offset is None:
            self._offset = self._last + self._step - media
            self._begins = False
        return max(self._last, media + self._offset)

    def _gap(self, received: float, *, live: bool) -> float:
        """Seconds from the last frame to this one, as far as anybody but the stream can tell."""
        if self._begins and live and self._last >= 0:
            return max(received - self._last_received, self._step)
        return self._step


class Pace:
    """Tells how long to hold a recording's frame back so that it plays at its own speed."""

    _LATE = 1.0

    def __init__(self) -> None:
        self._zero: float | None = None

    def wait_seconds(self, seconds: float, now: float) -> float:
        """Seconds to wait for the frame of camera time `seconds` at monotonic `now`; 0 if it is due."""
        if self._zero is None or now - (self._zero + seconds) > self._LATE:
            # A machine that slept does not catch up in a burst.
            self._zero = now - seconds
        return max(0.0, self._zero + seconds - now)


class ClockWatch:
    """Finds a camera whose stream clock jumps, stands still or goes back little by little.

    Args:
        stuck_seconds: how long no later time may come.
    """

    _BACK, _AHEAD = 1.0, 10.0
    # A first time may be the library's own guess: only two steps show a clock that goes.
    _STEPS = 2

    def __init__(self, stuck_seconds: float) -> None:
        self._stuck_seconds = stuck_seconds
        self._media: float | None = None
        self._received = 0.0
        self._highest, self._grew = 0.0, 0.0
        self._steps = 0

    @property
    def goes(self) -> bool:
        """Whether the clock was seen to go on."""
        return self._steps >= self._STEPS

    def check(self, media: float | None, received: float) -> None:
        """Look at a picture's or a packet's own time.

        Raises:
            StreamFaultError: CLOCK_JUMP or CLOCK_STUCK.
        """
        if media is None:
            return
        if self._media is None:
            self._media = self._highest = media
            self._received = self._grew = received
        step, passed = media - self._media, received - self._received
        if step < -self._BACK or step - passed > self._AHEAD:
            raise StreamFaultError(LossReason.CLOCK_JUMP)
        if media <= self._highest and received - self._grew >= self._stuck_seconds:
            raise StreamFaultError(LossReason.CLOCK_STUCK)
        if step != 0:
            self._media, self._received = media, received
        if media > self._highest:
            self._highest, self._grew = media, received
            self._steps += 1
