"""HTTP connections that can be broken off from another thread, and that trust a certificate by its fingerprint."""

import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from gateway.settings import may_be_camera


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a connection may lead to.

    Attributes:
        fingerprint: SHA-256 in hex of the only certificate that is trusted; empty: what authorities vouch for.
        networks: where the peer must be (`gateway.settings.may_be_camera`); None: anywhere.
    """

    fingerprint: str = ""
    networks: tuple[str, ...] | None = None


class ForeignPeerError(OSError):
    """A name led to an address that no camera may have; nothing was sent."""


class Sockets:
    """The open sockets of one session.

    A socket counts until it is really closed: of an answer that ends with its connection, http.client closes that
    before the body is read.

    Attributes:
        certificate: what the peer of the newest one showed, in DER; empty without TLS.
    """

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._broken_off = False
        self.certificate = b""

    def add(self, opened: socket.socket | None) -> None:
        """Note a socket and forget those that are closed by now; after `break_off` it is ended at once."""
        with self._lock:
            self._open = {each for each in (*self._open, opened) if each is not None and each.fileno() >= 0}
            broken_off = self._broken_off
        if broken_off:
            self.break_off()

    def break_off(self) -> None:
        """End all; those that come later are ended, too."""
        with self._lock:
            self._broken_off = True
        self.end()

    def end(self) -> None:
        """End those that are open now, so that a thread which waits for one wakes."""
        with self._lock:
            waiting = list(self._open)
        for each in waiting:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class TrackedAdapter(HTTPAdapter):
    """Notes each connection's socket.

    Args:
        sockets: where they are noted.
        trust: whom it may lead to.
        fresh: a connection of its own for each request, for cameras that drop one after its first answer.
    """

    def __init__(self, sockets: Sockets, trust: Trust, *, fresh: bool = False) -> None:
        self._sockets = sockets
        self._trust = trust
        self._fresh = fresh
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:  # noqa: ANN401  # requests' signature
        """As requests does it, with our own kinds of connection."""
        if self._trust.fingerprint:
            pool["assert_fingerprint"] = self._trust.fingerprint
        super().init_poolmanager(connections, maxsize, block, **pool)
        plain, secure = _tracked_pools(self._sockets, self._trust)
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """As requests does it; a certificate that is known by its fingerprint needs no authority."""
        if self._fresh:
            self.poolmanager.clear()
        trusts = verify if not self._trust.fingerprint else False
        return super().send(request, stream, timeout, trusts, cert, proxies)


def must_be_camera(opened: socket.socket, networks: tuple[str, ...] | None) -> None:
    """Close a connection that leads outside `networks` before anything is sent over it; None: anywhere.

    Raises:
        ForeignPeerError: it does.
    """
    if networks is not None and not may_be_camera(str(opened.getpeername()[0]), networks):
        opened.close()
        raise ForeignPeerError("no address of a camera")


def _tracked_pools(sockets: Sockets, trust: Trust) -> tuple[type[HTTPConnectionPool], type[HTTPSConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            must_be_camera(opened, trust.networks)
            return opened

        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            must_be_camera(opened, trust.networks)  # here, because `connect` shakes hands over it
            return opened

        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)
            if isinstance(self.sock, ssl.SSLSocket):
                sockets.certificate = self.sock.getpeercert(binary_form=True) or b""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return PlainPool, SecurePool
