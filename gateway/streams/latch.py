"""A stream that is read all the time, and decoded only while its pictures are wanted, from the last keyframe on."""

import threading
from collections.abc import Iterator

from gateway.streams.saver import Decode, Decoded, Restart, VideoPacket, copied, seconds_of

_MOST_BYTES, _MOST_PACKETS = 24 << 20, 900
# The slices of a keyframe come together; of a clock that stands still, keyframes have the same time.
_TOGETHER_SECONDS = 0.5


class LatchSwitch:
    """Whether pictures are wanted; any thread may turn it."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def want(self, *, pictures: bool) -> None:
        """Open or close the latch."""
        if pictures:
            self._open.set()
        else:
            self._open.clear()

    @property
    def is_open(self) -> bool:
        """Whether pictures are wanted."""
        return self._open.is_set()


class Latch:
    """One session's: keeps the group of pictures at hand, so that the first picture is there at once.

    Memory is bounded by the longest group that is kept; a longer one must wait for its end.

    Args:
        switch: whether pictures are wanted.
        decode: decodes a packet: its pictures and the CPU milliseconds they cost.
        restart: called before decoding goes on where it did not stop: what the decoder holds back is of before.
    """

    def __init__(self, switch: LatchSwitch, decode: Decode, restart: Restart = lambda: ([], 0.0)) -> None:
        self._switch = switch
        self._decode, self._restart = decode, restart
        self._held: list[VideoPacket] = []
        self._bytes = 0
        self._began = 0.0
        self._follows = False

    def take(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """What there is to see because of a packet of the stream."""
        self._hold(packet, arrived)
        if not self._switch.is_open or not self._held:
            self._follows = False
            yield Decoded(None, arrived, resting=True, time=seconds_of(packet))
            return
        due = [packet] if self._follows else self._held
        if not self._follows:
            self._restart()
        self._follows = True
        newest, cost = None, 0.0
        for each in due:
            pictures, took = self._decode(each)
            cost += took
            newest = pictures[-1] if pictures else newest
        yield Decoded(newest, arrived, cost, time=seconds_of(packet))

    def _hold(self, packet: VideoPacket, arrived: float) -> None:
        if packet.is_keyframe and not self._goes_on(packet, arrived):
            self._held, self._bytes, self._began = [], 0, arrived
        elif not self._held:
            return
        self._held.append(copied(packet))
        self._bytes += packet.size
        if self._bytes > _MOST_BYTES or len(self._held) > _MOST_PACKETS:
            self._held = []
            self._bytes = 0

    def _goes_on(self, packet: VideoPacket, arrived: float) -> bool:
        """Whether it is another slice of the keyframe at which the group begins."""
        same = bool(self._held) and packet.pts is not None and packet.pts == self._held[0].pts
        return same and arrived - self._began <= _TOGETHER_SECONDS
