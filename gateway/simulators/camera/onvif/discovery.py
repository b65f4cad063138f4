"""The camera's side of WS-Discovery (April 2005, ONVIF Core §7): answers probes, says Hello and Bye."""

import asyncio
import uuid
from html import escape

from gateway.simulators.camera.onvif import soap
from gateway.simulators.camera.onvif.device import DEVICE_PATH, SimulatedDevice

_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ANYBODY = f"{_ADDRESSING}/role/anonymous"


class DiscoveryResponder(asyncio.DatagramProtocol):
    """Answers each Probe, from a port of its own as many cameras do.

    Args:
        device: the camera's facts.
        host: the address that it tells.
    """

    def __init__(self, device: SimulatedDevice, host: str) -> None:
        self._device = device
        self._host = host
        self._transport: asyncio.DatagramTransport | None = None
        self._answers: asyncio.DatagramTransport | None = None

    async def open(self, port: int) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self._host, port))
        self._answers, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, (self._host, 0))
        bound: int = self._transport.get_extra_info("sockname")[1]
        return bound

    def close(self) -> None:
        """Listen no more."""
        for transport in (self._transport, self._answers):
            if transport is not None:
                transport.close()

    def announce(self, what: str, to: tuple[str, int]) -> None:
        """Send ``Hello`` or ``Bye``."""
        if self._answers is not None:
            self._answers.sendto(self._message(what, "", f"<d:{what}>{self._target()}</d:{what}>"), to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram; what is no Probe is not answered."""
        try:
            asked = soap.read(data)
        except soap.SoapFault:
            return
        if asked.name == "Probe" and self._answers is not None:
            identity = "" if asked.header is None else asked.header.findtext("{*}MessageID") or ""
            body = f"<d:ProbeMatches><d:ProbeMatch>{self._target()}</d:ProbeMatch></d:ProbeMatches>"
            self._answers.sendto(self._message("ProbeMatches", identity, body), addr)

    def _target(self) -> str:
        """Scopes come with newlines and indentation, as many cameras write them."""
        device = self._device
        scopes = "\n      ".join(
            f"onvif://www.onvif.org/{each}"
            for each in (
                "type/video_encoder",
                "Profile/Streaming",
                f"name/{device.model.replace(' ', '%20')}",
                f"hardware/{device.hardware}",
            )
        )
        return (
            f"<w:EndpointReference><w:Address>{device.endpoint}</w:Address></w:EndpointReference>"
            "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
            f"<d:Scopes>\n      {scopes}\n    </d:Scopes>"
            f"<d:XAddrs>{escape(device.http_address(self._host, DEVICE_PATH))}</d:XAddrs>"
            "<d:MetadataVersion>0</d:MetadataVersion>"
        )

    def _message(self, action: str, relates_to: str, body: str) -> bytes:
        related = f"<w:RelatesTo>{escape(relates_to)}</w:RelatesTo>" if relates_to else ""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{soap.ENVELOPE}" xmlns:w="{_ADDRESSING}" '
            f'xmlns:d="{_DISCOVERY}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
            f"<w:MessageID>urn:uuid:{uuid.uuid4()}</w:MessageID>{related}<w:To>{_ANYBODY}</w:To>"
            f"<w:Action>{_DISCOVERY}/{action}</w:Action></e:Header><e:Body>{body}</e:Body></e:Envelope>"
        ).encode()
