"""How far one camera's clock is ahead of ours: learnt without credentials if it may be, and learnt anew on refusals."""

from collections.abc import Callable
from datetime import datetime, timedelta

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras import camera_time
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState
from gateway.clock import Clock

_MOVED = timedelta(seconds=2)
Ask = Callable[[bool], Element]
"""Asks GetSystemDateAndTime; the argument says whether without credentials. Raises CameraError or FaultError."""


class ClockOffset:
    """One camera's offset, shared by all who talk to it.

    Attributes:
        known: the offset; None while the camera has not told its time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known: timedelta | None = None

    @property
    def value(self) -> timedelta:
        """The offset to reckon with."""
        return self.known or timedelta()

    def now(self) -> datetime:
        """The camera's time; ours, if that is beyond all calendars."""
        try:
            return self._clock.now() + self.value
        except OverflowError:
            return self._clock.now()

    def learn(self, ask: Ask) -> None:
        """Ask without credentials first: a token is good only at the camera's own time.

        Raises:
            CameraError: the camera cannot be asked; that it does not tell its time is none.
        """
        try:
            self.known = self._asked(ask, anonymous=True)
        except CameraError as error:
            if error.state is not CameraState.CREDENTIALS_WRONG:
                raise
            self.known = self._asked(ask, anonymous=False)

    def has_moved(self, ask: Ask) -> bool:
        """Learn it anew without credentials; whether that makes another try worth while."""
        before = self.value
        try:
            said = self._asked(ask, anonymous=True)
        except CameraError:
            return False
        if said is None or abs(said - before) < _MOVED:
            return False
        self.known = said
        return True

    def _asked(self, ask: Ask, *, anonymous: bool) -> timedelta | None:
        before = self._clock.now()
        try:
            envelope = ask(anonymous)
        except FaultError:
            return None
        said = camera_time.read_time(envelope)
        middle = before + (self._clock.now() - before) / 2
        return None if said is None else said + timedelta(seconds=0.5) - middle
