"""How fast the journal grows: while presses pour in, bringing them on gives way to taking them."""

from gateway.clock import Clock

_WINDOW_SECONDS = 0.5
_RUSH_PER_SECOND = 1000.0


class Pace:
    """Looks at the journal's position now and then.

    Args:
        clock: the monotonic one is asked.
        position: where the journal is now.
    """

    def __init__(self, clock: Clock, position: int) -> None:
        self._clock = clock
        self._since = clock.monotonic()
        self._position = position
        self._rush = False

    def rushes(self, position: int) -> bool:
        """Whether more than a thousand events a second came of late.

        Args:
            position: where the journal is now.
        """
        passed = self._clock.monotonic() - self._since
        if passed >= _WINDOW_SECONDS:
            self._rush = position - self._position > _RUSH_PER_SECOND * passed
            self._since, self._position = self._since + passed, position
        return self._rush
