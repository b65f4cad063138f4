"""RTSP 1.0 over one TCP connection (RFC 2326), for what is asked of a camera but its live pictures."""

from gateway.cameras.rtsp.digest import RtspDigest
from gateway.cameras.rtsp.session import RtspSession

__all__ = ["RtspDigest", "RtspSession"]
