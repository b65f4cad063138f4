"""The simulated camera: ONVIF and RTSP over one scene, usable in-process as an async context manager."""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import PermanentError
from gateway.simulators.camera.insides import Insides, LivePorts
from gateway.simulators.camera.playback import Playback, Scene
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.recording import load_recording

_CLOSING_TURNS = 3  # of the loop, in which a connection that was aborted lets its socket go


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the camera listens; 0 picks a free port; `discovery`: of WS-Discovery, None for a camera that hides."""

    host: str = "127.0.0.1"
    http: int = 0
    rtsp: int = 0
    discovery: int | None = None


class SimulatedCamera:
    """A camera that plays a recording, alive between ``async with``'s begin and end.

    Args:
        recording: file with an H.264 or H.265 track: the main stream.
        sub: file of the sub-stream, if the camera has one.
        username: empty for a camera that is open to everybody.
        password: for RTSP, SOAP and snapshot alike.
        loop: play again and again; otherwise a stream says goodbye at the recording's end.
        quirks: what it does wrong: ``NAME`` or ``NAME=NUMBER``.
        serial: its serial number, from which its endpoint reference is made, too.

    Raises:
        PermanentError: a quirk is unknown; on entering: a recording cannot be used, or a port cannot be had.
    """

    def __init__(
        self,
        recording: Path,
        *,
        sub: Path | None = None,
        ports: Ports | None = None,
        username: str = "",
        password: str = "",
        loop: bool = True,
        quirks: Iterable[str] = (),
        serial: str = "SIM-0001",
    ) -> None:
        self._files = {"/main": recording} | ({"/sub": sub} if sub else {})
        self._ports = ports or Ports()
        self._credentials = (username, password)
        self._loop = loop
        self._serial = serial
        self._quirks = Quirks.parse(quirks)
        self._life: asyncio.Task[None] | None = None
        self._http_port = 0
        self._rtsp_port = 0
        self._scene = Scene()
        self._inside: Insides | None = None

    @property
    def began(self) -> float | None:
        """When the recording began to play, by the machine's monotonic clock (s); None while nobody watches."""
        return self._scene.began

    @property
    def onvif_url(self) -> str:
        """``onvif://host:port``, or ``onvifs://`` behind TLS, without credentials."""
        scheme = "onvifs" if "https" in self._quirks else "onvif"
        return f"{scheme}://{self._ports.host}:{self._http_port}"

    @property
    def inside(self) -> Insides:
        """Its states, subscriptions and counters, for tests; there only while it is alive."""
        assert self._inside is not None, "the camera is not alive"  # noqa: S101  # a tester's mistake
        return self._inside

    @property
    def rtsp_url(self) -> str:
        """Address of the main stream, without credentials."""
        return f"{self._rtsp_scheme}://{self._ports.host}:{self._rtsp_port}/main"

    @property
    def rtsp_sub_url(self) -> str:
        """Address of the sub-stream, without credentials; there only if the camera has one."""
        return f"{self._rtsp_scheme}://{self._ports.host}:{self._rtsp_port}/sub"

    @property
    def _rtsp_scheme(self) -> str:
        return "rtsps" if "rtsps" in self._quirks else "rtsp"

    @property
    def snapshot_url(self) -> str:
        """Address of the JPEG snapshot."""
        scheme = "https" if "https" in self._quirks else "http"
        return f"{scheme}://{self._ports.host}:{self._http_port}/snapshot"

    async def __aenter__(self) -> Self:
        ready = asyncio.Event()
        self._life = asyncio.create_task(self._live(ready), name="simulated camera")
        waiting = asyncio.create_task(ready.wait(), name="simulated camera ready")
        try:
            await asyncio.wait((waiting, self._life), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._life.cancel()
            raise
        finally:
            waiting.cancel()
        if self._life.done():
            await self._life
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait((self._life,))
            for _ in range(_CLOSING_TURNS):
                await asyncio.sleep(0)
            if not self._life.cancelled():
                self._life.result()

    async def _live(self, ready: asyncio.Event) -> None:
        scene = self._scene = Scene()
        playbacks = {path: await self._playback(file, scene) for path, file in self._files.items()}
        http, rtsp = self._bind()
        async with asyncio.TaskGroup() as group:
            dead = _bound(self._ports.host, 0)
            ports = LivePorts(self._http_port, self._rtsp_port, dead.getsockname()[1])
            inside = self._inside = Insides(playbacks, scene, ports, self._credentials, self._quirks, self._serial)
            try:
                await inside.listen(http, rtsp, group, lambda: _bound(self._ports.host, 0))
                if self._ports.discovery is not None:
                    await inside.be_found(self._ports.host, self._ports.discovery)
                for path, playback in playbacks.items():
                    group.create_task(playback.run(), name=f"playback {path}")
                ready.set()
                await asyncio.Event().wait()
            finally:
                inside.close()
                dead.close()

    async def _playback(self, file: Path, scene: Scene) -> Playback:
        recording = await asyncio.to_thread(load_recording, file)
        if "sets-in-description" in self._quirks:
            recording = recording.without_parameter_sets()
        return Playback(recording, scene, loop=self._loop, at_once="waits-for-keyframe" not in self._quirks)

    def _bind(self) -> tuple[socket.socket, socket.socket]:
        """Have both ports before anything is made: the SOAP side tells both."""
        http = _bound(self._ports.host, self._ports.http)
        try:
            rtsp = _bound(self._ports.host, self._ports.rtsp)
        except PermanentError:
            http.close()
            raise
        self._http_port, self._rtsp_port = http.getsockname()[1], rtsp.getsockname()[1]
        return http, rtsp


def _bound(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        remedy = "Choose a free port, or 0 for any."
        raise PermanentError(error.strerror or "cannot listen", where=f"{host}:{port}", remedy=remedy) from error
