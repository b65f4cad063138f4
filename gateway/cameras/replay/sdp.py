"""Finds the video track in a replay's description (RFC 4566, RFC 6184 §8.2.1, RFC 7798 §7.1)."""

import base64
import binascii
import re
from dataclasses import dataclass
from itertools import islice

_MOST_LINES = 2000
_START = b"\0\0\0\1"
_NAMES = {"h264": "h264", "h265": "hevc"}
_SETS = re.compile(r"sprop-(?:parameter-sets|vps|sps|pps)=([A-Za-z0-9+/=,]+)")
_RATE = re.compile(r"\d{1,9}", re.ASCII)
_USUAL_RATE = 90_000


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A track of pictures.

    Attributes:
        codec: h264 or hevc; another encoding's name in lower case.
        rate: ticks of its RTP clock per second.
        control: its address as the camera writes it, perhaps relative, perhaps empty.
        parameter_sets: in Annex B form, in the order of the description; empty if it names none.
    """

    codec: str
    rate: int
    control: str
    parameter_sets: bytes = b""


def video_track(described: bytes) -> VideoTrack | None:
    """The first track of pictures; None if there is none."""
    lines = [line.strip() for line in described.decode("utf-8", "replace").splitlines()[:_MOST_LINES]]
    begin = next((number for number, line in enumerate(lines) if line.startswith("m=video")), None)
    if begin is None:
        return None
    name, rate, control, sets = "", _USUAL_RATE, "", b""
    for line in islice(lines, begin + 1, None):
        if line.startswith("m="):
            break
        if line.startswith("a=rtpmap:") and not name:
            name, _, rest = line.partition(" ")[2].strip().partition("/")
            rate = _number(rest.partition("/")[0]) or _USUAL_RATE
        elif line.startswith("a=fmtp:"):
            sets += b"".join(_START + each for text in _SETS.findall(line) for each in _decoded(text))
        elif line.startswith("a=control:"):
            control = line.partition(":")[2].strip()
    return VideoTrack(_NAMES.get(name.lower(), name.lower()), rate, control, sets)


def _number(text: str) -> int:
    return int(text) if _RATE.fullmatch(text) else 0


def _decoded(text: str) -> list[bytes]:
    try:
        return [unit for each in text.split(",") if (unit := base64.b64decode(each, validate=True))]
    except binascii.Error:  # the pictures bring their own
        return []
