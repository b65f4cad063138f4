"""Counts how near passers-by came to the watch-list, in sum: no passage, time or template of one is kept."""

from gateway.wire import PassageStatistics

_BIN = 0.01
_BINS = 151
_ROUNDING = 1e-9


class PassageCounts:
    """The histogram of one camera since it was last taken.

    Bins of 0.01 from 0 to 1.5; the last holds the rest, among them passages of whom nobody was within reach.
    """

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._histogram = [0] * _BINS
        self._passages = 0
        self._warned = 0
        self.total = 0

    def count(self, nearest: float | None, *, warned: bool) -> None:
        """A passage ended; `nearest` is its smallest distance, or None if no face of it was compared."""
        self.total += 1
        self._passages += 1
        self._warned += int(warned)
        if nearest is not None:
            self._histogram[min(_BINS - 1, int(nearest / _BIN + _ROUNDING))] += 1

    def take(self) -> PassageStatistics:
        """What was counted, and begin anew."""
        taken = PassageStatistics(
            camera=self._camera, passages=self._passages, warned=self._warned, histogram=tuple(self._histogram)
        )
        self._histogram, self._passages, self._warned = [0] * _BINS, 0, 0
        return taken
