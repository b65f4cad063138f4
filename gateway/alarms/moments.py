"""When something ends, written down so that the next run knows it, whatever the wall clock did in between."""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import boot_id

_ENDS = struct.Struct(">dd")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on both clocks.

    Attributes:
        boot: the kernel's boot id; within one, monotonic moments compare.
        monotonic: seconds of that boot's CLOCK_MONOTONIC.
        wall: seconds of the wall clock (POSIX).
    """

    boot: str
    monotonic: float
    wall: float

    def packed(self) -> bytes:
        """As bytes that tell their own length."""
        boot = self.boot.encode()[:255]
        return _ENDS.pack(self.wall, self.monotonic) + bytes([len(boot)]) + boot

    @classmethod
    def unpacked(cls, body: bytes) -> "tuple[Moment, bytes]":
        """The moment that a body begins with, and what is behind it.

        Raises:
            ValueError: the body is too short.
        """
        if len(body) <= _ENDS.size or len(body) <= _ENDS.size + body[_ENDS.size]:
            raise ValueError("no moment is in it")
        wall, monotonic = _ENDS.unpack_from(body)
        behind = _ENDS.size + 1 + body[_ENDS.size]
        return cls(body[_ENDS.size + 1 : behind].decode(), monotonic, wall), body[behind:]


class Moments:
    """Writes moments of this run down, and reads those of former runs.

    Args:
        boot: the kernel's boot id.
        monotonic: seconds of CLOCK_MONOTONIC.
        wall: seconds of the wall clock (POSIX).
    """

    def __init__(
        self,
        boot: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._boot = boot_id() if boot is None else boot
        self._monotonic = monotonic
        self._wall = wall

    def at(self, monotonic: float) -> Moment:
        """A moment of this run's monotonic clock."""
        return Moment(self._boot, monotonic, monotonic - self._monotonic() + self._wall())

    def left_until(self, moment: Moment, longest: float) -> float:
        """Seconds until then, none of them below 0.

        Of another boot the wall clock is asked, and never believed for more than the wait was long: one that went back
        begins it anew, one that went forward ends it.
        """
        same = moment.boot == self._boot
        left = moment.monotonic - self._monotonic() if same else moment.wall - self._wall()
        return max(0.0, min(left, longest))

    def again(self, moment: Moment, longest: float) -> float:
        """That moment on this run's monotonic clock."""
        return self._monotonic() + self.left_until(moment, longest)
