"""Asks a camera for its stream's description before FFmpeg does, because FFmpeg follows redirects to anywhere (SSRF).

FFmpeg opens its own connection afterwards. It is led to the address that was judged here, not to the name again; a
camera that answers the two connections differently can still make FFmpeg greet a machine, without a password.
"""

import hashlib
import re
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from gateway.settings import address_of, may_be_camera
from gateway.streams.loss import StreamFaultError
from gateway.streams.source import StreamSource
from gateway.streams.states import LossReason

_PORTS = {"rtsp": 554, "rtsps": 322}
_MAX_HEAD = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})")
_LOCATION = re.compile(rb"(?im)^location:\s*(\S+)")
_DIGEST = re.compile(rb"(?im)^www-authenticate:\s*digest\s+(.*?)\r?$")
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
_MOVED = range(300, 400)
_UNAUTHORIZED = 401


def checked(source: StreamSource, shown: Callable[[bytes], None] = lambda _certificate: None) -> StreamSource:
    """The source at the address that its name leads to, within the source's time for opening.

    `shown` gets the certificate of a camera with TLS, in DER.

    Raises:
        StreamFaultError: `ELSEWHERE`: the address is in none of the source's networks; `REDIRECTED`: the camera sends
            whoever asks to another machine; `TIMEOUT`: its answer did not come to an end.
        OSError: there is no connection.
    """
    parts = urlsplit(source.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    deadline = time.monotonic() + source.open_timeout_seconds
    with socket.create_connection((host, port), source.open_timeout_seconds) as plain:
        address = str(plain.getpeername()[0])
        if source.networks is not None and not may_be_camera(address, source.networks):
            raise StreamFaultError(LossReason.ELSEWHERE)
        plain.settimeout(_left(deadline))
        with _secured(plain, host) if parts.scheme == "rtsps" else plain as opened:
            if isinstance(opened, ssl.SSLSocket):
                shown(opened.getpeercert(binary_form=True) or b"")
            _refuse_redirects(opened, source, {host, address}, deadline)
    if source.networks is None or address_of(host) is not None:
        return source
    bare = f"[{address}]" if ":" in address else address
    return replace(source, url=urlunsplit(parts._replace(netloc=f"{bare}:{port}")))


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """As FFmpeg, which trusts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _left(deadline: float) -> float:
    """Seconds until the deadline (monotonic s).

    Raises:
        TimeoutError: it has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refuse_redirects(opened: socket.socket, source: StreamSource, own: set[str], deadline: float) -> None:
    head = _ask(opened, source.label, deadline)
    challenge = _DIGEST.search(head)
    if _status(head) == _UNAUTHORIZED and challenge is not None and source.username:
        head = _ask(opened, source.label, deadline, _answer(challenge[1].decode("latin-1"), source))
    location = _LOCATION.search(head)
    if _status(head) not in _MOVED or location is None:
        return
    try:
        there = urlsplit(location[1].decode("latin-1")).hostname
    except ValueError:
        there = None
    if there not in own:
        raise StreamFaultError(LossReason.REDIRECTED)


def _ask(opened: socket.socket, url: str, deadline: float, authorization: str = "") -> bytes:
    """The head of the answer to DESCRIBE; empty if there is none: that is FFmpeg's to tell.

    Raises:
        StreamFaultError: `TIMEOUT`: it began, and did not end by the deadline (monotonic s).
    """
    number = 2 if authorization else 1
    lines = [f"DESCRIBE {url} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp", "User-Agent: Campus-Gateway"]
    lines += [f"Authorization: {authorization}"] if authorization else []
    head = bytearray()
    try:
        opened.settimeout(_left(deadline))
        opened.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
            opened.settimeout(_left(deadline))
            piece = opened.recv(4096)
            if not piece:
                break
            head += piece
    except OSError as error:
        if head and isinstance(error, TimeoutError):
            raise StreamFaultError(LossReason.TIMEOUT) from None
        return b""
    return bytes(head)


def _status(head: bytes) -> int:
    match = _STATUS.match(head)
    return int(match[1]) if match else 0


def _answer(challenge: str, source: StreamSource) -> str:
    """The Digest answer to a challenge (RFC 2617 §3.2.2)."""
    said = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(challenge)}
    realm, nonce = said.get("realm", ""), said.get("nonce", "")
    secret = _md5(f"{source.username}:{realm}:{source.password}")
    request = _md5(f"DESCRIBE:{source.label}")
    fields = {"username": source.username, "realm": realm, "nonce": nonce, "uri": source.label}
    if "auth" in said.get("qop", ""):
        mine = secrets.token_hex(8)
        fields["response"] = _md5(f"{secret}:{nonce}:00000001:{mine}:auth:{request}")
        return _written(fields) + f', qop=auth, nc=00000001, cnonce="{mine}"'
    fields["response"] = _md5(f"{secret}:{nonce}:{request}")
    return _written(fields)


def _written(fields: dict[str, str]) -> str:
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
