"""Listens to Hello and Bye (ONVIF Core §7.3): cameras that come, go, or come back at another address."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Sequence

from gateway.cameras.discovery.messages import Announcement, Said, read_announcements
from gateway.cameras.discovery.search import GROUP, PORT
from gateway.settings import may_be_camera

_LOG = logging.getLogger(__name__)
Heard = Callable[[Announcement, str], None]
"""An announcement, and the address that it came from."""


class AnnouncementListener(asyncio.DatagramProtocol):
    """Hears what devices announce to the group; without the port, or without a network, it hears nothing.

    Args:
        heard: called for each Hello and Bye.
        networks: only from there (`may_be_camera`).
        host: the address to listen on; all by default.
        port: of WS-Discovery.
    """

    def __init__(self, heard: Heard, networks: Sequence[str], host: str = "", port: int = PORT) -> None:
        self._heard = heard
        self._networks = networks
        self._host = host
        self._port = port
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Listen; that the port cannot be had is said once in the log."""
        try:
            bound = self._bound()
        except OSError as error:
            _LOG.info("announcements of cameras are not heard: port %d: %s", self._port, error)
            return
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=bound)

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()

    def _bound(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((self._host, self._port))
            self._port = opened.getsockname()[1]
            if not self._host:
                group = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("0.0.0.0"))  # noqa: S104  # any interface
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        except OSError:
            opened.close()
            raise
        return opened

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram."""
        if may_be_camera(addr[0], self._networks):
            for said in read_announcements(data):
                if said.said in (Said.HELLO, Said.BYE):
                    self._heard(said, addr[0])

    def error_received(self, exc: Exception) -> None:
        """Nothing: whoever sent it is gone."""
