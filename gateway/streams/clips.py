"""A clip of what was and what comes, from the ring, as pieces that play as soon as they are written."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.streams.fragments import TIMESCALE, FragmentWriter
from gateway.streams.remux import StreamFormat
from gateway.streams.ring import PacketRing, RingPacket, RingSlice

# A fragment is written after so much of the past, and about each second of what comes.
_FRAGMENT_BYTES = 192 * 1024
_FRAGMENT_SECONDS = 1.0
# So many pictures tell how far the encoder reorders; a slow camera's are not waited for.
_TELLING_PICTURES = 16
# The first picture may come so much after the beginning of what was asked for, and the last so much before its end.
_FIRST_SECONDS = _LAST_SECONDS = 0.5
# No camera is so slow: there are pictures missing.
_HOLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class ClipFragment:
    """A piece of a clip; those before it and this one are a playable file.

    Attributes:
        mp4: whole boxes; the header is in the first piece.
        seconds: what the clip lasts up to here.
    """

    mp4: bytes
    seconds: float


class ClipFollower:
    """Takes one clip from the ring, from the keyframe at or before its beginning on; for one thread.

    It ends when the moment after has come, the stream's format changes, the ring is closed, `stop` is set, or nothing
    came for `patience` seconds beyond the end: always with what there is. What is missing of it is told.

    Args:
        ring: the camera's.
        at: the moment, in monotonic seconds.
        before, after: seconds around it.
        stop: ends it early.
        now: the monotonic clock.
        patience: seconds.
    """

    def __init__(
        self,
        ring: PacketRing,
        *,
        at: float,
        before: float,
        after: float,
        stop: threading.Event,
        now: Callable[[], float],
        patience: float = 3.0,
    ) -> None:
        self._ring = ring
        self._begin = at - before
        self._next = ring.number_at(self._begin)
        self._end = at + after
        self._stop = stop
        self._now = now
        self._patience = patience
        self._began = now()
        self._writer: FragmentWriter | None = None
        self._format: StreamFormat | None = None
        self._oldest: float | None = None
        self._newest = float("-inf")
        self._highest: int | None = None
        self._lost = 0.0

    @property
    def begins(self) -> float:
        """When its first picture was received, in monotonic seconds; that of the moment asked for if there is none."""
        return self._begin if self._oldest is None else self._oldest

    @property
    def ends(self) -> float:
        """When its last picture was received, likewise."""
        return self._begin if self._oldest is None else min(self._newest, self._end)

    @property
    def codecs(self) -> str:
        """What a browser must know to play it (RFC 6381), as ``hvc1.1.6.L93.B0``; empty before the first fragment."""
        return "" if self._writer is None else self._writer.codecs

    @property
    def late_seconds(self) -> float:
        """What is missing of its beginning: the ring did not reach back so far."""
        late = self.begins - self._begin
        return late if late > _FIRST_SECONDS else 0.0

    @property
    def lost_seconds(self) -> float:
        """What is missing within: the ring dropped it before it was taken, or the camera was away or left it out."""
        return self._lost

    @property
    def complete(self) -> bool:
        """Whether nothing is missing of what was asked for; to be asked when there are no more fragments."""
        return self._newest >= self._end - _LAST_SECONDS and not (self.late_seconds or self._lost)

    def fragments(self) -> Iterator[ClipFragment]:
        """The pieces, each as soon as it can be written.

        Raises:
            PermanentError: no clip can be made of the stream's codec.
        """
        while not self._stop.is_set() and self._newest <= self._end:
            found = self._ring.slice(self._next, most_bytes=_FRAGMENT_BYTES)
            if not self._take(found):
                break
            if self._is_telling():
                yield from self._written(last=False)
            if sum(len(packet.data) for packet in found.packets) < _FRAGMENT_BYTES:
                if self._now() > self._end + self._patience:
                    break
                self._stop.wait(_FRAGMENT_SECONDS)
        yield from self._written(last=True)

    def _take(self, found: RingSlice) -> bool:
        """Hand a slice to the writer; whether the clip goes on."""
        jumped = found.next - len(found.packets) > self._next
        self._next = found.next
        if found.packets and found.stream_format is not None:
            if self._writer is None:
                self._writer = FragmentWriter(found.stream_format)
                self._format = found.stream_format
                self._oldest = self._newest = found.packets[0].received
            elif found.stream_format != self._format:
                return False
            self._note_holes(found.packets, jumped=jumped)
            self._writer.add(packet for packet in found.packets if packet.received <= self._end)
        return not found.over

    def _note_holes(self, packets: Sequence[RingPacket], *, jumped: bool) -> None:
        """Add up what is missing between the packets up to the end; `jumped`: some before the first were dropped."""
        for number, packet in enumerate(packets):
            apart = min(packet.received, self._end) - self._newest
            shown = self._shown_apart(packet) if packet.received <= self._end else 0.0
            if max(apart, shown) > _HOLE_SECONDS or (jumped and not number and apart > 0):
                self._lost += max(apart, shown)
            self._newest = packet.received

    def _shown_apart(self, packet: RingPacket) -> float:
        """Seconds of the stream's own time between the latest picture so far and this one.

        A camera that fell behind and then left pictures out sends without a pause.
        """
        if packet.pts is None or self._format is None:
            return 0.0
        before = packet.pts if self._highest is None else self._highest
        self._highest = max(before, packet.pts)
        return float((packet.pts - before) * self._format.time_base)

    def _is_telling(self) -> bool:
        writer = self._writer
        waited = self._now() - self._began > _FRAGMENT_SECONDS
        return writer is not None and (writer.begun or writer.waiting > _TELLING_PICTURES or waited)

    def _written(self, *, last: bool) -> Iterator[ClipFragment]:
        if self._writer is not None and (mp4 := self._writer.cut(last=last)):
            yield ClipFragment(mp4, self._writer.ends / TIMESCALE)
