"""The last seconds of a stream as packets, undecoded, for the clip of what happened before an alarm."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from gateway.errors import PermanentError
from gateway.streams.beginning import Beginning
from gateway.streams.remux import Clip, StreamFormat, write_clip
from gateway.streams.splice import Splice
from gateway.streams.standstill import Standstill, is_apart

# No camera is so slow: between groups so far apart there was an outage.
_OUTAGE_SECONDS = 3.0
# No picture has more slices or bytes: what comes with the same time beyond that is told as another one.
_MOST_SLICES, _MOST_PICTURE_BYTES = 2048, 8 << 20


@dataclass(frozen=True, slots=True)
class RingPacket:
    """A copied packet.

    Attributes:
        data: in Annex B form (ITU-T H.264 / H.265, Annex B).
        pts: in units of the stream's time base; None if the stream gave none.
        keyframe: whether decoding can begin here.
        received: monotonic seconds.
    """

    data: bytes
    pts: int | None
    keyframe: bool
    received: float


@dataclass(frozen=True, slots=True)
class RingSlice:
    """Some packets in decoding order; each is whole, none of them gets another slice.

    Attributes:
        stream_format: of these packets; None if no session has begun yet.
        next: the number to go on with.
        over: the ring is closed and nothing more will come.
    """

    stream_format: StreamFormat | None
    packets: tuple[RingPacket, ...]
    next: int
    over: bool


class PacketRing:
    """Keeps at least the last `seconds`, from a keyframe on, and never more than `max_bytes`.

    One thread feeds it (`begin`, `add`), others take clips. Packets are numbered as they come; sessions of the same
    format make one line of times.

    Args:
        seconds: how far back a clip can reach; the ring holds up to one group of pictures more.
        max_bytes: the bound of its memory; whole groups of pictures are dropped to keep it.
    """

    def __init__(self, *, seconds: float = 20.0, max_bytes: int = 32 << 20) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._format: StreamFormat | None = None
        self._groups: deque[list[RingPacket]] = deque()
        self._slices: list[bytes] = []
        self._picture_bytes = 0
        self._bytes = 0
        self._first = 0
        self._settled = True
        self._splice = Splice()
        self._standstill = Standstill()
        self._beginning = Beginning()
        self._closed = False

    def begin(self, stream_format: StreamFormat) -> None:
        """A new session: what was kept of one with other parameters is dropped, the rest goes on with it."""
        with self._changed:
            self._settle()
            if stream_format != self._format:
                self._format = stream_format
                self._clear()
                self._splice.restart(stream_format.time_base)
            self._splice.begin()
            self._standstill = Standstill(stream_format.codec)
            self._beginning = Beginning(stream_format.codec)
            self._changed.notify_all()

    def add(self, packet: RingPacket) -> None:
        """Keep a packet; what cannot be decoded from the session's first keyframe on is dropped.

        Of a clock that stands still the times are those at which the packets came.
        """
        with self._changed:
            if not self._beginning.takes(packet.data, keyframe=packet.keyframe):
                return
            if self._standstill.tells_nothing(packet):
                self._splice.begin()
            packet = self._splice.join(packet)
            if self._continues(packet):
                self._slices.append(packet.data)
            else:
                self._begin_picture(packet)
            self._picture_bytes += len(packet.data)
            self._bytes += len(packet.data)
            self._trim(packet.received)
            self._changed.notify_all()

    def _begin_picture(self, packet: RingPacket) -> None:
        self._settle()
        if packet.keyframe:
            self._groups.append([packet])
        else:
            self._groups[-1].append(packet)
        self._settled = False

    @property
    def seconds(self) -> float:
        """How far back it reaches now."""
        with self._changed:
            return self._groups[-1][-1].received - self._groups[0][0].received if self._groups else 0.0

    @property
    def size(self) -> int:
        """Bytes kept now."""
        with self._changed:
            return self._bytes

    def clip(self, before: float, after: float = 0.0, *, at: float | None = None, patience: float = 5.0) -> Clip:
        """The pictures around a moment as fragmented MP4, without decoding.

        Blocks until `after` seconds have come, or the stream was silent for `patience` seconds longer.

        Args:
            before: seconds before the moment; the clip begins at the keyframe at or before that, if it is still kept.
            after: seconds after the moment.
            at: the moment in monotonic seconds; the newest packet's if None.
            patience: seconds.

        Raises:
            PermanentError: nothing is kept, or the codec is not H.264 or H.265.
        """
        with self._changed:
            moment = self._newest() if at is None else at
            if after > 0:
                self._changed.wait_for(lambda: self._closed or self._newest() >= moment + after, after + patience)
            self._join()
            packets = list(self._between(moment - before, moment + after))
            stream_format = self._format
        if stream_format is None or not packets:
            raise PermanentError("there is no recorded picture of that moment", remedy="Is the camera connected?")
        return write_clip(stream_format, packets)

    def number_at(self, at: float) -> int:
        """The number of the keyframe at or before a moment (monotonic seconds), else of the first packet kept."""
        with self._changed:
            number, found = self._first, self._first
            for group in self._groups:
                if group[0].received <= at:
                    found = number
                number += len(group)
            return found

    def slice(self, number: int, *, most_bytes: int) -> RingSlice:
        """What is there from a number on, never waiting; if it was dropped already, from the first packet kept.

        Args:
            number: where to begin.
            most_bytes: enough; one packet more may come.
        """
        with self._changed:
            count = sum(len(group) for group in self._groups)
            end = self._first + count - (0 if self._settled or not count else 1)
            number, size, packets = max(number, self._first), 0, []
            for packet in islice(chain.from_iterable(self._groups), number - self._first, max(0, end - self._first)):
                packets.append(packet)
                size += len(packet.data)
                if size >= most_bytes:
                    break
            following = number + len(packets)
            return RingSlice(self._format, tuple(packets), following, self._closed and following >= end)

    def close(self) -> None:
        """Let go whoever waits for more; what is kept stays."""
        with self._changed:
            self._closed = True
            self._settle()
            self._changed.notify_all()

    def _clear(self) -> None:
        self._first += sum(len(group) for group in self._groups)
        self._groups.clear()
        self._slices.clear()
        self._bytes = self._picture_bytes = 0

    def _newest(self) -> float:
        return self._groups[-1][-1].received if self._groups else 0.0

    def _continues(self, packet: RingPacket) -> bool:
        """Whether it is another slice of the last picture: RTSP gives those as packets of their own."""
        if self._settled or not self._groups or self._is_full():
            return False
        last = self._groups[-1][-1]
        if packet.pts is None:
            alike = last.pts is None and packet.keyframe and last.keyframe
            return alike and not is_apart(packet, last.received, self._codec())
        return packet.pts == last.pts

    def _is_full(self) -> bool:
        return len(self._slices) + 1 >= _MOST_SLICES or self._picture_bytes >= _MOST_PICTURE_BYTES

    def _codec(self) -> str:
        return self._format.codec if self._format is not None else ""

    def _settle(self) -> None:
        """The last picture gets no other slice."""
        self._join()
        self._settled = True
        self._picture_bytes = 0

    def _join(self) -> None:
        """Make one packet of the last picture's slices: once for all of them, each is copied once."""
        if self._slices:
            last = self._groups[-1][-1]
            self._groups[-1][-1] = replace(last, data=b"".join((last.data, *self._slices)))
            self._slices.clear()

    def _trim(self, now: float) -> None:
        while len(self._groups) > 1 and (self._bytes > self._max_bytes or self._is_past(now - self._seconds)):
            dropped = self._groups.popleft()
            self._first += len(dropped)
            self._bytes -= sum(len(packet.data) for packet in dropped)
        if self._bytes > self._max_bytes:
            # One endless group alone is too large: begin again at the next keyframe.
            self._clear()
            self._beginning = Beginning(self._codec())

    def _is_past(self, begin: float) -> bool:
        """Whether nothing from `begin` on needs the first group; nor does what came after an outage."""
        ended, following = self._groups[0][-1].received, self._groups[1][0].received
        return following <= begin or (ended <= begin and following - ended > _OUTAGE_SECONDS)

    def _between(self, start: float, end: float) -> Iterator[RingPacket]:
        groups = list(self._groups)
        first = max((i for i, group in enumerate(groups) if group[0].received <= start), default=0)
        for group in groups[first:]:
            yield from (packet for packet in group if packet.received <= end)
