"""How long a camera's groups of pictures are, and how much of each is decoded so that nobody slips through a rest."""

from collections import deque

_LEARNED, _REMEMBERED = 2, 4
# Pictures by which a group may outlast the longest one seen before that is told, and by which a decoder that puts
# B-frames in order is behind.
_SLACK = 2
# Decoding more than this share of each group saves too little to rest.
_WORTH = 0.75


class GroupLengths:
    """Counts pictures between keyframes.

    Whoever is in view for `shortest_seconds` is seen if no more than that is left out at the end of a group: the last
    picture before it is compared with the still scene, and so is the next keyframe. That holds for every encoder, as
    long as no group is longer than those before it, and one that is (`is_late`) must be decoded.

    Args:
        shortest_seconds: the shortest passage that must not be missed.
    """

    def __init__(self, shortest_seconds: float) -> None:
        self._shortest = shortest_seconds
        self._groups: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)
        self._began: float | None = None
        self.pictures = 0

    def note(self, arrived: float, *, keyframe: bool) -> None:
        """A picture begins, whose first packet came at monotonic `arrived` (s)."""
        if keyframe:
            if self._began is not None and arrived > self._began:
                self._groups.append((self.pictures, arrived - self._began))
            self._began, self.pictures = arrived, 0
        self.pictures += 1

    @property
    def known(self) -> bool:
        """Whether enough groups were seen to tell the next one's length."""
        return len(self._groups) >= _LEARNED

    @property
    def head(self) -> int:
        """How many pictures at the begin of a group are to be decoded; the keyframe is one of them in any case."""
        return max(1, self._longest - int(self._shortest * self._rate) + _SLACK)

    @property
    def worth_resting(self) -> bool:
        """Whether leaving out the rest of each group saves enough."""
        return self.known and self.head <= _WORTH * self._longest

    @property
    def is_late(self) -> bool:
        """Whether the group at hand is longer than those before it."""
        return self.pictures > self._longest + _SLACK

    @property
    def _longest(self) -> int:
        return max((pictures for pictures, _ in self._groups), default=0)

    @property
    def _rate(self) -> float:
        """Pictures per second."""
        return sum(pictures for pictures, _ in self._groups) / max(1e-6, sum(seconds for _, seconds in self._groups))
