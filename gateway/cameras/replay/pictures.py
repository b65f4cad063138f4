"""Puts pictures together from the RTP packets of a replay (RFC 6184 §5.6-5.8, RFC 7798 §4.4, ONVIF Streaming §6.3)."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_START = b"\0\0\0\1"
_FIXED, _VERSION = 12, 2
_PROFILE, _WORDS = 0xABAC, 3
_CLEAN, _LAST = 0x80, 0x10
_NTP_EPOCH, _NTP_ERA = 2_208_988_800, 1 << 32
_HALF = 1 << 31
# No picture has more pieces or bytes.
_MOST_UNITS, _MOST_BYTES = 2048, 8 << 20
_H264_IDR, _H264_SPS, _H264_STAP_A, _H264_FU_A = 5, 7, 24, 28
_H265_KEYFRAMES, _H265_AP, _H265_FU = range(16, 22), 48, 49


@dataclass(frozen=True, slots=True)
class ReplayedPicture:
    """One picture of a replay.

    Attributes:
        data: in Annex B form.
        at: when it was taken, in Unix seconds by the camera's clock; None if the camera has not told that of any yet.
        keyframe: whether decoding can begin here.
        last: the camera says that none follows.
    """

    data: bytes
    at: float | None
    keyframe: bool
    last: bool


@dataclass(frozen=True, slots=True)
class _Packet:
    """What of an RTP packet is needed; `at` and `flags` are of its replay extension."""

    sequence: int
    marker: bool
    stamp: int
    payload: bytes
    at: float | None
    flags: int


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one codec's units are packed; `unpack` gives (begins a unit, bytes) of a payload."""

    unpack: Callable[[bytes], Iterator[tuple[bool, bytes]]]
    is_key: Callable[[bytes, bool], bool]


class PictureAssembler:
    """One track's packets in, whole pictures out; behind a packet that was lost it goes on at the next keyframe.

    Args:
        codec: h264 or hevc.
        rate: ticks of the RTP clock per second.
    """

    def __init__(self, codec: str, rate: int) -> None:
        self._codec = _CODECS[codec]
        self._rate = rate
        self._units: list[bytearray] = []
        self._size = 0
        self._newest: _Packet | None = None
        self._flags = 0
        self._at: float | None = None
        self._known: tuple[float, int] | None = None
        self._torn = True

    def take(self, data: bytes) -> Iterator[ReplayedPicture]:
        """The pictures that this packet makes whole: one at its marker, or the one before if that had none."""
        packet = _read(data)
        if packet is None:
            return
        before, self._newest = self._newest, packet
        if before is not None and packet.sequence != (before.sequence + 1) & 0xFFFF:
            self._drop()
        elif before is not None and packet.stamp != before.stamp:
            yield from self._taken()
        self._note(packet)
        if packet.marker:
            yield from self._taken()

    def _note(self, packet: _Packet) -> None:
        if packet.at is not None:
            self._known = packet.at, packet.stamp
        if not self._units:
            self._at = self._time_of(packet)
        self._flags |= packet.flags
        for begins, part in self._codec.unpack(packet.payload):
            if begins:
                self._units.append(bytearray(_START + part))
            elif self._units:
                self._units[-1] += part
            self._size += len(part)
        if len(self._units) > _MOST_UNITS or self._size > _MOST_BYTES:
            self._drop()

    def _time_of(self, packet: _Packet) -> float | None:
        """As its extension says, or so much after one that said it as the RTP clock tells."""
        if self._known is None:
            return None
        at, stamp = self._known
        apart = (packet.stamp - stamp + _HALF) % (2 * _HALF) - _HALF
        return at + apart / self._rate

    def _drop(self) -> None:
        self._clear()
        self._torn = True

    def _clear(self) -> None:
        self._units, self._size, self._flags = [], 0, 0

    def _taken(self) -> Iterator[ReplayedPicture]:
        units, flags = self._units, self._flags
        self._clear()
        if not units:
            return
        keyframe = any(self._codec.is_key(bytes(unit[4:6]), bool(flags & _CLEAN)) for unit in units)
        self._torn = self._torn and not keyframe
        if not self._torn:
            yield ReplayedPicture(b"".join(units), self._at, keyframe, bool(flags & _LAST))


def _read(data: bytes) -> _Packet | None:
    """An RTP packet; None if it is none (RFC 3550 §5.1)."""
    if len(data) < _FIXED or data[0] >> 6 != _VERSION:
        return None
    begin = _FIXED + 4 * (data[0] & 0x0F)
    at, flags = None, 0
    if data[0] & 0x10:
        at, flags = _extension(data[begin:])
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    if begin > end:
        return None
    sequence, stamp = struct.unpack_from("!HI", data, 2)
    return _Packet(sequence, bool(data[1] & 0x80), stamp, data[begin:end], at, flags)


def _extension(data: bytes) -> tuple[float | None, int]:
    """The time of a replay's packet in Unix seconds, and its flags; (None, 0) for another extension."""
    if len(data) < 4 + 4 * _WORDS:
        return None, 0
    profile, words, seconds, fraction, flags = struct.unpack_from("!HHIIB", data)
    if profile != _PROFILE or words < _WORDS:
        return None, 0
    era = _NTP_ERA if seconds < _NTP_EPOCH else 0  # of 2036
    return seconds + era - _NTP_EPOCH + fraction / 2**32, flags


def _h264(payload: bytes) -> Iterator[tuple[bool, bytes]]:
    kind = payload[0] & 0x1F if payload else 0
    if kind == _H264_STAP_A:
        yield from _aggregated(payload[1:])
    elif kind == _H264_FU_A and len(payload) > 2:  # noqa: PLR2004  # two bytes of head
        begins = bool(payload[1] & 0x80)
        head = bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) if begins else b""
        yield begins, head + payload[2:]
    elif 0 < kind < _H264_STAP_A:
        yield True, payload


def _h264_key(head: bytes, clean: bool) -> bool:
    return head[0] & 0x1F == _H264_IDR or (clean and head[0] & 0x1F == _H264_SPS)


def _h265(payload: bytes) -> Iterator[tuple[bool, bytes]]:
    kind = payload[0] >> 1 & 0x3F if len(payload) > 2 else 0xFF  # noqa: PLR2004  # two bytes of head
    if kind == _H265_AP:
        yield from _aggregated(payload[2:])
    elif kind == _H265_FU:
        begins = bool(payload[2] & 0x80)
        head = bytes((payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1])) if begins else b""
        yield begins, head + payload[3:]
    elif kind < _H265_AP:
        yield True, payload


def _h265_key(head: bytes, _clean: bool) -> bool:
    return head[0] >> 1 & 0x3F in _H265_KEYFRAMES


def _aggregated(rest: bytes) -> Iterator[tuple[bool, bytes]]:
    """Units behind their lengths of two bytes; what is cut is left out."""
    at = 0
    while len(rest) > at + 2:
        size = int.from_bytes(rest[at : at + 2], "big")
        at += 2
        if not 0 < size <= len(rest) - at:
            return
        yield True, rest[at : at + size]
        at += size


_CODECS = {"h264": _Codec(_h264, _h264_key), "hevc": _Codec(_h265, _h265_key)}
