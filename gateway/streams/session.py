"""One connection to a camera, or one round of a recording: from opening to its end."""

import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from gateway.streams.annexb import AnnexB
from gateway.streams.loss import StreamFaultError
from gateway.streams.preflight import checked
from gateway.streams.remux import StreamFormat
from gateway.streams.ring import PacketRing, RingPacket
from gateway.streams.saver import Decode, Decoded, PacketPicker, Restart, VideoPacket
from gateway.streams.source import StreamSource
from gateway.streams.states import LossReason

# Measured: 0.33 s to open instead of 1.13 s. Only the video is set up, so no audio packets keep a dead stream awake.
_LIVE_OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "analyzeduration": "1000000",
    "fpsprobesize": "0",
}
_CORRUPT_IN_A_ROW = 100
_NAMES = "replace"  # many cameras name their stream in GBK or Latin-1, which is no reason to show no picture


@contextmanager
def opened(
    source: StreamSource, shown: Callable[[bytes], None] = lambda _certificate: None
) -> Iterator[InputContainer]:
    """The container, closed by the thread that opened it: closing from another crashes the process.

    `shown` gets the certificate of a camera with TLS, in DER.

    Raises:
        StreamFaultError: NO_FILE: a recording is no regular file; else see `checked`.
        OSError: there is none, or no connection.
        av.error.FFmpegError: whatever else the library finds.
    """
    if source.is_recording:
        container = av.open(_regular(source.address()), metadata_errors=_NAMES)
    else:
        # PyAV's own timeouts: FFmpeg's `timeout` is reset by RTCP, and older names of it are silently ignored.
        timeouts = (source.open_timeout_seconds, source.read_timeout_seconds)
        container = av.open(
            checked(source, shown).address(), options=_LIVE_OPTIONS, timeout=timeouts, metadata_errors=_NAMES
        )
    try:
        yield container
    finally:
        container.close()


def _regular(path: str) -> str:
    """The path of a regular file: a pipe that nobody writes to would be waited for without end."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise StreamFaultError(LossReason.NO_FILE)
    return path


class Session:
    """Reads an open container: every packet into the ring, every picture to whoever iterates.

    Args:
        container: open.
        ring: gets a copy of each packet; None keeps none.
        now: the monotonic clock.
        on_corrupt: called for each packet that cannot be decoded.
        picker: makes what decides which packets are decoded; None decodes all.

    Raises:
        StreamFaultError: NO_VIDEO; INVALID_DATA for a codec that is not known.
    """

    def __init__(
        self,
        container: InputContainer,
        ring: PacketRing | None,
        now: Callable[[], float],
        on_corrupt: Callable[[], None],
        picker: Callable[[Decode, Restart], PacketPicker] | None = None,
    ) -> None:
        if not container.streams.video:
            raise StreamFaultError(LossReason.NO_VIDEO)
        self._container = container
        self._stream: AvVideoStream = container.streams.video[0]
        if self._stream.codec_context is None:  # PyAV's stubs do not say so
            raise StreamFaultError(LossReason.INVALID_DATA)
        # One thread and no frame threading: those would hold back one to three pictures.
        self._stream.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1
        self._ring = ring
        self._now = now
        self._on_corrupt = on_corrupt
        self._corrupt_in_a_row = 0
        self._begun = False
        self._annexb = AnnexB(self._stream)
        self._picker = picker(self._decode, self._restart) if picker is not None else None

    @property
    def codec(self) -> str:
        """The codec by FFmpeg's name: h264, hevc and others."""
        return str(self._stream.codec_context.name)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as the stream's parameters say."""
        return self._stream.codec_context.width, self._stream.codec_context.height

    def pictures(self) -> Iterator[Decoded]:
        """What each packet gives, in order; at least one for every packet, so that the caller keeps the time.

        Raises:
            StreamFaultError: INVALID_DATA, after a hundred bad packets in a row.
            av.error.FFmpegError: whatever ended the reading.
        """
        if self._ring is not None:
            self._ring.begin(self._format())
        for packet in self._container.demux(self._stream):
            arrived = self._now()
            self._begun = self._begun or packet.is_keyframe
            if self._picker is not None and packet.size:
                yield from self._picker.take(packet, arrived)
            else:
                yield from self._all_of(packet, arrived)
            self._keep(packet, arrived)

    def _all_of(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        pictures, cost = self._decode(packet)
        for picture in pictures:
            yield Decoded(picture, arrived, cost / len(pictures))
        if not pictures:
            yield Decoded(None, arrived, cost)

    def _format(self) -> StreamFormat:
        context = self._stream.codec_context
        time_base = self._stream.time_base
        if time_base is None:
            raise StreamFaultError(LossReason.INVALID_DATA)
        return StreamFormat(self.codec, context.width, context.height, time_base, self._annexb.parameter_sets)

    def _decode(self, packet: VideoPacket) -> tuple[list[VideoFrame], float]:
        begun = time.thread_time()
        try:
            pictures = self._stream.codec_context.decode(packet) if packet.size else self._held_back()
        except av.error.InvalidDataError:
            # Before the first keyframe nothing can be decoded, and a camera need not send one at once.
            if self._begun:
                self._on_corrupt()
                self._corrupt_in_a_row += 1
            if self._corrupt_in_a_row >= _CORRUPT_IN_A_ROW:
                raise StreamFaultError(LossReason.INVALID_DATA) from None
            pictures = []
        else:
            self._corrupt_in_a_row = 0 if pictures else self._corrupt_in_a_row
        return pictures, (time.thread_time() - begun) * 1e3

    def _restart(self) -> tuple[list[VideoFrame], float]:
        """Let the decoder give what it holds back, and forget what it refers to."""
        begun = time.thread_time()
        context = self._stream.codec_context
        try:
            held = self._held_back()
        except av.error.FFmpegError:  # nothing was decoded yet, or what was is broken
            held = []
        context.flush_buffers()
        return held, (time.thread_time() - begun) * 1e3

    def _held_back(self) -> list[VideoFrame]:
        """The pictures that the decoder has kept for their order; it tells their times, and not in what unit."""
        pictures = self._stream.codec_context.decode(None)
        for picture in pictures:
            picture.time_base = self._stream.time_base or picture.time_base
        return pictures

    def _keep(self, packet: VideoPacket, arrived: float) -> None:
        """Copy into the ring; a packet of size 0 ends the stream, one without times may be the first keyframe."""
        if self._ring is None or not packet.size:
            return
        pts, keyframe = packet.pts, packet.is_keyframe
        self._ring.add(RingPacket(self._annexb.convert(packet), pts, keyframe, arrived))
