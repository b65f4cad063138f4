"""NAL units of H.264: taking them out of MP4 samples or Annex B byte streams (ISO/IEC 14496-15 §5.3, H.264 Annex B)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import PermanentError

IDR = 5
SPS = 7
PPS = 8
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")
_AVCC_HEADER = 7


def kind(unit: bytes) -> int:
    """The type of a NAL unit, 1 to 23 (H.264 table 7-1)."""
    return unit[0] & 0x1F


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a track's samples are cut, and its parameter sets.

    `length_size` is the bytes of a sample's length field; 0 means Annex B start codes.
    """

    length_size: int
    sps: bytes
    pps: bytes

    @classmethod
    def parse(cls, extradata: bytes, first_sample: bytes) -> "Configuration":
        """Read an AVCDecoderConfigurationRecord, or Annex B extradata, or the parameter sets of the first sample.

        Raises:
            PermanentError: there are no parameter sets.
        """
        if extradata[:1] == b"\x01" and len(extradata) >= _AVCC_HEADER:
            sets = list(_sets_of_record(extradata))
            length_size = (extradata[4] & 3) + 1
        else:
            sets = list(_split_annex_b(extradata)) + list(_split_annex_b(first_sample))
            length_size = 0
        return cls(length_size, _first(sets, SPS), _first(sets, PPS))

    def split(self, sample: bytes) -> tuple[bytes, ...]:
        """The NAL units of one sample."""
        cut = _split_lengths(sample, self.length_size) if self.length_size else _split_annex_b(sample)
        return tuple(unit for unit in cut if unit)

    def with_parameter_sets(self, units: tuple[bytes, ...], *, keyframe: bool) -> tuple[bytes, ...]:
        """`units` with SPS and PPS before a keyframe that lacks them, as cameras send it."""
        if not keyframe or any(kind(unit) == SPS for unit in units):
            return units
        return (self.sps, self.pps, *units)


def _first(units: list[bytes], wanted: int) -> bytes:
    for unit in units:
        if unit and kind(unit) == wanted:
            return unit
    raise PermanentError("the H.264 track has no parameter sets", remedy="Encode the recording again.")


def _sets_of_record(record: bytes) -> Iterator[bytes]:
    at, remaining = 6, record[5] & 0x1F
    for _ in range(2):
        for _ in range(remaining):
            length = int.from_bytes(record[at : at + 2], "big")
            yield record[at + 2 : at + 2 + length]
            at += 2 + length
        remaining = record[at] if at < len(record) else 0
        at += 1


def _split_lengths(sample: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at + size <= len(sample):
        length = int.from_bytes(sample[at : at + size], "big")
        yield sample[at + size : at + size + length]
        at += size + length


def _split_annex_b(stream: bytes) -> Iterator[bytes]:
    for unit in _START_CODE.split(stream)[1:]:
        yield unit.rstrip(b"\x00")
