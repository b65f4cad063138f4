"""The one file that knows onvif-zeep: its camera made good by subclassing, its errors unwrapped.

Importing it takes about half a second and is done by `OnvifLibrary` only, when the first camera is asked.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from gateway.cameras.addresses import OnvifAddress
from gateway.cameras.caller import SoapCaller
from gateway.cameras.containment import absent, undone_side_effects
from gateway.cameras.http import Reply
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error

# zeep takes httpx for its asynchronous transport, which is not used, and httpx its command line with Rich: 2 MB.
with undone_side_effects(), absent("httpx"):
    import onvif
    from onvif.definition import SERVICES
    from zeep import Client, Settings
    from zeep.wsdl import Document

_MEDIA, _DEVICE = "media", "devicemgmt"
_SERVICES = (_DEVICE, _MEDIA)
# Is in no folder: `_FilesOnly` makes it.
_ALL_SERVICES = "all-services.wsdl"
_ANSWER_HEADERS = {"Content-Type": "application/soap+xml; charset=utf-8"}


class _Services(Document):
    """A document that shows the bindings of all that it imports; zeep shows only its own."""

    def load(self, location: str) -> None:
        """Read the document and all that it imports."""
        load: Callable[[str], None] = super().load
        load(location)
        self.bindings = {name: each for part in self._definitions.values() for name, each in part.bindings.items()}


class WsdlShelf:
    """One parsed document of all services that the library is asked for, shared by all cameras.

    Both import ONVIF's schema; parsed in one document they share its types, which are most of it: 5 MB instead of 10.
    """

    def __init__(self) -> None:
        self._folder = Path(onvif.__file__).parent.parent / "wsdl"
        self._document: Any = None
        self._lock = Lock()

    @property
    def folder(self) -> str:
        """Where onvif-zeep's installation puts its WSDL files."""
        return str(self._folder)

    def document(self) -> Any:  # noqa: ANN401 as zeep has no types
        """The zeep document, which has the bindings of every service in `_SERVICES`; read at the first call."""
        with self._lock:
            if self._document is None:
                files: Any = _FilesOnly()  # zeep's annotation asks for a class where an object is used
                self._document = _Services(str(self._folder / _ALL_SERVICES), files, settings=_settings())
            return self._document


