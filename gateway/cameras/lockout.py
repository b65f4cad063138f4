"""Keeps wrong passwords from locking a camera: a few tries, then minutes of silence."""

from gateway.cameras.states import CameraState, camera_error
from gateway.clock import Clock

_TRIES = 3
_FIRST_PAUSE_SECONDS = 300.0
_LONGEST_PAUSE_SECONDS = 1800.0
_MOST_DOUBLINGS = 16


class PasswordGuard:
    """Counts refusals of one camera's credentials in a row.

    Cameras lock a user out after about five wrong tries, some for 30 minutes. After three refusals nothing that needs
    the password is sent for 5 minutes, then one try after pauses of 10, 20 and at most 30 minutes.
    """

    def __init__(self, where: str, clock: Clock) -> None:
        self._where = where
        self._clock = clock
        self._refusals = 0
        self._closed_until = 0.0

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
        if self._refusals >= _TRIES:
            pause = _FIRST_PAUSE_SECONDS * 2 ** min(self._refusals - _TRIES, _MOST_DOUBLINGS)
            self._closed_until = self._clock.monotonic() + min(pause, _LONGEST_PAUSE_SECONDS)

    def accepted(self) -> None:
        """The camera accepted: the count begins anew."""
        self._refusals = 0
