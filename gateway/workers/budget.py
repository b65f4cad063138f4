"""Decides how long to wait before a child is started anew, and when it is in a crash loop."""

import random
from collections import deque
from collections.abc import Callable

from gateway.clock import doubled

_RESTARTS = 5
_WINDOW_SECONDS = 60.0
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
_SLOW_DELAY_SECONDS = 30.0


class RestartBudget:
    """Five restarts in 60 s with growing, jittered delays; after that a slow retry.

    A child that was never ready within the window is in a crash loop, too, however slowly it dies.

    Args:
        jitter: a number from 0 to 1 for each delay; tests give their own.
        slow_delay_seconds: the delay in a crash loop.
    """

    def __init__(
        self, jitter: Callable[[], float] = random.random, slow_delay_seconds: float = _SLOW_DELAY_SECONDS
    ) -> None:
        self._jitter = jitter
        self._slow = slow_delay_seconds
        self._deaths: deque[float] = deque()
        self._dead_since: float | None = None
        self._looping = False

    @property
    def looping(self) -> bool:
        """Whether the child is in a crash loop; ends when it was ready for a whole window."""
        return self._looping

    def note_ready(self, at: float) -> None:
        """The child was ready at time `at` (s)."""
        self._dead_since = None
        self._forget(at)
        if not self._deaths:
            self._looping = False

    def note_death(self, at: float) -> float:
        """The child died at time `at` (s).

        Returns:
            how many seconds to wait before it is started anew.
        """
        self._forget(at)
        self._deaths.append(at)
        self._dead_since = at if self._dead_since is None else self._dead_since
        if len(self._deaths) > _RESTARTS or at - self._dead_since >= _WINDOW_SECONDS:
            self._looping = True
        spread = 0.5 + self._jitter()
        if self._looping:
            return self._slow * spread
        return doubled(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS, len(self._deaths) - 1) * spread

    def _forget(self, at: float) -> None:
        while self._deaths and at - self._deaths[0] > _WINDOW_SECONDS:
            self._deaths.popleft()
