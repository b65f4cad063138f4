"""An ONVIF camera as the rest of the vision house sees it: asynchronous, bounded, with named states."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from typing import Any, TypeVar

from gateway.cameras.addresses import OnvifAddress, parse_onvif_url
from gateway.cameras.caller import SoapCaller
from gateway.cameras.choice import main_and_sub
from gateway.cameras.clock_offset import ClockOffset
from gateway.cameras.description import CameraDescription
from gateway.cameras.eventing.port import CameraEvents
from gateway.cameras.http import CameraHttp, Reply, Timeouts
from gateway.cameras.inquiry import AskedCamera, Inquiry
from gateway.cameras.lane import Lane
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.metadata import MetadataMedia, MetadataSession, MetadataStream, MetadataWay
from gateway.cameras.movement import Movement, Preset
from gateway.cameras.recordings import OwnRecording, Recordings
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.rtsp import RtspDigest
from gateway.cameras.soap import FaultError, UsernameToken
from gateway.cameras.states import CameraState, camera_error
from gateway.cameras.tracked import Trust
from gateway.clock import Clock, SystemClock
from gateway.errors import PermanentError

Result = TypeVar("Result")
_MAGICS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_SMALLEST_PICTURE = 100
_HTTP_OK = 200
_SNAPSHOT_TRIES = 2


class OnvifLibrary:
    """onvif-zeep with its parsed WSDL documents, loaded when first needed; share one between all cameras."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._module: Any = None
        self._shelf: Any = None

    def open(self, address: OnvifAddress, caller: SoapCaller, addresses: Mapping[str, str]) -> AskedCamera:
        """The library's camera over `caller`; no network I/O."""
        with self._lock:
            if self._module is None:
                self._module = import_module("gateway.cameras.library")
                self._shelf = self._module.WsdlShelf()
        camera: AskedCamera = self._module.LibraryCamera(address, caller, self._shelf, addresses)
        return camera


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks a camera, and how its certificate is known.

    Attributes:
        username: the ONVIF user; empty for an open camera.
        password: never sent in clear except where a camera asks for HTTP Basic.
        fingerprint: SHA-256 of the camera's certificate in hex; empty: an authority must vouch for it.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    fingerprint: str = ""

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User name and password; None for an open camera."""
        return (self.username, self.password) if self.username else None


class OnvifCamera:
    """One camera. Keep one instance as long as the credentials stay: it counts their refusals.

    Args:
        url: ``onvif://host[:port]`` or ``onvifs://…``, without credentials.
        login: who asks.
        library: shared between cameras; a private one by default.
        timeouts: for connecting, reading, and each whole operation.
        guard: counts refusals of the password; one of its own by default.
        networks: where its address must lead to (`gateway.settings.may_be_camera`); None: anywhere.

    Raises:
        PermanentError: `url` is no address of an ONVIF camera.

    Attributes:
        events: its subscriptions.
    """

    def __init__(
        self,
        url: str,
        login: Login | None = None,
        *,
        library: OnvifLibrary | None = None,
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
        guard: PasswordGuard | None = None,
        networks: tuple[str, ...] | None = None,
    ) -> None:
        clock, self._timeouts = clock or SystemClock(), timeouts or Timeouts()
        self.address = parse_onvif_url(url)
        where = str(self.address)
        self._login = login or Login()
        self._networks = networks
        self._library = library or OnvifLibrary()
        self._guard = guard or PasswordGuard(where, clock)
        self._picture_guard = PasswordGuard(where, clock)
        self._offset = ClockOffset(clock)
        self._caller = self._open_caller()
        self._http = self._caller.http
        self._rehoster = Rehoster(self.address, networks)
        self._inquiry = Inquiry(self.address, self._caller, self._open_library, self._rehoster)
        self._lane = Lane(where, self._timeouts.whole, self._http.cut_off)
        self._known: CameraDescription | None = None
        self._movement = Movement(self._caller, self._services, self.address.device_service)
        self._recordings = Recordings(self._caller, self._turn, self._services, self._rehoster)
        asks, pulls = (self._lane, self._caller), self._open_caller()
        way = self._metadata_way(PasswordGuard(where, clock))
        self.events = CameraEvents(
            self.address, asks, pulls, self._services, self._rehoster, self._guard, lambda: MetadataStream.opened(way)
        )

    @property
    def certificate(self) -> bytes:
        """The TLS certificate that it showed last, in DER; empty without TLS or before it was asked."""
        return self._http.certificate

    def _services(self) -> Mapping[str, str]:
        return self._inquiry.services

    def _metadata_way(self, guard: PasswordGuard) -> MetadataWay:
        """How its metadata are reached; refusals over RTSP are counted by `guard`, for its users may be others."""
        where, login, credentials = str(self.address), self._login, self._login.credentials
        trust = Trust(login.fingerprint, self._networks)

        def session(url: str) -> MetadataSession:
            digest = RtspDigest(*credentials) if credentials else None
            return MetadataSession(url, digest, guard, trust, self._timeouts, where)

        media = MetadataMedia(self._caller, self._services, self._rehoster)
        return MetadataWay(self._lane, self._begin, media, session, where)

    def _begin(self) -> None:
        self._guard.check()
        self._http.begin()

    def _open_caller(self) -> SoapCaller:
        """One more connection to the camera, with the clock and the count of refusals that all share."""
        where, login = str(self.address), self._login
        trust = Trust(login.fingerprint, self._networks)
        http = CameraHttp(where, login.credentials, self._timeouts, trust)
        token = UsernameToken(login.username, login.password) if login.username else None
        return SoapCaller(where, self.address.device_service, http, token, self._guard, self._offset)

    async def probe(self) -> CameraDescription:
        """Ask the camera what it is and where its streams are.

        Raises:
            CameraError: with the camera's state and the remedy.
        """
        return await self._lane.run(self._probe)

    async def snapshot(self) -> bytes:
        """A JPEG or PNG picture of now.

        Raises:
            CameraError: `NO_SNAPSHOT` if the camera has none or answers no picture; other states as `probe`.
        """
        return await self._lane.run(self._snapshot)

    async def own_recording(self) -> OwnRecording:
        """What the camera itself has recorded.

        Raises:
            CameraError: `NO_RECORDING` if it has no recording that can be searched; other states as `probe`.
        """
        return await self._recordings.own(self._known or await self.probe())

    async def presets(self) -> tuple[Preset, ...]:
        """What it can look at.

        Raises:
            CameraError: `NO_MOVEMENT` if it does not move; other states as `probe`.
        """
        return await self._acting(self._movement.presets)

    async def look_at(self, preset: str) -> None:
        """Look at a preset; raises as `presets`, and PermanentError if there is none of that token."""
        await self._acting(lambda known: self._movement.go_to(known, preset))

    async def move(self, pan_tilt: tuple[float, float] | None, zoom: float | None = None) -> None:
        """Move until `stop` with velocities from -1 to 1; only the axes that are given."""
        await self._acting(lambda known: self._movement.move(known, pan_tilt, zoom))

    async def stop(self) -> None:
        """Stop moving."""
        await self._acting(self._movement.stop)

    async def switch(self, relay: str, *, on: bool) -> None:
        """Switch a relay; raises as `look_at`."""
        await self._acting(lambda _known: self._movement.switch(relay, on=on))

    async def _acting(self, act: Callable[[CameraDescription], Result]) -> Result:
        return await self._lane.run(lambda: self._act(act))

    async def _turn(self, call: Callable[[], Result]) -> Result:
        return await self._lane.run(lambda: self._guarded(call))

    def _guarded(self, call: Callable[[], Result]) -> Result:
        self._guard.check()
        self._http.begin()
        return call()

    def _act(self, act: Callable[[CameraDescription], Result]) -> Result:
        known = self._known or self._probe()
        self._guard.check()
        self._http.begin()
        try:
            return act(known)
        except FaultError as fault:
            raise PermanentError(f"the camera refuses: {fault.reason}", where=str(self.address)) from None

    async def close(self) -> None:
        """End what is under way and close kept connections."""
        self.events.break_off()
        self._http.break_off()
        await asyncio.to_thread(self._http.close)
        await asyncio.to_thread(self.events.close)

    def _open_library(self, addresses: Mapping[str, str]) -> AskedCamera:
        return self._library.open(self.address, self._caller, addresses)

    def _probe(self) -> CameraDescription:
        self._guard.check()
        self._http.begin()
        self._known = self._inquiry.describe()
        self._guard.accepted()
        return self._known

    def _snapshot(self) -> bytes:
        """Refusals are counted by themselves: users of ONVIF are often none of the web page, and events must go on."""
        known = self._known or self._probe()
        self._guard.check()
        self._picture_guard.check()
        self._http.begin()
        address, fault = known.snapshot, "the camera has no snapshots"
        for _ in range(_SNAPSHOT_TRIES):
            if address is None:
                break
            reply = self._http.get(address)
            fault = _what_is_wrong(reply)
            if not fault:
                self._picture_guard.accepted()
                return reply.content
            if reply.is_refusal and self._login.username:
                self._picture_guard.refused()
            address = self._inquiry.snapshot(main_and_sub(known.profiles)[0])  # the one before may have expired
        raise camera_error(CameraState.NO_SNAPSHOT, fault, where=str(self.address))


def _what_is_wrong(reply: Reply) -> str:
    """Why this is no picture; empty if it is one."""
    if reply.status_code != _HTTP_OK:
        return f"the snapshot's address answers with status {reply.status_code}"
    if len(reply.content) < _SMALLEST_PICTURE:
        return f"the snapshot has {len(reply.content)} bytes"
    return "" if reply.content.startswith(_MAGICS) else "the snapshot is no picture"
