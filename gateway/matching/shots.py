"""Chooses the few views of a face that are worth comparing while it is followed."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from gateway.matching.detection import Detection
from gateway.matching.quality import FaceQuality

# The chip reaches at most this far beyond the box, in heights of the box, for a face turned by 45 degrees.
_RIM = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One view of a face: stream time (s), a copy of the picture around it (h, w, 3), and the face in that copy."""

    at: float
    crop: NDArray[np.uint8]
    face: Detection
    quality: FaceQuality


@dataclass(frozen=True, slots=True, eq=False)
class FineView:
    """The scene of a frame in another picture (h, w, 3) of about the same moment, `factor` times as large."""

    rgb: NDArray[np.uint8]
    factor: float


def take_shot(at: float, rgb: NDArray[np.uint8], face: Detection, quality: FaceQuality) -> Shot:
    """Copy a face with the rim that its chip needs out of a frame (h, w, 3)."""
    rim = _RIM * face.height
    left, top = max(0, int(face.x - rim)), max(0, int(face.y - rim))
    right = max(left, min(rgb.shape[1], int(face.x + face.width + rim) + 1))
    bottom = max(top, min(rgb.shape[0], int(face.y + face.height + rim) + 1))
    return Shot(at, rgb[top:bottom, left:right].copy(), face.moved(-left, -top), quality)


class Pace(Enum):
    """How many of a track's views are worth comparing.

    `USUAL`: the first ones and what is better. `EVERY`: all, because the face resembles somebody but not enough.
    `SELDOM`: one now and then, because it is known who it is; somebody else may take the place unseen.
    """

    USUAL = auto()
    EVERY = auto()
    SELDOM = auto()


@dataclass(frozen=True, slots=True)
class ViewRules:
    """Which views of a track are compared; times in seconds of the stream.

    Attributes:
        opening: so many views of a face of full height are taken at once, so that a decision can be made on them.
        better: from then on, and of smaller faces, a view must be so many times as good as the best before it.
        gap_seconds: the least time between two.
        refresh_seconds: after so long without one the next view is taken whatever its quality: somebody else may have
            taken the place unseen.
        least_height_px: of a lower face nothing is decided, so none is taken.
        full_height_px: from this height on a face is not small.
        pursued: so many further views are taken as fast as `gap_seconds` allow once the face resembles somebody.
    """

    opening: int = 5
    better: float = 1.25
    gap_seconds: float = 0.15
    refresh_seconds: float = 1.2
    least_height_px: float = 32.0
    full_height_px: float = 40.0
    pursued: int = 25


class ViewChoice:
    """Chooses the views of one track that are worth comparing, each in the look that shows it.

    None waits for a better one: somebody who walks towards the camera gets better with every look, and the warning
    would wait as long. Of a face that resembles somebody every view may be asked for (`pace`): their mean is nearer to
    the truth than one of them.
    """

    def __init__(self, rules: ViewRules) -> None:
        self._rules = rules
        self._best = 0.0
        self._opened = 0
        self.pace = Pace.USUAL
        self._pursued = 0
        self._last: float | None = None

    @property
    def begun(self) -> bool:
        """Whether any view was taken."""
        return self._last is not None

    def wants(self, at: float, score: float, height_px: float) -> bool:
        """Whether the view at stream time `at` (s) is worth comparing: its quality 0..1, and its face's height."""
        if height_px < self._rules.least_height_px:
            return False
        if self._last is None:
            return True
        passed = at - self._last
        if passed < self._rules.gap_seconds:
            return False
        if passed >= self._rules.refresh_seconds or self.pace is Pace.SELDOM:
            return passed >= self._rules.refresh_seconds
        opening = height_px >= self._rules.full_height_px and self._opened < self._rules.opening
        pursued = self.pace is Pace.EVERY and self._pursued < self._rules.pursued
        return opening or pursued or score >= self._rules.better * self._best

    def take(self, at: float, score: float, height_px: float) -> None:
        """Note that the view at stream time `at` (s) is taken."""
        self._opened += height_px >= self._rules.full_height_px
        self._pursued += self.pace is Pace.EVERY
        self._best = max(self._best, score)
        self._last = at
