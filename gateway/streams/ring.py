"""The last seconds of a stream as packets, undecoded, for the clip of what happened before an alarm."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.errors import PermanentError
from gateway.streams.remux import Clip, StreamFormat, write_clip


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


class PacketRing:
    """Keeps at least the last `seconds`, from a keyframe on, and never more than `max_bytes`.

    One thread feeds it (`begin`, `add`), others take clips.

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
        self._bytes = 0
        self._closed = False

    def begin(self, stream_format: StreamFormat) -> None:
        """A new session: what was kept of another has other parameters and times, and is dropped."""
        with self._changed:
            self._format = stream_format
            self._clear()
            self._changed.notify_all()

    def add(self, packet: RingPacket) -> None:
        """Keep a packet; those before the first keyframe are dropped."""
        with self._changed:
            if self._continues(packet):
                self._join(packet)
            elif packet.keyframe:
                self._groups.append([packet])
            elif self._groups:
                self._groups[-1].append(packet)
            else:
                return
            self._bytes += len(packet.data)
            self._trim(packet.received)
            self._changed.notify_all()

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
            packets = list(self._between(moment - before, moment + after))
            stream_format = self._format
        if stream_format is None or not packets:
            raise PermanentError("there is no recorded picture of that moment", remedy="Is the camera connected?")
        return write_clip(stream_format, packets)

    def close(self) -> None:
        """Let go whoever waits for more; what is kept stays."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _clear(self) -> None:
        self._groups.clear()
        self._bytes = 0

    def _newest(self) -> float:
        return self._groups[-1][-1].received if self._groups else 0.0

    def _continues(self, packet: RingPacket) -> bool:
        """Whether it is another slice of the last picture: RTSP gives those as packets of their own."""
        if not self._groups:
            return False
        last = self._groups[-1][-1]
        return packet.pts == last.pts and (packet.pts is not None or (packet.keyframe and last.keyframe))

    def _join(self, packet: RingPacket) -> None:
        last = self._groups[-1][-1]
        self._groups[-1][-1] = replace(last, data=last.data + packet.data)

    def _trim(self, now: float) -> None:
        while len(self._groups) > 1 and (
            self._bytes > self._max_bytes or self._groups[1][0].received <= now - self._seconds
        ):
            self._bytes -= sum(len(packet.data) for packet in self._groups.popleft())
        if self._bytes > self._max_bytes:
            # One endless group alone is too large: begin again at the next keyframe.
            self._clear()

    def _between(self, start: float, end: float) -> Iterator[RingPacket]:
        groups = list(self._groups)
        first = max((i for i, group in enumerate(groups) if group[0].received <= start), default=0)
        for group in groups[first:]:
            yield from (packet for packet in group if packet.received <= end)
