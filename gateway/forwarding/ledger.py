"""Which positions a destination has settled: a low-water mark and what lies settled above it."""

from collections.abc import Iterable


class Ledger:
    """Positions of one destination, in memory; the outbox keeps the same on disk."""

    def __init__(self, low: int, settled: Iterable[int]) -> None:
        self._low = low
        self._above = set(settled)
        self._advance()

    @property
    def low(self) -> int:
        """Every position up to it is settled."""
        return self._low

    def settle(self, position: int) -> int:
        """Settle a position; the low-water mark after it."""
        if position > self._low:
            self._above.add(position)
            self._advance()
        return self._low

    def has(self, position: int) -> bool:
        """Whether a position is settled."""
        return position <= self._low or position in self._above

    def _advance(self) -> None:
        while self._low + 1 in self._above:
            self._low += 1
            self._above.remove(self._low)
