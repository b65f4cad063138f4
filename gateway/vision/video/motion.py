"""Says whether a picture has changed enough to look for faces in it."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 96
# Grey levels by which a pixel of the thumbnail must differ, and how many; sensor noise averages out in so small a one.
_STEP = 12
_PIXELS = 6
_LONGEST_REST_SECONDS = 2.0


class MotionGate:
    """Lets a frame through when something moved, and one now and then in any case.

    A face that stands still when the gate begins is found by the frame let through every 2 s.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._passed_at: float | None = None

    def opens(self, at: float, thumbnail: NDArray[np.uint8]) -> bool:
        """Whether to look for faces in the frame of stream time `at` (s), by its grey thumbnail (h, `WIDTH`)."""
        last, self._last = self._last, thumbnail.astype(np.int16)
        moved = last is None or last.shape != thumbnail.shape or self._differ(last, self._last)
        rested = self._passed_at is None or not 0 <= at - self._passed_at < _LONGEST_REST_SECONDS
        if moved or rested:
            self._passed_at = at
        return moved or rested

    def _differ(self, last: NDArray[np.int16], now: NDArray[np.int16]) -> bool:
        return int((np.abs(now - last) > _STEP).sum()) >= _PIXELS
