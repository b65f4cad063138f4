"""Notices packets whose time tells nothing, because the camera's stream clock stands still or goes back."""

from typing import Protocol

# The slices of a picture come together; only a network that stalls parts them for longer.
_TOGETHER_SECONDS = 0.5
# No encoder that reorders pictures needs longer until one comes that is shown after all before it.
_REORDERED_SECONDS = 2.0
_START = b"\0\0\1"
# Slices of H.264 (ITU-T H.264 table 7-1): whole ones, partition A, and of a keyframe; of H.265 all types below 32.
_H264_SLICES = {1, 2, 5}
_H265_PICTURE_TYPES = 32
_HEAD_BYTES, _FIRST_BIT = 3, 0x80


class PacketTold(Protocol):
    """What is looked at of a packet."""

    @property
    def data(self) -> bytes:
        """In Annex B form."""
        ...

    @property
    def pts(self) -> int | None:
        """As the camera said it, in any unit."""
        ...

    @property
    def received(self) -> float:
        """Monotonic seconds."""
        ...


class Standstill:
    """One session's.

    Args:
        codec: by FFmpeg's name.
    """

    def __init__(self, codec: str = "") -> None:
        self._codec = codec
        self._highest: int | None = None
        self._since = 0.0
        self._stands = False

    def tells_nothing(self, packet: PacketTold) -> bool:
        """Whether a picture begins whose time is no later than that of an earlier one, or the first one after such."""
        if packet.pts is None:
            return False
        if self._highest is None or packet.pts > self._highest:
            stood, self._stands = self._stands, False
            self._highest, self._since = packet.pts, packet.received
            return stood
        if not begins_picture(packet.data, self._codec):
            return False
        most = _TOGETHER_SECONDS if packet.pts == self._highest else _REORDERED_SECONDS
        self._stands = self._stands or packet.received - self._since > most
        return self._stands


def is_apart(packet: PacketTold, begun: float, codec: str) -> bool:
    """Whether a packet of the same time as a picture that began at monotonic `begun` (s) is another picture."""
    return packet.received - begun > _TOGETHER_SECONDS and begins_picture(packet.data, codec)


def begins_picture(data: bytes, codec: str) -> bool:
    """Whether a packet holds the first slice of a picture; of an unknown codec each does.

    That slice begins with a bit that is set: `first_mb_in_slice` = 0 (ITU-T H.264 §7.3.3) as Exp-Golomb code, or
    `first_slice_segment_in_pic_flag` (ITU-T H.265 §7.3.6.1).
    """
    if codec not in {"h264", "hevc"}:
        return True
    at = data.find(_START)
    while at >= 0:
        first = _first_byte(data[at + 3 : at + 6], codec)
        if first is not None:
            return bool(first & _FIRST_BIT)
        at = data.find(_START, at + 3)
    return False


def _first_byte(unit: bytes, codec: str) -> int | None:
    """The first byte of a slice's header; None if the NAL unit is no slice."""
    if len(unit) < _HEAD_BYTES:
        return None
    if codec == "h264":
        return unit[1] if unit[0] & 0x1F in _H264_SLICES else None
    return unit[2] if unit[0] >> 1 & 0x3F < _H265_PICTURE_TYPES else None
