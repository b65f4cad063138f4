"""Demuxes a recording once into H.264 or H.265 access units that any number of clients can be sent."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from gateway.errors import PermanentError
from gateway.simulators.camera.nal import SYNTAXES, Configuration, Syntax

VideoPacket: TypeAlias = "Packet[VideoStream]"
_MAX_BYTES = 1 << 30  # it is held in memory whole
_REMEDY = "Give a recording with an H.264 or H.265 video track, for example an MP4 file."


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: its NAL units without start codes, and when it is decoded and shown.

    `decode_at` and `present_at` are seconds since the recording's first decoding time.
    """

    nals: tuple[bytes, ...]
    decode_at: float
    present_at: float
    keyframe: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording in memory: access units in decoding order, parameter sets in theirs, and picture size.

    `width` and `height` in pixels, `frames_per_second` on average, `duration` in seconds of one turn.
    """

    units: tuple[AccessUnit, ...]
    syntax: Syntax
    parameter_sets: tuple[bytes, ...]
    width: int
    height: int
    frames_per_second: float
    duration: float

    def without_parameter_sets(self) -> "Recording":
        """The same, whose keyframes come without them."""
        kinds, kind = self.syntax.parameter_sets, self.syntax.kind
        bare = (replace(each, nals=tuple(part for part in each.nals if kind(part) not in kinds)) for each in self.units)
        return replace(self, units=tuple(bare))

    def unit(self, number: int) -> AccessUnit:
        """The access unit `number`, counted on through the turns of a looped recording."""
        return self.units[number % len(self.units)]

    def due(self, number: int) -> float:
        """When access unit `number` is to be sent, in seconds since the first turn began."""
        turn, index = divmod(number, len(self.units))
        return turn * self.duration + self.units[index].decode_at

    def shown(self, number: int) -> float:
        """When access unit `number` is shown, in seconds since the first turn began."""
        turn, index = divmod(number, len(self.units))
        return turn * self.duration + self.units[index].present_at

    def number_at(self, seconds: float) -> int:
        """Number of the last access unit that is due at `seconds` since the first turn began."""
        turn, inside = divmod(seconds, self.duration)
        index = bisect_right(self.units, inside, key=lambda unit: unit.decode_at) - 1
        return int(turn) * len(self.units) + max(index, 0)

    def keyframe_before(self, number: int) -> int:
        """Number of the last keyframe at or before access unit `number`."""
        while not self.unit(number).keyframe:
            number -= 1
        return number


def load_recording(path: Path) -> Recording:
    """Read the H.264 or H.265 track of `path`; packets only, nothing is decoded.

    Raises:
        PermanentError: the file cannot be opened, has no such track or no keyframe at its start.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PermanentError("the recording is larger than 1 GiB", where=str(path), remedy="Give a shorter one.")
        with av.open(str(path)) as container:
            stream = _readable_stream(list(container.streams.video), path)
            return _assemble(stream, list(_packets(container.demux(stream))), path)
    except (OSError, av.error.FFmpegError) as error:
        raise PermanentError(
            f"cannot read the recording ({type(error).__name__})", where=str(path), remedy=_REMEDY
        ) from error


def _readable_stream(streams: list[VideoStream], path: Path) -> VideoStream:
    for stream in streams:
        if stream.codec_context is not None and stream.codec_context.name in SYNTAXES:
            return stream
    raise PermanentError("the recording has no H.264 or H.265 video track", where=str(path), remedy=_REMEDY)


def _packets(demuxed: Iterator[VideoPacket]) -> Iterator[VideoPacket]:
    started = False
    for packet in demuxed:
        started = started or packet.is_keyframe
        if started and packet.size:
            yield packet


def _assemble(stream: VideoStream, packets: list[VideoPacket], path: Path) -> Recording:
    if not packets:
        raise PermanentError("the recording holds no keyframe", where=str(path), remedy=_REMEDY)
    syntax = SYNTAXES[stream.codec_context.name]
    configuration = Configuration.parse(syntax, bytes(stream.codec_context.extradata or b""), bytes(packets[0]))
    rate = stream.average_rate or Fraction(25)
    times = _Times(packets, stream.time_base or Fraction(1, 90_000), rate)
    units = tuple(
        AccessUnit(
            nals=configuration.with_parameter_sets(configuration.split(bytes(packet)), keyframe=packet.is_keyframe),
            decode_at=decode_at,
            present_at=present_at,
            keyframe=packet.is_keyframe,
        )
        for packet, decode_at, present_at in times
    )
    return Recording(
        units=units,
        syntax=syntax,
        parameter_sets=configuration.parameter_sets,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        frames_per_second=float(rate),
        duration=units[-1].decode_at + float(1 / rate),
    )


class _Times:
    """Decoding and presentation times in seconds since the first packet; gaps are filled by the frame rate."""

    def __init__(self, packets: list[VideoPacket], time_base: Fraction, rate: Fraction) -> None:
        self._packets = packets
        self._unit = float(time_base)
        self._step = float(1 / rate)

    def __iter__(self) -> Iterator[tuple[VideoPacket, float, float]]:
        first = self._packets[0].dts or 0
        last = -self._step
        for packet in self._packets:
            decode_at = last + self._step if packet.dts is None else (packet.dts - first) * self._unit
            decode_at = max(decode_at, last)
            shown = decode_at if packet.pts is None else (packet.pts - first) * self._unit
            yield packet, decode_at, shown
            last = decode_at
