"""Saves decoding while a scene is still: how much, and what packet sizes tell of what is not decoded."""

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
# Where a still picture takes less than this share of a keyframe, the encoder skips nearly all of it, and whoever walks
# in adds to it (at 0.7 %: 4 times as much at once, 10 times when near). Where it takes more, that is noise or filling,
# and a walker only takes the place of some of it (at 9 %: 1.3 times).
_SILENT_SHARE = 1 / 100
# Over so many windows with somebody in view, half of them must have exceeded what is usual by this many deviations.
_TESTED, _REACTION = 4, 2.0


@dataclass(frozen=True, slots=True)
class Sparing:
    """How a stream may save decoding.

    Attributes:
        moved: whether a keyframe's picture differs from the still scene; called in the reader's thread.
        look_seconds: pictures that are made up for are handed over so far apart.
        lead_seconds: how long before the first sign of motion the looking begins again.
        shortest_seconds: whoever is in view for so long is not missed, whatever the encoder does.
        most_bytes, most_packets: of one group of pictures; a longer one cannot be made up for, and is decoded in full.
    """

    moved: Callable[[Frame], bool]
    look_seconds: float = 0.2
    lead_seconds: float = 0.6
    shortest_seconds: float = 1.5
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
        self._bytes = self._pictures = self._keyframe = 0
        self._settling = True
        self._tested = self._reacted = 0
        self._blind = False

    @property
    def learned(self) -> bool:
        """Whether enough sizes are known to tell what is usual."""
        return len(self._recent) >= _LEARNED

    @property
    def tells(self) -> bool:
        """Whether sizes of this encoder show whoever comes: it is silent, and was not seen to ignore somebody."""
        usual = math.exp(self._mean) / _WINDOW
        return self._deviation > 0 and not self._blind and usual <= _SILENT_SHARE * self._keyframe

    @property
    def run(self) -> int:
        """For how many pictures the sum has been growing: where motion probably began."""
        return self._growing * _WINDOW + self._pictures

    def note(self, size: int, *, keyframe: bool, somebody: bool = False) -> None:
        """Learn the size (bytes) of a picture that is decoded, with or without somebody in view."""
        level = self._level(size, keyframe=keyframe)
        if level is not None:
            self._recent.append(level)
            self._test(level, somebody=somebody)

    def _test(self, level: float, *, somebody: bool) -> None:
        """Whether the sizes show somebody who is seen in the pictures; once they did not, they are not believed."""
        if not somebody or not self._deviation:
            self._tested = self._reacted = 0
            return
        self._tested += 1
        self._reacted += level > self._mean + _REACTION * self._deviation
        if self._tested == _TESTED:
            self._blind = self._blind or 2 * self._reacted < _TESTED
            self._tested = self._reacted = 0

    def begin(self) -> None:
        """The scene is still: what was noted, if it is enough, is usual from now on."""
        if not self.learned:
            return
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
        if not self._deviation:
            self._recent.append(level)
            self.begin()
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
            self._bytes, self._pictures, self._keyframe = 0, 0, size
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
        self._asked = self._resting = self._stirred = self._somebody = False
        self._wakes = 0

    def ask(self, *, rest: bool, somebody: bool = False) -> None:
        """Rest from the next keyframe on, or neither begin nor go on; nobody rests while a face is followed."""
        with self._lock:
            rest = rest and not somebody
            self._asked = rest and not self._resting
            self._stirred = self._resting and not rest
            self._somebody = somebody

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
            self._resting = self._asked = self._stirred = False

    @property
    def asked(self) -> bool:
        """Whether rest was asked for and has not begun."""
        with self._lock:
            return self._asked

    @property
    def stirred(self) -> bool:
        """Whether the looker saw something in what is decoded during the rest."""
        with self._lock:
            return self._stirred

    @property
    def somebody(self) -> bool:
        """Whether a face is followed."""
        with self._lock:
            return self._somebody

    @property
    def resting(self) -> bool:
        """Whether something of each group is left out."""
        with self._lock:
            return self._resting

    @property
    def wakes(self) -> int:
        """How often it woke because something moved."""
        with self._lock:
            return self._wakes
