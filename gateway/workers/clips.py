"""Passes on the pieces of clips as they come, and ends the clips of a child that is gone."""

from collections.abc import Callable
from dataclasses import replace

from gateway.wire import ClipPiece


class ClipsUnderWay:
    """The clips that children have begun and not ended.

    Args:
        on_clip: takes a piece without waiting.
    """

    def __init__(self, on_clip: Callable[[ClipPiece], None]) -> None:
        self._on_clip = on_clip
        self._newest: dict[tuple[str, str], ClipPiece] = {}

    def take(self, piece: ClipPiece, worker: str) -> None:
        """A child sent a piece."""
        key = (worker, piece.evidence)
        if piece.last:
            self._newest.pop(key, None)
        else:
            self._newest[key] = replace(piece, data=b"")
        self._on_clip(piece)

    def worker_gone(self, worker: str) -> None:
        """The child is away: what it had begun ends with what came."""
        for key in [each for each in self._newest if each[0] == worker]:
            newest = self._newest.pop(key)
            self._on_clip(replace(newest, number=newest.number + 1, whole=False, last=True, cut_short=True))
