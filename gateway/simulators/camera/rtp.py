"""RTP and RTCP: H.264 and H.265 payloads (RFC 6184, RFC 7798), packets and sender reports (RFC 3550)."""

import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.simulators.camera.nal import H264, H265, Syntax

CLOCK_RATE = 90_000
PAYLOAD_TYPE = 96
_MAX_PAYLOAD = 1400
_FU_A, _FU = 28, 49
_VERSION, _EXTENDED = 0x80, 0x10
_MARKER = 0x80
NTP_EPOCH = 2_208_988_800
_SENDER_REPORT = 200
_SOURCE_DESCRIPTION = 202
_BYE = 203


def payloads(nals: Iterable[bytes], syntax: Syntax = H264, *, limit: int = _MAX_PAYLOAD) -> tuple[bytes, ...]:
    """The RTP payloads of one access unit: a single NAL unit each, or fragments above `limit` bytes."""
    cut = _fragments_of_h265 if syntax is H265 else _fragments
    return tuple(part for unit in nals for part in (cut(unit, limit) if len(unit) > limit else (unit,)))


def _fragments(unit: bytes, limit: int) -> Iterator[bytes]:
    """FU-A (RFC 6184 §5.8)."""
    indicator = (unit[0] & 0xE0) | _FU_A
    kind = unit[0] & 0x1F
    for flags, part in _parts(unit[1:], limit - 2):
        yield bytes((indicator, flags | kind)) + part


def _fragments_of_h265(unit: bytes, limit: int) -> Iterator[bytes]:
    """Fragmentation units (RFC 7798 §4.4.3)."""
    header = bytes(((unit[0] & 0x81) | _FU << 1, unit[1]))
    kind = H265.kind(unit)
    for flags, part in _parts(unit[2:], limit - 3):
        yield header + bytes((flags | kind,)) + part


def _parts(body: bytes, step: int) -> Iterator[tuple[int, bytes]]:
    """Each with its start and end bits."""
    for start in range(0, len(body), step):
        yield (0x80 if start == 0 else 0) | (0x40 if start + step >= len(body) else 0), body[start : start + step]


@dataclass(slots=True)
class RtpStream:
    """The counters of one receiver's stream: random SSRC, sequence number and timestamp offset (RFC 3550 §5.1)."""

    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: secrets.randbits(16))
    offset: int = field(default_factory=lambda: secrets.randbits(32))
    packets_sent: int = 0
    octets_sent: int = 0
    payload_type: int = PAYLOAD_TYPE

    def packets(self, parts: tuple[bytes, ...], timestamp: int, extension: bytes = b"") -> list[bytes]:
        """RTP packets of one access unit at `timestamp` (units of 1/90000 s); the marker is on the last.

        `extension`: a header extension (RFC 3550 §5.3.1) of the first.
        """
        stamp = (self.offset + timestamp) & 0xFFFFFFFF
        made = []
        for index, part in enumerate(parts, 1):
            marker = _MARKER if index == len(parts) else 0
            extended = extension if index == 1 else b""
            first = _VERSION | _EXTENDED if extended else _VERSION
            header = struct.pack("!BBHII", first, marker | self.payload_type, self.sequence, stamp, self.ssrc)
            made.append(header + extended + part)
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.octets_sent += len(part)
        self.packets_sent += len(parts)
        return made

    def sender_report(self, unix_time: float, timestamp: int) -> bytes:
        """A compound of SR and SDES that ties `timestamp` to the wall time `unix_time` (RFC 3550 §6.4.1)."""
        seconds = int(unix_time)
        fraction = int((unix_time - seconds) * 2**32)
        report = struct.pack(
            "!BBHIIIIII",
            _VERSION,
            _SENDER_REPORT,
            6,
            self.ssrc,
            (seconds + NTP_EPOCH) & 0xFFFFFFFF,
            fraction,
            (self.offset + timestamp) & 0xFFFFFFFF,
            self.packets_sent & 0xFFFFFFFF,
            self.octets_sent & 0xFFFFFFFF,
        )
        return report + self._description()

    def bye(self, unix_time: float, timestamp: int) -> bytes:
        """A last report and BYE: the stream has ended (RFC 3550 §6.6)."""
        return self.sender_report(unix_time, timestamp) + struct.pack("!BBHI", _VERSION | 1, _BYE, 1, self.ssrc)

    def _description(self) -> bytes:
        name = b"camera"
        item = struct.pack("!IBB", self.ssrc, 1, len(name)) + name + b"\x00"
        item += b"\x00" * (-len(item) % 4)
        return struct.pack("!BBH", _VERSION | 1, _SOURCE_DESCRIPTION, len(item) // 4) + item
