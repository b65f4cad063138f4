"""A clip of what was and what comes, from the ring, as pieces that play as soon as they are written."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.streams.fragments import TIMESCALE, FragmentWriter
from gateway.streams.remux import StreamFormat
from gateway.streams.ring import PacketRing, RingSlice

# A fragment is written after so much of the past, and about each second of what comes.
_FRAGMENT_BYTES = 192 * 1024
_FRAGMENT_SECONDS = 1.0
# So many pictures tell how far the encoder reorders; a slow camera's are not waited for.
_TELLING_PICTURES = 16
# The last picture may come so much before the end of what was asked for.
_LAST_SECONDS = 0.5


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
    came for `patience` seconds beyond the end: always with what there is.

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
        self._next = ring.number_at(at - before)
        self._end = at + after
        self._stop = stop
        self._now = now
        self._patience = patience
        self._began = now()
        self._writer: FragmentWriter | None = None
        self._format: StreamFormat | None = None
        self._newest = 0.0
        self.complete = False

    def fragments(self) -> Iterator[ClipFragment]:
        """The pieces, each as soon as it can be written; afterwards `complete` says whether the end was reached.

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
        self.complete = self._newest >= self._end - _LAST_SECONDS

    def _take(self, found: RingSlice) -> bool:
        """Hand a slice to the writer; whether the clip goes on."""
        self._next = found.next
        if found.packets and found.stream_format is not None:
            if self._writer is None:
                self._writer = FragmentWriter(found.stream_format)
                self._format = found.stream_format
            elif found.stream_format != self._format:
                return False
            self._writer.add(packet for packet in found.packets if packet.received <= self._end)
            self._newest = found.packets[-1].received
        return not found.over

    def _is_telling(self) -> bool:
        writer = self._writer
        waited = self._now() - self._began > _FRAGMENT_SECONDS
        return writer is not None and (writer.begun or writer.waiting > _TELLING_PICTURES or waited)

    def _written(self, *, last: bool) -> Iterator[ClipFragment]:
        if self._writer is not None and (mp4 := self._writer.cut(last=last)):
            yield ClipFragment(mp4, self._writer.ends / TIMESCALE)
