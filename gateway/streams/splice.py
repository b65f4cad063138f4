"""Joins the times of a stream's sessions into one line that grows, so that a clip may reach over a reconnection."""

from dataclasses import replace
from fractions import Fraction
from typing import Protocol, TypeVar

# No gap between what a camera's clock says and when a packet came is this large but by a fault or a new session.
_STRAY_SECONDS = 10.0


class Timed(Protocol):
    """What has times of both clocks."""

    @property
    def pts(self) -> int | None:
        """Presentation time in units of the stream's time base."""
        ...

    @property
    def received(self) -> float:
        """Monotonic seconds."""
        ...


T = TypeVar("T", bound=Timed)


class Splice:
    """Moves the presentation times of a session so that they follow those of the one before."""

    def __init__(self) -> None:
        self._time_base = Fraction(1, 90000)
        self._offset = 0
        self._fresh = True
        self._last: tuple[int, float] | None = None

    def restart(self, time_base: Fraction) -> None:
        """Forget what was: the first packet keeps its own time.

        Args:
            time_base: seconds per tick.
        """
        self._time_base = time_base
        self._offset, self._fresh, self._last = 0, True, None

    def begin(self) -> None:
        """A new session: its times have another zero."""
        self._fresh = True

    def join(self, packet: T) -> T:
        """The packet with its time on the common line; one without a time stays so."""
        if packet.pts is None:
            return packet
        if self._last is not None and self._strays(packet.pts, packet.received, *self._last):
            self._offset = self._due(packet.received, *self._last) - packet.pts
        self._fresh = False
        pts = packet.pts + self._offset
        if self._last is None or pts != self._last[0]:  # else it is another slice of a picture that began before
            self._last = pts, packet.received
        return packet if not self._offset else replace(packet, pts=pts)  # type: ignore[type-var]  # a frozen dataclass

    def _strays(self, pts: int, received: float, last_pts: int, last_received: float) -> bool:
        gap = abs(pts + self._offset - self._due(received, last_pts, last_received)) * self._time_base
        return self._fresh or gap > _STRAY_SECONDS

    def _due(self, received: float, last_pts: int, last_received: float) -> int:
        """The time that a packet has which came then."""
        return last_pts + max(1, round(Fraction(received - last_received) / self._time_base))
