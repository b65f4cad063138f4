"""What the camera's HTTP port answers: SOAP operations by namespace, the snapshot, and what a tester makes happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.simulators.camera.onvif import (
    device_service,
    media2_service,
    media_service,
    ptz_service,
    replay_service,
    search_service,
    soap,
)
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import SNAPSHOT_PATH, SimulatedDevice
from gateway.simulators.camera.onvif.door import Door
from gateway.simulators.camera.onvif.event_service import NAMESPACES as EVENT_NAMESPACES
from gateway.simulators.camera.onvif.event_service import EventService
from gateway.simulators.camera.onvif.happenings import Happenings
from gateway.simulators.camera.onvif.http import HTML, HttpReply, HttpRequest, RestartError
from gateway.simulators.camera.onvif.snapshot import SnapshotMaker

_SERVICES: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {
        service.NAMESPACE: service.OPERATIONS
        for service in (device_service, media_service, media2_service, ptz_service, search_service, replay_service)
    }
)
_OF_PROFILE_G = frozenset({search_service.NAMESPACE, replay_service.NAMESPACE})
_MISSING = MappingProxyType({"media2-only": media_service.NAMESPACE, "media1-only": media2_service.NAMESPACE})
_NOT_FOUND = HttpReply(404, HTML, b"<html><body>Not Found</body></html>")
_BAD_PEERS = MappingProxyType(
    {
        "not-onvif": HttpReply(200, HTML, b"<html><body><h1>Router login</h1></body></html>"),
        "empty-body": HttpReply(200, body=soap.envelope("")),
        "stack-trace": HttpReply(500, "text/plain", b"TypeError: undefined\n    at handler (server.js:12:3)\n"),
    }
)
_CONTROL = "/simulated/"
_CUT = "rtsp/cut"
_STATES = MappingProxyType({"active": True, "inactive": False})


@dataclass(frozen=True, slots=True)
class Inside:
    """The camera's parts behind its HTTP port."""

    device: SimulatedDevice
    door: Door
    snapshots: SnapshotMaker
    events: EventService
    happenings: Happenings


class Pages:
    """Answers HTTP requests for one simulated device.

    Attributes:
        most_at_once: the most SOAP requests that were answered at the same time.
    """

    def __init__(self, inside: Inside) -> None:
        self._device = inside.device
        self._door = inside.door
        self._snapshots = inside.snapshots
        self._events = inside.events
        self._happenings = inside.happenings
        self._at_once = 0
        self.most_at_once = 0

    async def answer(self, request: HttpRequest) -> HttpReply:
        """The reply to one request.

        Raises:
            ConnectionError: there is none, as a quirk; a RestartError ends all connections.
        """
        if request.path == SNAPSHOT_PATH and request.method == "GET":
            return await self._snapshot(request)
        if request.path.startswith("/onvif/") and request.method == "POST":
            return await self._counted(request)
        if request.path.startswith(_CONTROL) and request.method == "POST":
            return self._make_happen(request.path.removeprefix(_CONTROL))
        return _NOT_FOUND

    def _make_happen(self, what: str) -> HttpReply:
        """``input/1/active``, ``motion/inactive`` and so on, or ``rtsp/cut``: for testers."""
        if what == _CUT:
            self._happenings.cut()
            return HttpReply(200, "text/plain", b"done\n")
        name, _, state = what.rpartition("/")
        if name not in self._happenings.states or state not in _STATES:
            known = ", ".join(self._happenings.states)
            return HttpReply(404, "text/plain", f"Known are {known}, each with /active or /inactive\n".encode())
        self._happenings.set(name, active=_STATES[state])
        return HttpReply(200, "text/plain", b"done\n")

    async def _snapshot(self, request: HttpRequest) -> HttpReply:
        quirks = self._device.quirks
        refusal = self._door.snapshot_refusal(request)
        if refusal is not None:
            return refusal
        if "expiring-snapshot" in quirks and not self._device.tickets.redeem(request.query.removeprefix("ticket=")):
            return _NOT_FOUND
        if "empty-snapshot" in quirks:
            return HttpReply(200, "image/jpeg")
        if "html-snapshot" in quirks:
            return HttpReply(200, HTML, b"<html><body>Session expired</body></html>" + b" " * 200)
        if "wrong-snapshot" in quirks:
            return HttpReply(200, "image/jpeg", b"BM" + bytes(400))
        return HttpReply(200, "image/jpeg", await self._snapshots.jpeg())

    async def _counted(self, request: HttpRequest) -> HttpReply:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        limit = self._device.quirks.value("few-requests")
        try:
            if limit is not None and self._at_once > limit:
                raise RestartError
            return await self._soap(request)
        finally:
            self._at_once -= 1

    async def _soap(self, request: HttpRequest) -> HttpReply:
        quirks = self._device.quirks
        for quirk, reply in _BAD_PEERS.items():
            if quirk in quirks:
                return reply
        try:
            reply = await self._operation(request)
        except soap.SoapFault as fault:
            return HttpReply(fault.status, body=fault.encode(undeclared="undeclared-prefix" in quirks))
        if "broken-xml" in quirks:
            return HttpReply(reply.status, reply.content_type, soap.broken(reply.body), reply.headers)
        return reply

    async def _operation(self, request: HttpRequest) -> HttpReply:
        asked, quirks = soap.read(request.body), self._device.quirks
        is_public = asked.namespace == device_service.NAMESPACE and asked.name in device_service.PRE_AUTH
        if not is_public or (asked.name == "GetSystemDateAndTime" and "time-needs-login" in quirks):
            refusal = self._door.refusal(request, asked)
            if refusal is not None:
                return refusal
        counts = self._device.counts
        counts[asked.name] = counts.get(asked.name, 0) + 1
        if asked.namespace in EVENT_NAMESPACES:
            if "events-claimed" in quirks:
                return _NOT_FOUND
            return HttpReply(body=await self._events.answer(asked, request.path, request.host, request.port))
        if asked.namespace == media2_service.NAMESPACE and "media2-broken" in quirks:
            return _NOT_FOUND
        if asked.name == "GetStreamUri" and "empty-stream-uri" in quirks:
            return HttpReply(500)
        operation = _SERVICES.get(asked.namespace, {}).get(asked.name)
        if operation is None or self._is_missing(asked.namespace):
            raise soap.SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
        return HttpReply(body=soap.envelope(operation(Call(asked, self._device, request.host))))

    def _is_missing(self, namespace: str) -> bool:
        """Whether this camera does not have the service."""
        gone = any(name in self._device.quirks and namespace == each for name, each in _MISSING.items())
        return gone or (namespace in _OF_PROFILE_G and not self._device.archive.exists)