class LibraryCamera(onvif.ONVIFCamera):  # type: ignore[misc]  # onvif-zeep has no types
    """onvif-zeep's camera without its network I/O on construction, its unended subscription and its own transport.

    Args:
        address: as the installer typed it.
        caller: sends the envelopes, with timeouts, HTTP Digest and the Zulu token.
        shelf: the shared WSDL documents.
        addresses: URL by service namespace, already moved to a host that answers.
    """

    def __init__(
        self, address: OnvifAddress, caller: SoapCaller, shelf: WsdlShelf, addresses: Mapping[str, str]
    ) -> None:
        self._address = address
        self._caller = caller
        self._shelf = shelf
        self._known = dict(addresses)
        with undone_side_effects():
            super().__init__(address.host, address.port, None, None, wsdl_dir=shelf.folder)

    def update_xaddrs(self) -> None:
        """Take the addresses given; onvif-zeep would ask the camera and leave a subscription behind."""
        self.dt_diff = None
        self.xaddrs = self._known
        self.devicemgmt = self.create_devicemgmt_service()

    def get_definition(self, name: str, portType: str | None = None) -> tuple[str, str, str]:  # noqa: N803 its name
        """As onvif-zeep, but the device service is where the installer said."""
        xaddr, wsdl, binding = super().get_definition(name, portType)
        return (self._address.device_service if name == _DEVICE else xaddr), wsdl, binding

    def create_onvif_service(
        self,
        name: str,
        from_template: bool = True,
        portType: str | None = None,  # noqa: N803 its names
    ) -> Any:  # noqa: ANN401 as onvif-zeep has no types
        """As onvif-zeep, over the shared document and our transport."""
        xaddr, wsdl, binding = self.get_definition(name.lower(), portType)
        make_client: Any = Client  # its constructor has no annotations
        client = make_client(self._shelf.document(), transport=_Transport(self._caller), settings=_settings())
        service = onvif.ONVIFService(xaddr, None, None, wsdl, zeep_client=client, binding_name=binding)
        self.services[name.lower()] = service
        return service

    def information(self) -> dict[str, Any]:
        """GetDeviceInformation as a dict of the schema's names."""
        return _dict(self._asked(self.devicemgmt.GetDeviceInformation))

    def capabilities(self) -> dict[str, Any]:
        """GetCapabilities as a dict by category."""
        return _dict(self._asked(lambda: self.devicemgmt.GetCapabilities({"Category": "All"})))

    def profiles(self) -> list[dict[str, Any]]:
        """GetProfiles of the media service."""
        said = self._asked(self._media.GetProfiles) or []
        return [_dict(profile) for profile in said] if isinstance(said, list) else []

    def stream_uri(self, token: str) -> str:
        """GetStreamUri for RTP over RTSP; the address as the camera says it, perhaps empty."""
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        asked = {"StreamSetup": setup, "ProfileToken": token}
        return _uri(self._asked(lambda: self._media.GetStreamUri(asked)))

    def snapshot_uri(self, token: str) -> str:
        """GetSnapshotUri; the address as the camera says it, perhaps empty."""
        return _uri(self._asked(lambda: self._media.GetSnapshotUri({"ProfileToken": token})))

    @property
    def _media(self) -> Any:  # noqa: ANN401 as onvif-zeep has no types
        return self.services.get(_MEDIA) or self.create_media_service()

    def _asked(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 as onvif-zeep has no types
        """What `call` returns; onvif-zeep's one exception is unwrapped to what it wraps.

        Raises:
            CameraError, FaultError: as the transport raised them; `NOT_ONVIF` for an answer off the schema.
        """
        try:
            return call()
        except onvif.ONVIFError as error:
            wrapped = error.args[0] if error.args else None
            if isinstance(wrapped, CameraError | FaultError):
                raise wrapped from None
            what = f"the camera's answer does not follow the ONVIF schema ({type(wrapped).__name__})"
            raise camera_error(CameraState.NOT_ONVIF, what, where=str(self._address)) from None


def media_namespace() -> str:
    """The namespace of the media service that onvif-zeep speaks."""
    namespace: str = SERVICES[_MEDIA]["ns"]
    return namespace


class _Transport:
    """What zeep calls in place of its own transport: adds the token, sends, hands back a repaired envelope."""

    def __init__(self, caller: SoapCaller) -> None:
        self._caller = caller

    def post_xml(self, address: str, envelope: etree._Element, _headers: Mapping[str, str]) -> Reply:
        """Send zeep's envelope; faults and everything that is no SOAP are raised and never reach zeep."""
        root = self._caller.send(address, lambda security: _with_security(envelope, security))
        return Reply(200, _ANSWER_HEADERS, etree.tostring(root, encoding="UTF-8"))


def _with_security(envelope: etree._Element, security: str) -> bytes:
    """A copy of the envelope with the Security block in its header."""
    envelope = deepcopy(envelope)
    if security:
        header = envelope.find("{*}Header")
        if header is None:
            header = etree.Element(f"{{{etree.QName(envelope).namespace}}}Header")
            envelope.insert(0, header)
        header.append(etree.fromstring(security, etree.XMLParser(resolve_entities=False)))
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _all_services() -> bytes:
    """A WSDL document that imports those of `_SERVICES` (WSDL 1.1, §2.1.1)."""
    imports = "".join(
        f'<import namespace="{SERVICES[name]["ns"]}" location="{SERVICES[name]["wsdl"]}"/>' for name in _SERVICES
    )
    wsdl = "http://schemas.xmlsoap.org/wsdl/"
    return f'<definitions xmlns="{wsdl}" targetNamespace="{_DEVICE}">{imports}</definitions>'.encode()


class _FilesOnly:
    """Loads WSDL and schema files from the disk and nothing from a network."""

    def load(self, url: str) -> bytes:
        """The content of a local file.

        Raises:
            OSError: it is not there, or not local.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"", "file"}:
            raise OSError(f"not a local file: {url}")
        path = Path(parts.path or url)
        return _all_services() if path.name == _ALL_SERVICES else path.read_bytes()


def _settings() -> Any:  # noqa: ANN401 as zeep has no types
    return Settings(strict=False, xml_huge_tree=True)


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 as zeep has no types
    plain = onvif.ONVIFService.to_dict(value)
    return dict(plain) if isinstance(plain, Mapping) else {}


def _uri(answer: Any) -> str:  # noqa: ANN401 as zeep has no types
    uri = getattr(answer, "Uri", None)
    return uri.strip() if isinstance(uri, str) else ""
