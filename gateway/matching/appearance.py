"""Remembers what each followed face looks like, so that a track that became another person's is noticed."""

import numpy as np
from numpy.typing import NDArray


class Appearances:
    """The mean vector of each track's looks, and which track took over from which.

    Args:
        limit: a look farther than this from the mean is another person's. Looks of one person are seldom farther than
            0.6 apart and nearer to their mean; strangers lie around 0.85.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._sums: dict[int, tuple[NDArray[np.float64], int]] = {}
        self._heirs: dict[int, int] = {}

    def owner(self, track: int, vector: NDArray[np.float32]) -> int | None:
        """The track that a look handed out for `track` belongs to, itself or an heir; None if it is nobody's so far."""
        current: int | None = track
        while current is not None:
            if self._is_like(current, vector):
                return current
            current = self._heirs.get(current)
        return None

    def last(self, track: int) -> int:
        """The track that follows now what `track` followed."""
        while track in self._heirs:
            track = self._heirs[track]
        return track

    def note(self, track: int, vector: NDArray[np.float32]) -> None:
        """Add a look of a track."""
        total, count = self._sums.get(track, (np.zeros(len(vector)), 0))
        self._sums[track] = (total + vector, count + 1)

    def inherit(self, old: int, new: int) -> None:
        """`new` follows from now on what `old` followed."""
        self._heirs[old] = new

    def keep_only(self, tracks: frozenset[int]) -> None:
        """Forget every track but these, and who led to them no more."""
        self._sums = {track: kept for track, kept in self._sums.items() if track in tracks}
        self._heirs = {old: new for old, new in self._heirs.items() if old in tracks}

    def _is_like(self, track: int, vector: NDArray[np.float32]) -> bool:
        if track not in self._sums:
            return True
        total, count = self._sums[track]
        return float(np.linalg.norm(total / count - vector)) <= self._limit
