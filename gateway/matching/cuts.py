"""Notices that a stream shows another scene than a frame ago."""

import cv2
import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 32, 18
_ENOUGH = (160, 90)
_GREY = 2
# Below this spread (grey levels) a picture is flat, and its noise must not be blown up into a difference.
_LEAST_SPREAD = 6.0


class CutTest:
    """Compares each frame's thumbnail with the last one's, free of brightness and contrast.

    Args:
        threshold: mean difference in standard deviations from which on it is a cut; unrelated pictures have about 1.1.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self._threshold = threshold
        self._last: NDArray[np.float32] | None = None

    def is_cut(self, frame: NDArray[np.uint8]) -> bool:
        """Whether the frame, (h, w, 3) in RGB or (h, w) in grey, begins another scene; the first one does not."""
        thumbnail = _thumbnail(frame)
        last, self._last = self._last, thumbnail
        return last is not None and float(np.abs(thumbnail - last).mean()) > self._threshold


def _thumbnail(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The frame in 32 x 18, free of brightness and contrast; of a large one only some pixels are looked at."""
    some = frame if frame.shape[1] <= 2 * _ENOUGH[0] else cv2.resize(frame, _ENOUGH, interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(some, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = (small if small.ndim == _GREY else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)).astype(np.float32)
    return np.asarray((grey - grey.mean()) / max(float(grey.std()), _LEAST_SPREAD), np.float32)
