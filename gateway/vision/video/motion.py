"""Says whether, and where, a picture has changed enough to look for faces in it."""

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 96
# What light does is broad, what a head does is fine: only detail finer than this window (px of the plane) counts.
_WINDOW = (9, 9)
# A pixel differs when it is this many of its own deviations, and at least so many grey levels, off its background.
_DEVIATIONS = 4.5
_LEAST_LEVELS = 5.0
_LEAST_PIXELS = 3
_LEARNING, _LEARNING_MOVING = 0.06, 0.01
# While so much of the picture differs it is noise or another light, not somebody who walks: that is learned fast.
_DIFFUSE_SHARE, _LEARNING_DIFFUSE = 0.25, 0.2
# The deviation of a normal x by the mean of |x|; and what a moving pixel counts for, so that a tree is learned at last.
_OF_MEAN, _TREE = 1.25, 1.5
_LONGEST_REST_SECONDS = 10.0

Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class GateCounts:
    """How often the gate was asked since it was made, and how often it opened because something moved."""

    asked: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Motion:
    """What the gate says of one picture.

    Attributes:
        open: whether to look for faces in it.
        regions: where something moved, as (x, y, width, height) in px of the plane; None means anywhere.
    """

    open: bool
    regions: tuple[Region, ...] | None = None


class MotionGate:
    """A background of the small luma plane, with the noise of each pixel, that learns all the time.

    Sensor noise at night raises the deviations and so the thresholds; headlights and a cloud change what is broad and
    are taken out with it. What stands still long enough becomes background; a picture is let through every 10 s in any
    case. Any thread may use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._background: NDArray[np.float32] | None = None
        self._deviation: NDArray[np.float32] | None = None
        self._passed_at: float | None = None
        self._asked = self._moved = 0

    @property
    def counts(self) -> GateCounts:
        """The counts now."""
        with self._lock:
            return GateCounts(self._asked, self._moved)

    def look(self, at: float, plane: NDArray[np.uint8]) -> Motion:
        """Judge the picture of stream time `at` (s) by its grey plane (h, `WIDTH`), and learn from it."""
        detail = _detail(plane)
        with self._lock:
            self._asked += 1
            moved = self._compare(detail)
            if moved is None:
                self._begin(detail)
                return self._pass(at, Motion(open=True))
            self._learn(detail, moved)
            regions = _regions(moved)
            self._moved += bool(regions)
            if regions:
                return self._pass(at, Motion(open=True, regions=regions))
            rested = self._passed_at is None or not 0 <= at - self._passed_at < _LONGEST_REST_SECONDS
            return self._pass(at, Motion(open=True)) if rested else Motion(open=False)

    def moved(self, plane: NDArray[np.uint8]) -> bool:
        """Whether the picture differs from the background, without learning from it."""
        detail = _detail(plane)
        with self._lock:
            moved = self._compare(detail)
        return moved is None or bool(_regions(moved))

    def _pass(self, at: float, motion: Motion) -> Motion:
        self._passed_at = at
        return motion

    def _begin(self, detail: NDArray[np.float32]) -> None:
        self._background = detail
        self._deviation = np.full_like(detail, _LEAST_LEVELS / _DEVIATIONS)

    def _compare(self, detail: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """Which pixels (h, w) differ; None if there is no background of this size."""
        if self._background is None or self._deviation is None or self._background.shape != detail.shape:
            return None
        limit = np.maximum(self._deviation * _DEVIATIONS, _LEAST_LEVELS)
        return np.asarray(np.abs(detail - self._background) > limit, np.bool_)

    def _learn(self, detail: NDArray[np.float32], moved: NDArray[np.bool_]) -> None:
        """Move background and deviation towards what is seen; a pixel that moved counts little."""
        assert self._background is not None  # noqa: S101  # `_compare` had one
        assert self._deviation is not None  # noqa: S101  # made with it
        change = detail - self._background
        off = np.abs(change) * np.float32(_OF_MEAN)
        pace = np.where(moved, np.float32(_LEARNING_MOVING), np.float32(_LEARNING))
        self._background += pace * change
        if np.count_nonzero(moved) > _DIFFUSE_SHARE * moved.size:
            pace = np.full_like(pace, _LEARNING_DIFFUSE)
            off = np.minimum(off, 3 * self._deviation + 1)
        else:
            off = np.where(moved, self._deviation * np.float32(_TREE), off)
        self._deviation += pace * (cv2.blur(off, _WINDOW) - self._deviation)


def _detail(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The plane without what is broad (h, w)."""
    levels = plane.astype(np.float32)
    return np.asarray(levels - cv2.blur(levels, _WINDOW), np.float32)


def _regions(moved: NDArray[np.bool_]) -> tuple[Region, ...]:
    """The boxes of what moved, without single pixels; neighbours within two px are one."""
    if np.count_nonzero(moved) < _LEAST_PIXELS:
        return ()
    joined = cv2.dilate(moved.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    pixels = np.bincount(labels[moved], minlength=count)
    boxes = statistics[:, :4].tolist()
    return tuple(
        (left, top, width, height)
        for number, (left, top, width, height) in enumerate(boxes)
        if number > 0 and pixels[number] >= _LEAST_PIXELS
    )
