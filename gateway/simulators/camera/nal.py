"""NAL units of H.264 and H.265: taken out of MP4 samples (ISO/IEC 14496-15 §5.3, §8.3) or Annex B byte streams."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.errors import PermanentError

IDR = 5
SPS = 7
PPS = 8
H265_VPS, H265_SPS, H265_PPS = 32, 33, 34
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_AVCC_HEADER = 7
_HVCC_HEADER = 23


@dataclass(frozen=True, slots=True)
class Syntax:
    """What differs between the codecs.

    Attributes:
        codec: by FFmpeg's name.
        encoding: as SDP and ONVIF call it.
        title: as people call it.
        kind: the type of a NAL unit (H.264 table 7-1, H.265 table 7-1).
        parameter_sets: the types of those that a decoder must have, in their order.
        record: the least size of its configuration record in bytes (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1).
    """

    codec: str
    encoding: str
    title: str
    kind: Callable[[bytes], int]
    parameter_sets: tuple[int, ...]
    record: int


H264 = Syntax("h264", "H264", "H.264", lambda unit: unit[0] & 0x1F, (SPS, PPS), _AVCC_HEADER)
H265 = Syntax("hevc", "H265", "H.265", lambda unit: unit[0] >> 1 & 0x3F, (H265_VPS, H265_SPS, H265_PPS), _HVCC_HEADER)
SYNTAXES = {each.codec: each for each in (H264, H265)}


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a track's samples are cut, and its parameter sets in their order.

    `length_size` is the bytes of a sample's length field; 0 means Annex B start codes.
    """

    syntax: Syntax
    length_size: int
    parameter_sets: tuple[bytes, ...]

    @classmethod
    def parse(cls, syntax: Syntax, extradata: bytes, first_sample: bytes) -> "Configuration":
        """Read a decoder configuration record, or Annex B extradata, or the parameter sets of the first sample.

        Raises:
            PermanentError: there are no parameter sets.
        """
        if extradata[:1] == b"\x01" and len(extradata) >= syntax.record:
            of_record, at = (_sets_of_hvcc, 21) if syntax is H265 else (_sets_of_avcc, 4)
            sets = list(of_record(extradata))
            length_size = (extradata[at] & 3) + 1
        else:
            sets = list(_split_annex_b(extradata)) + list(_split_annex_b(first_sample))
            length_size = 0
        return cls(syntax, length_size, tuple(_first(sets, kind, syntax) for kind in syntax.parameter_sets))

    def split(self, sample: bytes) -> tuple[bytes, ...]:
        """The NAL units of one sample."""
        cut = _split_lengths(sample, self.length_size) if self.length_size else _split_annex_b(sample)
        return tuple(unit for unit in cut if unit)

    def with_parameter_sets(self, units: tuple[bytes, ...], *, keyframe: bool) -> tuple[bytes, ...]:
        """`units` with the parameter sets before a keyframe that lacks them, as cameras send it."""
        if not keyframe or any(self.syntax.kind(unit) in self.syntax.parameter_sets for unit in units):
            return units
        return (*self.parameter_sets, *units)


def _first(units: list[bytes], wanted: int, syntax: Syntax) -> bytes:
    for unit in units:
        if unit and syntax.kind(unit) == wanted:
            return unit
    raise PermanentError(f"the {syntax.title} track has no parameter sets", remedy="Encode the recording again.")


def _sets_of_avcc(record: bytes) -> Iterator[bytes]:
    at, remaining = 6, record[5] & 0x1F
    for _ in range(2):
        for _ in range(remaining):
            length = int.from_bytes(record[at : at + 2], "big")
            yield record[at + 2 : at + 2 + length]
            at += 2 + length
        remaining = record[at] if at < len(record) else 0
        at += 1


def _sets_of_hvcc(record: bytes) -> Iterator[bytes]:
    at = _HVCC_HEADER
    for _ in range(record[22]):
        count = int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2], "big")
            yield record[at + 2 : at + 2 + length]
            at += 2 + length


def _split_lengths(sample: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at + size <= len(sample):
        length = int.from_bytes(sample[at : at + size], "big")
        yield sample[at + size : at + size + length]
        at += size + length


def _split_annex_b(stream: bytes) -> Iterator[bytes]:
    for unit in _START_CODE.split(stream)[1:]:
        yield unit.rstrip(b"\x00")
