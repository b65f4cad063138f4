"""Writes packets as fragmented MP4 without decoding, with times that every player and muxer accepts."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, cast

import av
import av.error
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from gateway.errors import PermanentError
from gateway.streams.nal import with_parameter_sets

CLIP_CODECS = ("h264", "hevc")
# Each fragment stands alone, so a clip cut short is still playable.
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
_NOMINAL_SECONDS = Fraction(1, 25)


class ClipPacket(Protocol):
    """What the writer needs of a packet."""

    @property
    def data(self) -> bytes:
        """One picture in Annex B form."""
        ...

    @property
    def pts(self) -> int | None:
        """Presentation time in units of the time base."""
        ...

    @property
    def keyframe(self) -> bool:
        """Whether decoding can begin here."""
        ...

    @property
    def received(self) -> float:
        """Monotonic seconds."""
        ...


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What a muxer must know of a stream.

    Attributes:
        width, height: in pixels; 0 if the stream has not told them yet.
        parameter_sets: SPS, PPS (and VPS) in Annex B form from outside the stream; empty if they come inside only.
    """

    codec: str
    width: int
    height: int
    time_base: Fraction
    parameter_sets: bytes = b""


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of a stream.

    Attributes:
        mp4: fragmented MP4 (ISO/IEC 14496-12 §8.8), one video track.
        begins, ends: monotonic seconds at which its first and last picture were received.
        pictures: how many there are.
    """

    mp4: bytes
    begins: float
    ends: float
    pictures: int


def write_clip(stream_format: StreamFormat, packets: Sequence[ClipPacket]) -> Clip:
    """Mux packets in decoding order, the first a keyframe.

    Raises:
        PermanentError: another codec than H.264 or H.265.
    """
    if stream_format.codec not in CLIP_CODECS:
        raise PermanentError(
            f"clips of {stream_format.codec} cannot be made", remedy="Set the camera to H.264 or H.265"
        )
    step = int(_NOMINAL_SECONDS / stream_format.time_base) or 1
    times = presentation_times([packet.pts for packet in packets], step)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options=_FRAGMENTED) as output:
        first = with_parameter_sets(packets[0].data, stream_format.codec, stream_format.parameter_sets)
        stream = add_track(output, stream_format, first)
        stream.time_base = stream_format.time_base
        for index, (packet, (pts, dts)) in enumerate(zip(packets, times, strict=True)):
            sample = av.Packet(first if index == 0 else packet.data)
            sample.pts, sample.dts, sample.time_base = pts, dts, stream_format.time_base
            sample.is_keyframe = packet.keyframe
            sample.duration = times[index + 1][1] - dts if index + 1 < len(times) else step
            sample.stream = stream
            output.mux_one(sample)
    return Clip(file.getvalue(), packets[0].received, packets[-1].received, len(packets))


def add_track(output: OutputContainer, stream_format: StreamFormat, keyframe: bytes) -> VideoStream:
    """The clip's one track.

    Args:
        output: MP4.
        stream_format: of the stream; a size that it does not know is that of the keyframe.
        keyframe: the first picture in Annex B form with its parameter sets.

    Raises:
        PermanentError: the size cannot be known.
    """
    width, height = stream_format.width, stream_format.height
    if not width or not height:
        width, height = _size_of(stream_format.codec, keyframe)
    track = output.add_mux_stream(stream_format.codec, width=width, height=height)
    return cast("VideoStream", track)


def _size_of(codec: str, keyframe: bytes) -> tuple[int, int]:
    """Of a camera that tells its parameter sets only in the stream, later than the library waits for them."""
    decoder = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    decoder.thread_count = 1
    try:
        pictures = [*decoder.decode(av.Packet(keyframe)), *decoder.decode(None)]
    except av.error.FFmpegError:
        pictures = []
    if not pictures:
        raise PermanentError("the first picture of the clip cannot be read", remedy="Look at the camera's stream")
    return pictures[0].width, pictures[0].height


def presentation_times(given: Sequence[int | None], step: int) -> list[tuple[int, int]]:
    """The (pts, dts) of packets in decoding order, from their pts alone.

    A camera's dts are not used: the first are missing, and with B-frames or several slices they go back or repeat.
    The sorted pts, moved back just so far that no picture is due before it is decoded, are a sequence of dts that
    always grows. Both begin so that the first dts is 0.

    Args:
        given: pts in ticks; the first packets of a stream have none.
        step: ticks between pictures, where nothing better is known.
    """
    known = filled_times(given, step)
    order = sorted(range(len(known)), key=lambda index: (known[index], index))
    grown: list[int] = []
    for index in order:
        grown.append(max(known[index], grown[-1] + 1) if grown else known[index])
    shown = [0] * len(known)
    for index, pts in zip(order, grown, strict=True):
        shown[index] = pts
    delay = max((due - pts for due, pts in zip(grown, shown, strict=True)), default=0)
    zero = grown[0] - delay if grown else 0
    return [(pts - zero, due - delay - zero) for pts, due in zip(shown, grown, strict=True)]


def filled_times(given: Sequence[int | None], step: int) -> list[int]:
    """Missing pts: before the first known ones a step earlier each, later ones a step after their forerunner."""
    first = next((index for index, pts in enumerate(given) if pts is not None), len(given))
    rest = [pts for pts in given if pts is not None]
    begin = min(rest, default=0) - step * first
    known: list[int] = []
    for index, pts in enumerate(given):
        guess = begin + step * index if index < first else max(known, default=begin) + step
        known.append(guess if pts is None else pts)
    return known
