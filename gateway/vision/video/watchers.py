"""What a child notices about its own work: the age of pictures when they are judged, and a gate that hangs."""

import threading
from collections import deque

from gateway.vision.video.motion import GateCounts

_AGES, _LATELY_SECONDS = 600, 60.0
_LATE_SECONDS = 0.3
_OPEN_SECONDS, _SHUT_SECONDS = 3600.0, 86400.0
_LEAST_ASKED = 1000
_OPEN_SHARE = 0.98


class DecisionAges:
    """How old the pictures of the last minute's looks were when the look was done; any thread may use it.

    Attributes:
        late: of all looks, those whose picture was older than 300 ms.
    """

    def __init__(self) -> None:
        self.late = 0
        self._lock = threading.Lock()
        self._ages: deque[tuple[float, float]] = deque(maxlen=_AGES)

    def note(self, seconds: float, now: float) -> None:
        """A look is done at monotonic `now` (s) whose picture came `seconds` ago."""
        with self._lock:
            self._ages.append((now, seconds))
            self.late += seconds > _LATE_SECONDS
            while self._ages[0][0] < now - _LATELY_SECONDS:
                self._ages.popleft()

    def milliseconds(self, share: float) -> float:
        """The age that this share (0..1) of the looks did not pass; -1 without any."""
        with self._lock:
            ordered = sorted(age for _when, age in self._ages)
        return round(1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else -1.0


class GateWatch:
    """Tells of a motion gate that never shuts (an hour: it only costs) or never opens (a day: it may be blind)."""

    def __init__(self, now: float) -> None:
        self._shut_at = self._opened_at = now
        self._last = GateCounts()

    def judge(self, counts: GateCounts, now: float) -> str:
        """``never_shuts``, ``never_opens`` or nothing, by the counts at monotonic `now` (s)."""
        asked, moved = counts.asked - self._last.asked, counts.moved - self._last.moved
        if moved:
            self._opened_at = now
        if asked - moved > (1 - _OPEN_SHARE) * asked:
            self._shut_at = now
        self._last = counts
        if counts.asked < _LEAST_ASKED:
            return ""
        if now - self._shut_at > _OPEN_SECONDS:
            return "never_shuts"
        return "never_opens" if now - self._opened_at > _SHUT_SECONDS else ""
