"""For how long wall and monotonic clock have gone together: a wall clock that was just set is not believed at once."""

from gateway.clock import Clock

_STEP_SECONDS = 5.0


class Steadiness:
    """Looks at both clocks now and then; a step of the wall clock between two looks begins it anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._monotonic = clock.now(), clock.monotonic()
        self._since = self._monotonic

    def look(self) -> float:
        """Seconds since the last step, or since the first look."""
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        passed = (wall - self._wall).total_seconds()
        if abs(passed - (monotonic - self._monotonic)) > _STEP_SECONDS:
            self._since = monotonic
        self._wall, self._monotonic = wall, monotonic
        return monotonic - self._since
