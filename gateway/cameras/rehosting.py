"""Moves the addresses that a camera tells to the host that the installer typed, and to a port that answers."""

import contextlib
import socket
from urllib.parse import urlsplit

from gateway.cameras.addresses import OnvifAddress, port_of, rehost
from gateway.cameras.tracked import must_be_camera
from gateway.errors import PermanentError

_TRIAL_SECONDS = 1.5
# Real cameras have two or three. Whoever tells thousands would hold its lane for hours, and have us scan its host.
_MOST_TRIALS = 8
_DEFAULT_PORTS = {"http": 80, "https": 443}
_QUESTION = b"GET / HTTP/1.0\r\n\r\n"


class Rehoster:
    """One camera's addresses; what was found out of a port is kept until `forget`, of the first eight that it tells.

    Args:
        address: as the installer typed it.
        networks: where ports may be tried (`gateway.settings.may_be_camera`); None: anywhere.
    """

    def __init__(self, address: OnvifAddress, networks: tuple[str, ...] | None = None) -> None:
        self._address = address
        self._networks = networks
        self._answers: dict[int, bool] = {}

    def forget(self) -> None:
        """Try every port anew."""
        self._answers.clear()

    def service(self, url: str) -> str:
        """An HTTP address at the host that was typed: at its own port if something answers there, else the typed one.

        What is no address becomes the device service's.
        """
        try:
            port = port_of(url) or _DEFAULT_PORTS.get(urlsplit(url).scheme, self._address.port)
            if port != self._address.port and not self._is_answered(port):
                port = self._address.port
            moved = rehost(url, self._address.host, port)
        except (PermanentError, ValueError):
            return self._address.device_service
        return f"{self._address.scheme}{moved[moved.index('://') :]}"

    def stream(self, url: str) -> str:
        """An RTSP address at the host that was typed; port and path stay, credentials go.

        Raises:
            PermanentError: it is no address.
        """
        return rehost(url, self._address.host)

    def _is_answered(self, port: int) -> bool:
        if port not in self._answers:
            self._answers[port] = len(self._answers) < _MOST_TRIALS and self._try(port)
        return self._answers[port]

    def _try(self, port: int) -> bool:
        """Whether a connection is taken and answered, be it with its end; one that is silent is no service."""
        try:
            with socket.create_connection((self._address.host, port), timeout=_TRIAL_SECONDS) as opened:
                must_be_camera(opened, self._networks)
                if not self._address.secure:
                    opened.sendall(_QUESTION)
                    with contextlib.suppress(ConnectionError):
                        opened.recv(1)
        except (OSError, OverflowError):
            return False
        return True
