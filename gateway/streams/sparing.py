"""Saves decoding while a scene is still: keyframes only, until packet sizes or a keyframe tell that something moves."""

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.streams.frame import Frame

# Cumulative sum of standardised sizes (Page, "Continuous inspection schemes", Biometrika 41, 1954): the drift that is
# let pass and the sum that alarms, in deviations. At 5000 packets of a still scene a false alarm comes about once.
_DRIFT, _ALARM = 0.5, 12.0
_CLIP = 4.0
_LEARNED = 100
_REMEMBERED = 200
_SMOOTHING = 0.002
# The first pictures after a keyframe mend its errors and are larger than the rest.
_SETTLING = 3
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

    What moves costs an encoder bits. The sizes of a still scene are learned while it is decoded and seen to be still;
    then the logarithms of new sizes, in deviations from that, are summed up as they exceed it.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._mean = self._deviation = 0.0
        self._sum = 0.0
        self._run = 0
        self._since_key = 0

    @property
    def learned(self) -> bool:
        """Whether enough sizes are known to tell what is usual."""
        return len(self._recent) >= _LEARNED

    @property
    def run(self) -> int:
        """For how many pictures the sum has been growing: where motion probably began."""
        return self._run

    def note(self, size: int, *, keyframe: bool) -> None:
        """Learn the size (bytes) of a picture that is decoded."""
        if self._settled(keyframe=keyframe):
            self._recent.append(math.log(max(1, size)))

    def begin(self) -> None:
        """The scene is still: what was noted is usual from now on."""
        ordered = sorted(self._recent)
        self._mean = ordered[len(ordered) // 2]
        low, high = ordered[len(ordered) // 6], ordered[-1 - len(ordered) // 6]
        self._deviation = max(_LEAST_DEVIATION, (high - low) / 2)
        self._sum, self._run = 0.0, 0

    def alarms(self, size: int, *, keyframe: bool) -> bool:
        """Whether a picture of this size, after those before it, says that something moves."""
        if not self._settled(keyframe=keyframe):
            return False
        off = math.log(max(1, size)) - self._mean
        score = min(_CLIP, off / self._deviation)
        self._sum = max(0.0, self._sum + score - _DRIFT)
        self._run = self._run + 1 if self._sum > 0 else 0
        self._mean += _SMOOTHING * max(-_CLIP * self._deviation, min(off, self._deviation))
        return self._sum > _ALARM

    def _settled(self, *, keyframe: bool) -> bool:
        self._since_key = 0 if keyframe else self._since_key + 1
        return self._since_key > _SETTLING


class RestSwitch:
    """Whether the reader may rest: asked for by the looker, ended by the reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = self._resting = False
        self._wakes = 0

    def ask(self) -> None:
        """Rest from the next keyframe on."""
        with self._lock:
            self._asked = not self._resting

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
