"""What the simulated camera tells about itself: identity, profiles, addresses, clock."""

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.simulators.camera.archive import Archive
from gateway.simulators.camera.onvif.ptz_state import Movement
from gateway.simulators.camera.quirks import Quirks

_NOT_THERE = "192.0.2.10"  # TEST-NET-1 of RFC 5737: nobody's address
DEVICE_PATH = "/onvif/device_service"
MEDIA_PATH = "/onvif/media_service"
MEDIA2_PATH = "/onvif/media2_service"
EVENT_PATH = "/onvif/event_service"
PTZ_PATH = "/onvif/ptz_service"
SEARCH_PATH = "/onvif/search_service"
REPLAY_PATH = "/onvif/replay_service"
SUBSCRIPTION_PATH = "/onvif/subscription"
SNAPSHOT_PATH = "/snapshot"
_BACK_THEN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Profile:
    """A media profile: its token, RTSP path, size in pixels and frames per second; width 0: it has no encoder.

    `codec` by its name in SDP.
    """

    token: str
    rtsp_path: str
    width: int
    height: int
    frames_per_second: float
    name: str = ""
    moves: bool = False
    codec: str = "H264"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.token)

    def named(self, name: str) -> "Profile":
        """The same profile under another name."""
        return replace(self, name=name)


@dataclass(slots=True)
class Tickets:
    """Snapshot addresses that are good once."""

    _good: set[str] = field(default_factory=set)

    def issue(self) -> str:
        """A new ticket."""
        ticket = secrets.token_hex(8)
        self._good.add(ticket)
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Whether the ticket was good; it is so no more."""
        good = ticket in self._good
        self._good.discard(ticket)
        return good


@dataclass(slots=True)
class MetadataSettings:
    """What the media services say and change of metadata.

    Attributes:
        profiles: tokens of those that have the metadata configuration.
        events: whether it holds events.
        synchronize: tells all states anew.
    """

    profiles: set[str] = field(default_factory=set)
    events: bool = True
    synchronize: Callable[[], None] = lambda: None


@dataclass(slots=True)
class CameraClock:
    """The camera's own clock.

    Attributes:
        logins: requests with a token so far; a quirk resets the clock by them.
        reset_at: when it fell back to the year 2000, by the monotonic clock.
    """

    quirks: Quirks
    logins: int = 0
    reset_at: float | None = None

    def now(self) -> datetime:
        """Its time, aware, in UTC."""
        if self.reset_at is not None:
            return _BACK_THEN + timedelta(seconds=time.monotonic() - self.reset_at)
        return datetime.fromtimestamp(time.time(), UTC) + timedelta(seconds=self.quirks.value("clock-off") or 0.0)

    def note_login(self) -> None:
        """A request with a token has come."""
        self.logins += 1
        after = self.quirks.value("clock-resets")
        if after is not None and self.logins > after and self.reset_at is None:
            self.reset_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """The camera's facts; the ports are those that it listens on, `dead_port` one that never answers.

    Attributes:
        relays: by token, whether each is switched on.
        archive: what it has recorded itself.
        counts: how often each operation was answered.
    """

    profiles: tuple[Profile, ...]
    http_port: int
    rtsp_port: int
    quirks: Quirks
    dead_port: int = 0
    manufacturer: str = "Campus Gateway"
    model: str = "Simulated Camera"
    firmware: str = "1.0"
    serial: str = "SIM-0001"
    hardware: str = "software"
    mac: str = "02:00:00:00:00:01"
    clock: CameraClock = field(init=False)
    archive: Archive = field(init=False)
    tickets: Tickets = field(default_factory=Tickets)
    metadata: MetadataSettings = field(default_factory=MetadataSettings)
    movement: Movement = field(default_factory=Movement)
    relays: dict[str, bool] = field(default_factory=lambda: {"relay-1": False})
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", CameraClock(self.quirks))
        if self.quirks.metadata_only and "metadata-unset" not in self.quirks:
            self.metadata.profiles.add(self.profiles[0].token)
        self.metadata.events = "metadata-silent" not in self.quirks and "metadata-unset" not in self.quirks
        object.__setattr__(self, "archive", Archive(self.quirks, self.now))

    @property
    def endpoint(self) -> str:
        """Its endpoint reference (ONVIF Core §7.3.1): the same for a serial number."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, self.serial)}"

    @property
    def scheme(self) -> str:
        """Of its HTTP side."""
        return "https" if "https" in self.quirks else "http"

    def now(self) -> datetime:
        """The camera's own clock, aware, in UTC."""
        return self.clock.now()

    def http_address(self, host: str, path: str) -> str:
        """The advertised address of `path` for a client that reached the camera as `host`."""
        dead = "dead-port" in self.quirks and path in (MEDIA_PATH, MEDIA2_PATH)
        return f"{self.scheme}://{self._advertised(host)}:{self.dead_port if dead else self.http_port}{path}"

    def rtsp_address(self, host: str, path: str) -> str:
        """The advertised stream address of `path`."""
        somebody = "root:toor@" if "uri-credentials" in self.quirks else ""
        scheme = "rtsps" if "rtsps" in self.quirks else "rtsp"
        return f"{scheme}://{somebody}{self._advertised(host)}:{self.rtsp_port}{path}"

    def profile(self, token: str) -> Profile | None:
        """The profile of that token."""
        return next((profile for profile in self.profiles if profile.token == token), None)

    def _advertised(self, host: str) -> str:
        host = _NOT_THERE if "wrong-host" in self.quirks else host
        return f"[{host}]" if ":" in host else host
