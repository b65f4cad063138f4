"""Describes a recording's track in SDP (RFC 4566, RFC 6184 §8.2.1)."""

import base64
import ipaddress

from gateway.simulators.camera.recording import Recording
from gateway.simulators.camera.rtp import CLOCK_RATE, PAYLOAD_TYPE

TRACK = "trackID=0"


def describe(recording: Recording, host: str, session: int) -> bytes:
    """The SDP of a live stream of `recording`, served at the address `host`."""
    family, unspecified = ("IP6", "::") if _is_version_6(host) else ("IP4", "0.0.0.0")  # noqa: S104 as SDP, not bound
    sets = ",".join(base64.b64encode(part).decode() for part in (recording.sps, recording.pps))
    lines = (
        "v=0",
        f"o=- {session} 1 IN {family} {host}",
        "s=Live",
        f"c=IN {family} {unspecified}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_RATE}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={recording.sps[1:4].hex().upper()};"
        f"sprop-parameter-sets={sets}",
        f"a=framerate:{recording.frames_per_second:g}",
        f"a=control:{TRACK}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def _is_version_6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).max_prefixlen == ipaddress.IPV6LENGTH
    except ValueError:
        return False
