"""How long to wait before a stream is opened again."""

from collections.abc import Callable
from random import SystemRandom

from gateway.streams.states import LossReason

Uniform = Callable[[float, float], float]

_FIRST_CEILING, _LAST_CEILING = 1.0, 30.0
# Cameras lock an account for half an hour after about five wrong passwords.
_PASSWORD_TRIES, _PASSWORD_PAUSE = 3, (300.0, 600.0)


class Backoff:
    """Full jitter: a pause between 0 and a ceiling that doubles from 1 s to 30 s; minutes after wrong passwords.

    Args:
        uniform: draws a number between two; tests give their own.
        refused_passwords: how often the camera refused this user's password already, before it was corrected.
    """

    def __init__(self, uniform: Uniform | None = None, refused_passwords: int = 0) -> None:
        self._uniform = uniform or SystemRandom().uniform
        self._failures = 0
        self._refused_passwords = refused_passwords

    @property
    def failures(self) -> int:
        """How many attempts failed in a row."""
        return self._failures

    @property
    def refused_passwords(self) -> int:
        """How many passwords were refused in a row."""
        return self._refused_passwords

    def fail(self, reason: LossReason) -> float:
        """Count a failure and return the seconds to wait."""
        ceiling = min(_LAST_CEILING, _FIRST_CEILING * 2 ** min(self._failures, 16))
        self._failures += 1
        self._refused_passwords = self._refused_passwords + 1 if reason is LossReason.UNAUTHORIZED else 0
        if self._refused_passwords >= _PASSWORD_TRIES:
            return self._uniform(*_PASSWORD_PAUSE)
        return self._uniform(0.0, ceiling)

    def succeed(self) -> None:
        """Begin anew: the stream was live for long enough."""
        self._failures = self._refused_passwords = 0
