"""Looks for cameras: a Probe from each interface, and one to each address of the site's networks."""

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.cameras.discovery.messages import Announcement, Said, probe, read_announcements
from gateway.settings import may_be_camera

GROUP, PORT = "239.255.255.250", 3702
_MOST_ADDRESSES = 4096
_AT_ONCE = 64
_PAUSE_SECONDS = 0.02
_MOST_FOUND = 1024
_SIOCGIFADDR = 0x8915  # Linux, netdevice(7)
_DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A device that answered.

    Attributes:
        endpoint: its endpoint reference.
        url: ``onvif://…`` at the address that it answered from.
        told: the addresses that it tells, which may be wrong.
        name, hardware: as its scopes say; empty if they do not.
    """

    endpoint: str
    url: str
    told: tuple[str, ...] = ()
    name: str = ""
    hardware: str = ""


@dataclass(slots=True)
class Search:
    """One search; call `run` once.

    Attributes:
        networks: where each address is asked; answers from elsewhere than `may_be_camera` allows are dropped.
        seconds: how long answers are waited for.
        interfaces: own addresses to send multicast from; None: all of the machine.
        port: of WS-Discovery.
    """

    networks: Sequence[str] = ()
    seconds: float = 4.0
    interfaces: Sequence[str] | None = None
    port: int = PORT
    _found: dict[str, FoundCamera] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    async def run(self) -> tuple[FoundCamera, ...]:
        """All cameras that answered, each once, in the order of their addresses."""
        sockets = [opened for each in self._own_addresses() if (opened := _opened(each)) is not None]
        direct = _opened("")
        waiting = [*sockets, *([direct] if direct is not None else [])]
        transports: list[asyncio.DatagramTransport] = []
        try:
            while waiting:
                transports.append(await self._listen(waiting[0]))
                del waiting[0]
            for transport in transports[: len(sockets)]:
                self._send(transport, (GROUP, self.port))
            if direct is not None:
                await self._ask_each(transports[-1])
            await asyncio.sleep(self.seconds)
        finally:
            for transport in transports:
                transport.close()
            for unheard in waiting:
                unheard.close()
        return tuple(sorted(self._found.values(), key=lambda each: each.url))

    async def _listen(self, opened: socket.socket) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Ears(self), sock=opened)
        return transport

    def heard(self, datagram: bytes, sender: str) -> None:
        """An answer came; what answers no question of ours, or comes from where no camera may be, is dropped."""
        if not may_be_camera(sender, self.networks) or len(self._found) >= _MOST_FOUND:
            return
        for said in read_announcements(datagram):
            if said.said is Said.MATCH and (not said.relates_to or said.relates_to in self._asked):
                self._found.setdefault(said.endpoint, found_at(said, sender))

    def _own_addresses(self) -> Sequence[str]:
        return interface_addresses() if self.interfaces is None else self.interfaces

    def _send(self, transport: asyncio.DatagramTransport, to: tuple[str, int]) -> None:
        identity, message = probe()
        self._asked.add(identity)
        with contextlib.suppress(OSError):  # a network that is not there now
            transport.sendto(message, to)

    async def _ask_each(self, transport: asyncio.DatagramTransport) -> None:
        for number, address in enumerate(addresses_in(self.networks), 1):
            self._send(transport, (address, self.port))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(_PAUSE_SECONDS)


class _Ears(asyncio.DatagramProtocol):
    def __init__(self, search: Search) -> None:
        self._search = search

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._search.heard(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        """A machine that is not there; the others are."""


def found_at(said: Announcement, sender: str) -> FoundCamera:
    """A camera at the address that it answered from, at the port that it tells."""
    port, secure = _port_of(said.addresses)
    plain = f"[{sender}]" if ":" in sender else sender
    url = f"onvif{'s' if secure else ''}://{plain}" + ("" if port == _DEFAULT_PORT else f":{port}")
    return FoundCamera(said.endpoint, url, said.addresses, said.scope("name"), said.scope("hardware"))


def _port_of(addresses: Iterable[str]) -> tuple[int, bool]:
    for each in addresses:
        try:
            parts = urlsplit(each)
            if parts.scheme in ("http", "https"):
                secure = parts.scheme == "https"
                return parts.port or (443 if secure else _DEFAULT_PORT), secure
        except ValueError:
            continue
    return _DEFAULT_PORT, False


def addresses_in(networks: Sequence[str]) -> Iterator[str]:
    """The hosts of all IPv4 networks, in turn, up to 4096 in all; one of version 6 is too large to ask."""
    left = _MOST_ADDRESSES
    for each in networks:
        network = ipaddress.ip_network(each)
        if isinstance(network, ipaddress.IPv4Network):
            for host in network.hosts():
                if left == 0:
                    return
                left -= 1
                yield str(host)


def interface_addresses() -> tuple[str, ...]:
    """The IPv4 address of each interface that has one, without loopback."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            address = _address_of(asking, name)
            if address and not address.startswith("127."):
                found.append(address)
    return tuple(found)


def _address_of(asking: socket.socket, interface: str) -> str:
    try:
        import fcntl  # noqa: PLC0415  # not on every system; without it there is no multicast search

        told = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
    except (ImportError, OSError):
        return ""
    return socket.inet_ntoa(told[20:24])


def _opened(address: str) -> socket.socket | None:
    """A socket at an ephemeral port, for 3702 may be somebody else's; not connected: answers come from others."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.bind((address, 0))
        if address:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    except OSError:
        opened.close()
        return None
    return opened
