"""Devices that go and come too often: one fault when it begins and one word when it ends, not a storm of losses."""

from collections import deque

_SHORT_SECONDS, _OFTEN_IN_SHORT = 60.0, 3  # chattering in the terms of ISA-18.2: three times within a minute
_LONG_SECONDS, _OFTEN_IN_LONG = 600.0, 5
_CALM_SECONDS = 300.0


class Flapping:
    """Counts how often one device went away."""

    def __init__(self) -> None:
        self._gone: deque[float] = deque(maxlen=_OFTEN_IN_LONG)
        self.active = False

    def went(self, now: float) -> bool:
        """The device went away at `now` (monotonic seconds); True if it flaps from now on."""
        self._gone.append(now)
        if self.active:
            return False
        times = list(self._gone)
        short = len(times) >= _OFTEN_IN_SHORT and now - times[-_OFTEN_IN_SHORT] <= _SHORT_SECONDS
        long = len(times) >= _OFTEN_IN_LONG and now - times[-_OFTEN_IN_LONG] <= _LONG_SECONDS
        self.active = short or long
        return self.active

    def resume(self, now: float) -> None:
        """The device flapped when the process ended; it has to be calm from `now` on."""
        self._gone.append(now)
        self.active = True

    def calmed(self, now: float) -> bool:
        """Whether flapping ends at `now`: the device did not go away for five minutes."""
        if not self.active or (self._gone and now < self.calm_at):
            return False
        self.end()
        return True

    @property
    def calm_at(self) -> float:
        """When flapping ends, if the device stays."""
        return self._gone[-1] + _CALM_SECONDS if self._gone else 0.0

    def end(self) -> None:
        """Forget what was."""
        self.active = False
        self._gone.clear()
