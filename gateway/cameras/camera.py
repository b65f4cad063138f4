"""An ONVIF camera as the rest of the vision house sees it: asynchronous, bounded, with named states."""

import asyncio
from collections.abc import Mapping
from importlib import import_module
from threading import Lock
from typing import Any

from gateway.cameras.addresses import OnvifAddress, parse_onvif_url
from gateway.cameras.caller import SoapCaller
from gateway.cameras.description import CameraDescription
from gateway.cameras.http import CameraHttp, Timeouts
from gateway.cameras.inquiry import AskedCamera, Inquiry
from gateway.cameras.lane import Lane
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.soap import UsernameToken
from gateway.cameras.states import CameraState, camera_error
from gateway.clock import Clock, SystemClock

_MAGICS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_SMALLEST_PICTURE = 100
_HTTP_OK = 200


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


class OnvifCamera:
    """One camera. Keep one instance as long as the credentials stay: it counts their refusals.

    Args:
        url: ``onvif://host[:port]``, without credentials.
        username: the ONVIF user; empty for an open camera.
        password: its password; never sent in clear except where a camera asks for HTTP Basic.
        library: shared between cameras; a private one by default.
        timeouts: for connecting, reading, and each whole operation.

    Raises:
        PermanentError: `url` is no address of an ONVIF camera.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: str = "",
        library: OnvifLibrary | None = None,
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        clock, timeouts = clock or SystemClock(), timeouts or Timeouts()
        self.address = parse_onvif_url(url)
        where = str(self.address)
        self._library = library or OnvifLibrary()
        self._guard = PasswordGuard(where, clock)
        self._http = CameraHttp(where, (username, password) if username else None, self._guard, timeouts)
        token = UsernameToken(username, password) if username else None
        self._caller = SoapCaller(where, self._http, token, self._guard, clock)
        self._inquiry = Inquiry(self.address, self._caller, self._open_library, clock)
        self._lane = Lane(where, timeouts.whole)
        self._known: CameraDescription | None = None

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

    async def close(self) -> None:
        """Close kept connections."""
        await asyncio.to_thread(self._http.close)

    def _open_library(self, addresses: Mapping[str, str]) -> AskedCamera:
        return self._library.open(self.address, self._caller, addresses)

    def _probe(self) -> CameraDescription:
        self._guard.check()
        self._http.begin()
        self._known = self._inquiry.describe()
        self._guard.accepted()
        return self._known

    def _snapshot(self) -> bytes:
        known = self._known or self._probe()
        self._guard.check()
        self._http.begin()
        if known.snapshot is None:
            raise camera_error(CameraState.NO_SNAPSHOT, "the camera has no snapshots", where=str(self.address))
        reply = self._http.get(known.snapshot)
        fault = _what_is_wrong(reply.status_code, reply.content)
        if fault:
            self._known = None  # the address may have expired: ask again next time
            raise camera_error(CameraState.NO_SNAPSHOT, fault, where=str(self.address))
        return reply.content


def _what_is_wrong(status: int, content: bytes) -> str:
    """Why this is no picture; empty if it is one."""
    if status != _HTTP_OK:
        return f"the snapshot's address answers with status {status}"
    if len(content) < _SMALLEST_PICTURE:
        return f"the snapshot has {len(content)} bytes"
    return "" if content.startswith(_MAGICS) else "the snapshot is no picture"
