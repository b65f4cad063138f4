"""Saves decoding while a scene is still: keyframes only, until packet sizes or a keyframe tell that something moves."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.streams.frame import Frame

# Cumulative sum of standardised sizes (Page, "Continuous inspection schemes", Biometrika 41, 1954): the drift that is
# let pass and the sum that alarms, in deviations. For normal noise a false alarm comes once in about 19,000 windows
# (Siegmund's approximation), which is an hour and a quarter. A smaller sum is reason enough to look back at a keyframe.
_DRIFT, _ALARM, _SUSPICION = 1.0, 8.0, 4.0
_CLIP = 4.0
# Pictures in one window: a multiple of every usual period of B-frames, so that windows are alike.
_WINDOW = 6
_LEARNED, _REMEMBERED = 16, 33
_SMOOTHING = 0.01
_LEAST_DEVIATION = 0.03


@dataclass(frozen=True, slots=True)
class Sparing:
    """How a stream may save decoding.

    Attributes:
        moved: whether a keyframe's picture differs from the still scene; called in the reader's thread.
        look_seconds: pictures that are made up for are handed over so far apart.
        lead_seconds: how long before the first sign of motion the looking begins again.
        most_bytes, most_packets: of one group of pictures; a longer one cannot be made up for, and is decoded in full.
    """

    moved: Callable[[Frame], bool]
    look_seconds: float = 0.2
    lead_seconds: float = 0.6
    most_bytes: int = 24 << 20
    most_packets: int = 900


class SizeWatch:
    """Sees motion in the sizes of pictures that are not decoded.

    What moves costs an encoder bits. The sizes of a still scene, summed over windows of a few pictures, are learned
    while it is decoded and seen to be still; then the logarithms of new ones, in deviations from that, are added up as
    they exceed it. The window after a keyframe mends its errors and is left out.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._mean = self._deviation = 0.0
        self._sum = self._peak = 0.0
        self._growing = 0
        self._bytes = self._pictures = 0
        self._settling = True

    @property
    def learned(self) -> bool:
        """Whether enough sizes are known to tell what is usual."""
        return len(self._recent) >= _LEARNED

    @property
    def run(self) -> int:
        """For how many pictures the sum has been growing: where motion probably began."""
        return self._growing * _WINDOW + self._pictures

    def note(self, size: int, *, keyframe: bool) -> None:
        """Learn the size (bytes) of a picture that is decoded."""
        level = self._level(size, keyframe=keyframe)
        if level is not None:
            self._recent.append(level)

    def begin(self) -> None:
        """The scene is still: what was noted is usual from now on."""
        ordered = sorted(self._recent)
        self._mean = ordered[len(ordered) // 2]
        low, high = ordered[len(ordered) // 6], ordered[-1 - len(ordered) // 6]
        self._deviation = max(_LEAST_DEVIATION, (high - low) / 2)
        self._sum, self._peak, self._growing = 0.0, 0.0, 0

    def alarms(self, size: int, *, keyframe: bool) -> bool:
        """Whether a picture of this size, after those before it, says that something moves."""
        level = self._level(size, keyframe=keyframe)
        if level is None:
            return False
        off = level - self._mean
        self._sum = max(0.0, self._sum + min(_CLIP, off / self._deviation) - _DRIFT)
        self._peak = max(self._peak, self._sum)
        self._growing = self._growing + 1 if self._sum > 0 else 0
        self._mean += _SMOOTHING * max(-_CLIP * self._deviation, min(off, self._deviation))
        return self._sum > _ALARM

    def take_suspicion(self) -> bool:
        """Whether something may have moved since this was last asked, though too little for an alarm."""
        suspicious, self._peak = self._peak > _SUSPICION, self._sum
        return suspicious

    def _level(self, size: int, *, keyframe: bool) -> float | None:
        """The logarithm of the window that this picture completes; None while it is not complete."""
        if keyframe:
            self._bytes = self._pictures = 0
            self._settling = True
            return None
        self._bytes, self._pictures = self._bytes + size, self._pictures + 1
        if self._pictures < _WINDOW:
            return None
        level, settling = math.log(max(1, self._bytes)), self._settling
        self._bytes = self._pictures = 0
        self._settling = False
        return None if settling else level


class RestSwitch:
    """Whether the reader may rest: asked for by the looker, ended by the reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = self._resting = False
        self._wakes = 0

    def ask(self, *, rest: bool) -> None:
        """Rest from the next keyframe on, or do not begin to."""
        with self._lock:
            self._asked = rest and not self._resting

    def begin(self) -> bool:
        """At a keyframe: begin to rest if that was asked for; whether it did."""
        with self._lock:
            begins, self._asked = self._asked, False
            self._resting = self._resting or begins
            return begins

    def wake(self) -> None:
        """Decode in full again, because something moves."""
        with self._lock:
            self._wakes += self._resting
            self._resting = self._asked = False

    @property
    def resting(self) -> bool:
        """Whether only keyframes are decoded."""
        with self._lock:
            return self._resting

    @property
    def wakes(self) -> int:
        """How often it woke because something moved."""
        with self._lock:
            return self._wakes
