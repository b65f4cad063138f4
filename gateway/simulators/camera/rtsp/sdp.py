"""Describes a recording's track in SDP (RFC 4566, RFC 6184 §8.2.1, RFC 7798 §7.1)."""

import base64
import ipaddress

from gateway.simulators.camera.nal import H265
from gateway.simulators.camera.recording import Recording
from gateway.simulators.camera.rtp import CLOCK_RATE, PAYLOAD_TYPE

TRACK = "trackID=0"


def describe(recording: Recording, host: str, session: int, *, with_sets: bool = True) -> bytes:
    """The SDP of a live stream of `recording`, served at the address `host`; `with_sets`: with its parameter sets."""
    family, unspecified = ("IP6", "::") if _is_version_6(host) else ("IP4", "0.0.0.0")  # noqa: S104 as SDP, not bound
    lines = (
        "v=0",
        f"o=- {session} 1 IN {family} {host}",
        "s=Live",
        f"c=IN {family} {unspecified}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {recording.syntax.encoding}/{CLOCK_RATE}",
        *_format(recording, with_sets=with_sets),
        f"a=framerate:{recording.frames_per_second:g}",
        f"a=control:{TRACK}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def _format(recording: Recording, *, with_sets: bool) -> tuple[str, ...]:
    """The line of the format's parameters, if there are any."""
    sets = [base64.b64encode(part).decode() for part in recording.parameter_sets]
    if recording.syntax is H265:
        said = [f"sprop-{name}={one}" for name, one in zip(("vps", "sps", "pps"), sets, strict=True) if with_sets]
    else:
        said = ["packetization-mode=1", f"profile-level-id={recording.parameter_sets[0][1:4].hex().upper()}"]
        said += [f"sprop-parameter-sets={','.join(sets)}"] if with_sets else []
    return (f"a=fmtp:{PAYLOAD_TYPE} {';'.join(said)}",) if said else ()


def _is_version_6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).max_prefixlen == ipaddress.IPV6LENGTH
    except ValueError:
        return False
