"""Keeps wrong passwords from locking a camera: a few tries, then minutes of silence."""

from gateway.cameras.states import CameraState, camera_error
from gateway.clock import Clock, doubled

_TRIES = 3
_FIRST_PAUSE_SECONDS = 300.0
_LONGEST_PAUSE_SECONDS = 1800.0


class PasswordGuard:
    """Counts refusals of one camera's credentials in a row.

    Cameras lock a user out after about five wrong tries, some for 30 minutes. After three refusals nothing that needs
    the password is sent for 5 minutes, then one try after pauses of 10, 20 and at most 30 minutes. Another password of
    the same user begins with that count: it is tried at once, and once.
    """

    def __init__(self, where: str, clock: Clock) -> None:
        self._where = where
        self._clock = clock
        self._refusals = self._inherited = 0
        self._refused_at = self._closed_until = 0.0

    @property
    def is_spent(self) -> bool:
        """Whether a new one would let pass the same: none of its own is counted, or cameras have forgotten the last."""
        return self._refusals <= self._inherited or self._is_forgotten

    @property
    def _is_forgotten(self) -> bool:
        return not self._refusals or self._clock.monotonic() - self._refused_at > _LONGEST_PAUSE_SECONDS

    def successor(self) -> "PasswordGuard":
        """The guard of another password of the same user: cameras count his refusals, whatever was wrong."""
        guard = PasswordGuard(self._where, self._clock)
        if not self._is_forgotten:
            guard._refusals, guard._refused_at = self._refusals, self._refused_at
            guard._inherited = self._refusals
        return guard

    @property
    def refused_at(self) -> float:
        """When the camera refused last, in monotonic seconds; 0 if it never did."""
        return self._refused_at

    def check(self) -> None:
        """Let a try pass.

        Raises:
            CameraError: `CREDENTIALS_WRONG`, because of the refusals before.
        """
        remaining = self._closed_until - self._clock.monotonic()
        if self._refusals >= _TRIES and remaining > 0:
            what = f"the camera refused the credentials {self._refusals} times; the next try is in {remaining:.0f} s"
            raise camera_error(CameraState.CREDENTIALS_WRONG, what, where=self._where)

    def refused(self) -> None:
        """The camera refused."""
        self._refusals += 1
        self._refused_at = self._clock.monotonic()
        if self._refusals >= _TRIES:
            pause = doubled(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, self._refusals - _TRIES)
            self._closed_until = self._clock.monotonic() + pause

    def accepted(self) -> None:
        """The camera accepted: the count begins anew."""
        self._refusals = self._inherited = 0
