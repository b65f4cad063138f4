"""One operation being called: the request, the device and the address it was reached at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.simulators.camera.onvif.device import SimulatedDevice
from gateway.simulators.camera.onvif.soap import SoapRequest


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation needs to answer; `host` is the local address that the client came to."""

    request: SoapRequest
    device: SimulatedDevice
    host: str

    def http_address(self, path: str) -> str:
        """The advertised HTTP address of `path`."""
        return self.device.http_address(self.host, path)


Operation: TypeAlias = Callable[[Call], str]
"""Makes the XML of the reply's body, or raises SoapFault."""
