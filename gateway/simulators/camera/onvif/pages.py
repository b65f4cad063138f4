"""What the camera's HTTP port answers: SOAP operations by namespace, and the snapshot."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.onvif import device_service, media_service, soap
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import SNAPSHOT_PATH, SimulatedDevice
from gateway.simulators.camera.onvif.http import HttpReply, HttpRequest
from gateway.simulators.camera.onvif.security import TokenGuard
from gateway.simulators.camera.onvif.snapshot import SnapshotMaker

_SERVICES: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {service.NAMESPACE: service.OPERATIONS for service in (device_service, media_service)}
)
_HTML = "text/html"
_BAD_PEERS = MappingProxyType(
    {
        "not-onvif": HttpReply(200, _HTML, b"<html><body><h1>Router login</h1></body></html>"),
        "empty-body": HttpReply(200, body=soap.envelope("")),
        "stack-trace": HttpReply(500, "text/plain", b"TypeError: undefined\n    at handler (server.js:12:3)\n"),
    }
)


class Pages:
    """Answers HTTP requests for one simulated device."""

    def __init__(
        self, device: SimulatedDevice, tokens: TokenGuard, realm: DigestRealm, snapshots: SnapshotMaker
    ) -> None:
        self._device = device
        self._tokens = tokens
        self._realm = realm
        self._snapshots = snapshots

    async def answer(self, request: HttpRequest) -> HttpReply:
        """The reply to one request."""
        if request.path == SNAPSHOT_PATH and request.method == "GET":
            return await self._snapshot(request)
        if request.path.startswith("/onvif/") and request.method == "POST":
            return self._soap(request)
        return HttpReply(404, _HTML, b"<html><body>Not Found</body></html>")

    async def _snapshot(self, request: HttpRequest) -> HttpReply:
        quirks = self._device.quirks
        if "basic-snapshot" in quirks:
            if not self._realm.accepts_basic(request.headers.get("authorization", "")):
                return self._unauthorized(self._realm.basic_challenge())
        elif not self._may_enter(request):
            return self._unauthorized(self._realm.challenge())
        if "empty-snapshot" in quirks:
            return HttpReply(200, "image/jpeg")
        if "html-snapshot" in quirks:
            return HttpReply(200, _HTML, b"<html><body>Session expired</body></html>")
        return HttpReply(200, "image/jpeg", await self._snapshots.jpeg())

    def _soap(self, request: HttpRequest) -> HttpReply:
        for quirk, reply in _BAD_PEERS.items():
            if quirk in self._device.quirks:
                return reply
        try:
            return self._operation(request)
        except soap.SoapFault as fault:
            undeclared = "undeclared-prefix" in self._device.quirks
            return HttpReply(fault.status, body=fault.encode(undeclared=undeclared))

    def _operation(self, request: HttpRequest) -> HttpReply:
        asked = soap.read(request.body)
        operation = _SERVICES.get(asked.namespace, {}).get(asked.name)
        is_public = asked.namespace == device_service.NAMESPACE and asked.name in device_service.PRE_AUTH
        if not is_public and not self._may_enter(request):
            if "http-digest" in self._device.quirks:
                return self._unauthorized(self._realm.challenge())
            self._tokens.check(asked, self._device.now())
        if operation is None:
            raise soap.SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
        if asked.name == "GetStreamUri" and "empty-stream-uri" in self._device.quirks:
            return HttpReply(500)
        return HttpReply(body=soap.envelope(operation(Call(asked, self._device, request.host))))

    def _may_enter(self, request: HttpRequest) -> bool:
        return self._realm.accepts(request.method, request.headers.get("authorization", ""))

    def _unauthorized(self, challenge: str) -> HttpReply:
        page = b"<html><body>401 Unauthorized</body></html>"
        return HttpReply(401, _HTML, page, {"WWW-Authenticate": challenge})
