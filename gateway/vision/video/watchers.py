"""What a child notices about its own work: the age of pictures when they are judged, and a gate that hangs."""

import threading
from collections import deque

from gateway.vision.video.motion import GateCounts

_AGES, _LATELY_SECONDS = 600, 60.0
_LATE_SECONDS = 0.3
_OPEN_SECONDS, _SHUT_SECONDS = 3600.0, 86400.0
_LEAST_ASKED = 1000
_OPEN_SHARE = 0.98
_FAILS_FROM, _LOG_SECONDS = 5, 60.0


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


class LookWatch:
    """Tells when look after look of a camera fails: it gives pictures, and nobody is compared.

    Attributes:
        failed: looks that failed, of all.
    """

    def __init__(self) -> None:
        self.failed = 0
        self._in_a_row = 0
        self._told = False
        self._logged_at = float("-inf")

    def note_failed(self, now: float) -> bool:
        """A look failed at monotonic `now` (s); whether its traceback is to be in the log."""
        self.failed += 1
        self._in_a_row += 1
        if now - self._logged_at < _LOG_SECONDS:
            return False
        self._logged_at = now
        return True

    def note_done(self) -> None:
        """A look was done."""
        self._in_a_row = 0

    def news(self) -> bool | None:
        """True once looks fail, False once one is done again, None if nothing is new."""
        failing = self._in_a_row >= _FAILS_FROM
        if failing == self._told or (self._told and self._in_a_row):
            return None
        self._told = failing
        return failing


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
