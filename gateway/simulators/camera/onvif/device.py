"""What the simulated camera tells about itself: identity, profiles, addresses, clock."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.simulators.camera.quirks import Quirks

_NOT_THERE = "192.0.2.10"  # TEST-NET-1 of RFC 5737: nobody's address
DEVICE_PATH = "/onvif/device_service"
MEDIA_PATH = "/onvif/media_service"
SNAPSHOT_PATH = "/snapshot"


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile: its token, RTSP path, size in pixels and frames per second."""

    token: str
    rtsp_path: str
    width: int
    height: int
    frames_per_second: float


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """The camera's facts; the ports are those that it listens on."""

    profiles: tuple[Profile, ...]
    http_port: int
    rtsp_port: int
    quirks: Quirks
    manufacturer: str = "Campus Gateway"
    model: str = "Simulated Camera"
    firmware: str = "1.0"
    serial: str = "SIM-0001"
    hardware: str = "software"

    def now(self) -> datetime:
        """The camera's own clock, aware, in UTC."""
        return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=self.quirks.value("clock-off") or 0.0)

    def http_address(self, host: str, path: str) -> str:
        """The advertised address of `path` for a client that reached the camera as `host`."""
        return f"http://{self._advertised(host)}:{self.http_port}{path}"

    def rtsp_address(self, host: str, path: str) -> str:
        """The advertised stream address of `path`."""
        return f"rtsp://{self._advertised(host)}:{self.rtsp_port}{path}"

    def profile(self, token: str) -> Profile | None:
        """The profile of that token."""
        return next((profile for profile in self.profiles if profile.token == token), None)

    def _advertised(self, host: str) -> str:
        host = _NOT_THERE if "wrong-host" in self.quirks else host
        return f"[{host}]" if ":" in host else host
