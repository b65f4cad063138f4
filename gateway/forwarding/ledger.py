"""Which positions a destination has settled: a low-water mark and what lies settled above it."""

from collections.abc import Iterable


class Ledger:
    """Positions of one destination, in memory; the outbox keeps the same on disk."""

    def __init__(self, low: int, settled: Iterable[int]) -> None:
        self._low = low
        self._above = {position for position in settled if position > low}
        self._advance()

    @property
    def low(self) -> int:
        """Every position up to it is settled."""
        return self._low

    def low_with(self, position: int) -> int:
        """The low-water mark that settling a position would give; what the outbox is told before it is settled here."""
        low = self._low
        while low + 1 == position or low + 1 in self._above:
            low += 1
        return low

    def settle(self, position: int) -> None:
        """Settle a position."""
        if position > self._low:
            self._above.add(position)
            self._advance()

    def skip(self, after: int, before: int) -> None:
        """No event is, or ever will be, between two positions: what lies there counts as settled."""
        if self._low < after:
            self._above.update(range(after + 1, before))
        elif self._low < before - 1:
            self._low = before - 1
            self._above = {position for position in self._above if position > self._low}
        self._advance()

    def has(self, position: int) -> bool:
        """Whether a position is settled."""
        return position <= self._low or position in self._above

    def _advance(self) -> None:
        while self._low + 1 in self._above:
            self._low += 1
            self._above.remove(self._low)
