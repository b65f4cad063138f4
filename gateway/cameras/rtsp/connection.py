"""Opens the TCP or TLS connection of an RTSP session, under the rules of every connection to a camera."""

import asyncio
import contextlib
import hashlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.cameras.states import CameraState, camera_error
from gateway.cameras.tracked import ForeignPeerError, Trust, must_be_camera

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
_BUFFER_BYTES = 64 * 1024
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self) -> None:
        """Close it, waiting for nobody long."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.writer.wait_closed()
        self.writer.transport.abort()


async def connect(url: str, trust: Trust, seconds: float, where: str) -> Connection:
    """Connect to the host of an ``rtsp`` or ``rtsps`` address; nothing is sent to whom `trust` does not allow.

    Raises:
        CameraError: with the camera's state.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _connected(url, trust)
    except ForeignPeerError:
        state, what = CameraState.ELSEWHERE, "the address of its stream is in no network of cameras"
    except ConnectionRefusedError:
        state, what = CameraState.REFUSED, "RTSP: connection refused"
    except ssl.SSLCertVerificationError:
        state, what = CameraState.CERTIFICATE_UNKNOWN, "nobody vouches for the certificate of its stream"
    except _OtherCertificateError as error:
        what = f"the certificate of its stream is not the one of the settings; its SHA-256 fingerprint is {error}"
        state = CameraState.CERTIFICATE_UNKNOWN
    except TimeoutError:
        state, what = CameraState.UNREACHABLE, "RTSP: no connection in time"
    except (OSError, ValueError) as error:
        state, what = CameraState.UNREACHABLE, f"RTSP: no connection ({type(error).__name__})"
    raise camera_error(state, what, where=where)


class _OtherCertificateError(Exception):
    """The peer shows a certificate that is not the pinned one; the text is its fingerprint."""


async def _connected(url: str, trust: Trust) -> Connection:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "rtsps"
    opened = await _socket_to(host, parts.port or _DEFAULT_PORTS[parts.scheme], trust.networks)
    context = _context(trust.fingerprint) if secure else None
    try:
        name = host if secure else None
        reader, writer = await asyncio.open_connection(
            sock=opened, ssl=context, server_hostname=name, limit=_BUFFER_BYTES
        )
    except BaseException:
        opened.close()
        raise
    connection = Connection(reader, writer)
    if secure and trust.fingerprint and (found := _fingerprint(writer)) != _plain(trust.fingerprint):
        writer.transport.abort()
        raise _OtherCertificateError(found)
    return connection


async def _socket_to(host: str, port: int, networks: tuple[str, ...] | None) -> socket.socket:
    """A connected socket to the first address of `host` that takes one.

    Raises:
        OSError: none does; a ForeignPeerError if the address is none that a camera may have.
    """
    loop = asyncio.get_running_loop()
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, address)
            must_be_camera(opened, networks)
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure


def _context(fingerprint: str) -> ssl.SSLContext:
    """Who is pinned by its fingerprint needs no authority."""
    context = ssl.create_default_context()
    if fingerprint:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _plain(fingerprint: str) -> str:
    return fingerprint.lower().replace(":", "")


def _fingerprint(writer: asyncio.StreamWriter) -> str:
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hashlib.sha256(shown or b"").hexdigest()
