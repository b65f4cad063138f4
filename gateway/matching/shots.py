"""Keeps the few best views of one face while it is followed."""

from collections.abc import Sequence
from dataclasses import dataclass

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


class BestShots:
    """The best views of one track, apart in time, each handed out once when no better one can replace it any more.

    Args:
        count: how many are kept.
        gap_seconds: the least time between two that are kept.
        refresh_seconds: after so long without a new one, the next view is taken whatever its quality, so that a long
            track is looked at again.
    """

    def __init__(self, count: int, gap_seconds: float, refresh_seconds: float) -> None:
        self._count = count
        self._gap = gap_seconds
        self._refresh = refresh_seconds
        self._kept: list[Shot] = []
        self._handed: set[float] = set()

    @property
    def kept(self) -> Sequence[Shot]:
        """The views kept now, oldest first."""
        return tuple(self._kept)

    def wants(self, at: float, score: float) -> bool:
        """Whether a view at stream time `at` (s) with this score would be kept."""
        return self._place(at, score) is not None

    def offer(self, shot: Shot) -> None:
        """Keep the view if it is wanted, in place of the one that it betters."""
        place = self._place(shot.at, shot.quality.score)
        if place is None:
            return
        if place < len(self._kept):
            self._handed.discard(self._kept.pop(place).at)
        self._kept.append(shot)

    def due(self, at: float, *, ended: bool = False) -> tuple[Shot, ...]:
        """The views not handed out yet whose gap has passed at stream time `at`; all of them once the track ended."""
        ready = [shot for shot in self._kept if shot.at not in self._handed and (ended or at - shot.at >= self._gap)]
        self._handed.update(shot.at for shot in ready)
        return tuple(ready)

    def _place(self, at: float, score: float) -> int | None:
        """The index a view would take: that of the one it replaces, or the end of the list; None if not wanted."""
        if self._kept and at - self._kept[-1].at < self._gap:
            return self._beside_last(score)
        if len(self._kept) < self._count:
            return len(self._kept)
        worst = min(range(len(self._kept)), key=lambda index: self._kept[index].quality.score)
        better = score > self._kept[worst].quality.score
        return worst if better or at - self._kept[-1].at >= self._refresh else None

    def _beside_last(self, score: float) -> int | None:
        last = self._kept[-1]
        replaceable = last.at not in self._handed and score > last.quality.score
        return len(self._kept) - 1 if replaceable else None
