"""What a living simulated camera is made of, put together; tests look into it."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.errors import PermanentError
from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.listener import listen
from gateway.simulators.camera.onvif import (
    EventService,
    Happenings,
    HttpServer,
    Inside,
    Pages,
    Profile,
    SimulatedDevice,
    SnapshotMaker,
    Subscriptions,
    push_all,
)
from gateway.simulators.camera.onvif.discovery import DiscoveryResponder
from gateway.simulators.camera.onvif.door import Door
from gateway.simulators.camera.onvif.security import TokenGuard
from gateway.simulators.camera.playback import Playback, Scene
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.rtsp import MetadataTrack, RtspServer
from gateway.simulators.camera.selfsigned import self_signed

_REALM = "Simulated Camera"
_AGAIN_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class LivePorts:
    """The ports that a camera listens on; `dead` accepts and never answers."""

    http: int
    rtsp: int
    dead: int


class Insides:
    """One camera's parts.

    Attributes:
        device: what it tells of itself; clock, relays, movement.
        happenings: states of inputs, motion and tampering.
        subscriptions: of events.
        metadata: the metadata track of its streams.
        door: who is let in.
        pages: what the HTTP side answers.
        discovery: answers probes; None for a camera that hides; `discovery_port` is where.
        fingerprint: SHA-256 of its certificate in hex; empty without TLS.
    """

    def __init__(
        self,
        playbacks: Mapping[str, Playback],
        scene: Scene,
        ports: LivePorts,
        credentials: tuple[str, str],
        quirks: Quirks,
        serial: str,
    ) -> None:
        self._quirks = quirks
        self._playbacks = playbacks
        realm = DigestRealm(_REALM, *credentials)
        self.device = SimulatedDevice(_profiles(playbacks), ports.http, ports.rtsp, quirks, ports.dead, serial=serial)
        tokens = TokenGuard(*credentials, zulu_only="zulu-only" in quirks)
        self.happenings = Happenings(self.device.now)
        self.subscriptions = Subscriptions(self.happenings, quirks)
        self.door = Door(self.device, tokens, realm)
        events = EventService(self.device, self.subscriptions, self._open_port)
        snapshots = SnapshotMaker(playbacks["/main"].recording, scene)
        self.pages = Pages(Inside(self.device, self.door, snapshots, events, self.happenings))
        self.http = HttpServer(self.pages.answer, quirks)
        self.metadata = MetadataTrack(self.happenings, self.device.metadata, quirks)
        self.rtsp = RtspServer(playbacks, realm, self.device.archive, self.metadata)
        self.happenings.cut = self.rtsp.cut
        self._tls: ssl.SSLContext | None = None
        self.fingerprint = ""
        if "https" in quirks or "rtsps" in quirks:
            self._tls, self.fingerprint = self_signed(quirks.value("certificate-ends"))
        self.discovery: DiscoveryResponder | None = None
        self.discovery_port = 0
        self._servers: list[asyncio.Server] = []
        self._open_more: Callable[[], socket.socket] | None = None
        self._group: asyncio.TaskGroup | None = None

    async def listen(
        self,
        http: socket.socket,
        rtsp: socket.socket,
        group: asyncio.TaskGroup,
        bind_another: Callable[[], socket.socket],
    ) -> None:
        """Serve at the bound sockets, with tasks of `group`."""
        self._open_more, self._group = bind_another, group
        self._servers.append(await listen("onvif", http, self.http.serve, group, self._secure("https")))
        self._servers.append(await listen("rtsp", rtsp, self.rtsp.serve, group, self._secure("rtsps")))
        group.create_task(push_all(self.subscriptions, self._quirks), name="push of events")
        if "event-storm" in self._quirks:
            group.create_task(self._storm(), name="event storm")
        if "codec-changes" in self._quirks:
            group.create_task(self._change(), name="change of codec")
        if "stuck-motion" in self._quirks:
            group.create_task(self._stuck(), name="stuck motion")

    def _secure(self, quirk: str) -> ssl.SSLContext | None:
        return self._tls if quirk in self._quirks else None

    async def be_found(self, host: str, port: int) -> None:
        """Answer WS-Discovery at a UDP port; 0 picks a free one.

        Raises:
            PermanentError: the port cannot be had.
        """
        self.discovery = DiscoveryResponder(self.device, host)
        try:
            self.discovery_port = await self.discovery.open(port)
        except OSError as error:
            remedy = "Choose a free port, or 0 for any."
            raise PermanentError(error.strerror or "cannot listen", where=f"{host}:{port}", remedy=remedy) from error

    def close(self) -> None:
        """Listen no more."""
        if self.discovery is not None:
            self.discovery.close()
        for server in self._servers:
            server.close()

    async def _open_port(self) -> int:
        assert self._open_more is not None  # noqa: S101  # set before anybody can ask
        assert self._group is not None  # noqa: S101
        bound = self._open_more()
        self._servers.append(await listen("onvif", bound, self.http.serve, self._group, self._secure("https")))
        port: int = bound.getsockname()[1]
        return port

    async def _storm(self) -> None:
        pause = 1.0 / (self._quirks.value("event-storm") or 1.0)
        while True:
            self.happenings.set("motion", active=not self.happenings.states["motion"].active)
            await asyncio.sleep(pause)

    async def _change(self) -> None:
        await asyncio.sleep(self._quirks.value("codec-changes") or 0.0)
        self._playbacks["/main"].recording = self._playbacks["/sub"].recording

    async def _stuck(self) -> None:
        self.happenings.set("motion", active=True)
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            self.happenings.say_again("motion")


def _profiles(playbacks: Mapping[str, Playback]) -> tuple[Profile, ...]:
    return tuple(
        Profile(
            token=f"profile_{path.strip('/')}",
            rtsp_path=path,
            width=playback.recording.width,
            height=playback.recording.height,
            frames_per_second=playback.recording.frames_per_second,
            codec=playback.recording.syntax.encoding,
            moves=path == "/main",
        )
        for path, playback in playbacks.items()
    )
