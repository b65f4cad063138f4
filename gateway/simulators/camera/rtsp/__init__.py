"""The simulated camera's RTSP server (RFC 2326)."""

from gateway.simulators.camera.rtsp.metadata import MetadataTrack
from gateway.simulators.camera.rtsp.server import RtspServer

__all__ = ["MetadataTrack", "RtspServer"]
