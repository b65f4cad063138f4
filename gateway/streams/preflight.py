"""Asks a camera for its stream's description before FFmpeg does, because FFmpeg follows redirects to anywhere (SSRF).

FFmpeg opens its own connection afterwards. It is led to the address that was judged here, not to the name again; a
camera that answers the two connections differently can still make FFmpeg greet a machine, without a password.
A password that is refused here ends the attempt.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from gateway.settings import address_of, may_be_camera
from gateway.streams.digest import challenge_in
from gateway.streams.loss import StreamFaultError
from gateway.streams.source import StreamSource
from gateway.streams.states import LossReason

_PORTS = {"rtsp": 554, "rtsps": 322}
_MAX_HEAD = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})")
_LOCATION = re.compile(rb"(?im)^location:\s*(\S+)")
_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d{1,9})")
_END = b"\r\n\r\n"
_MOVED = range(300, 400)
_UNAUTHORIZED = 401
_PASSWORDS = (2, 3)  # CSeq of requests with one: a second time if only the nonce was too old
_REFUSALS = {_UNAUTHORIZED: LossReason.UNAUTHORIZED, 403: LossReason.FORBIDDEN}


def checked(source: StreamSource, shown: Callable[[bytes], None] = lambda _certificate: None) -> StreamSource:
    """The source at the address that its name leads to, within the source's time for opening.

    `shown` gets the certificate of a camera with TLS, in DER.

    Raises:
        StreamFaultError: `ELSEWHERE`: the address is in none of the source's networks; `REDIRECTED`: the camera sends
            whoever asks to another machine; `UNAUTHORIZED`, `FORBIDDEN`: it refuses the password; `TIMEOUT`: its answer
            did not come to an end.
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
            _judge(opened, source, {host, address}, deadline)
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


def _judge(opened: socket.socket, source: StreamSource, own: set[str], deadline: float) -> None:
    """Raise for what FFmpeg must not be let into: a redirect to elsewhere, or a password that was refused just now."""
    head = _with_password(opened, source, deadline)
    location = _LOCATION.search(head)
    if _status(head) not in _MOVED or location is None:
        return
    try:
        there = urlsplit(location[1].decode("latin-1")).hostname
    except ValueError:
        there = None
    if there not in own:
        raise StreamFaultError(LossReason.REDIRECTED)


def _with_password(opened: socket.socket, source: StreamSource, deadline: float) -> bytes:
    """The head of the answer to DESCRIBE, with the password if the camera asks for it.

    A camera counts wrong passwords, and locks the user out: one that it has refused is not sent by FFmpeg once more.
    """
    head = _ask(opened, source.label, deadline)
    for number in _PASSWORDS:
        challenge = challenge_in(head)
        if _status(head) != _UNAUTHORIZED or challenge is None or not source.username:
            return head
        answer = challenge.answer("DESCRIBE", source.label, source.username, source.password)
        head = _ask(opened, source.label, deadline, answer, number=number)
        refused, again = _REFUSALS.get(_status(head)), challenge_in(head)
        was_right = again is not None and again.is_stale and number != _PASSWORDS[-1]
        if refused is not None and not was_right:
            raise StreamFaultError(refused)
    return head


def _ask(opened: socket.socket, url: str, deadline: float, authorization: bytes = b"", *, number: int = 1) -> bytes:
    """The head of the answer to DESCRIBE; empty if there is none: that is FFmpeg's to tell.

    Raises:
        StreamFaultError: `TIMEOUT`: it began, and did not end by the deadline (monotonic s).
    """
    lines = [f"DESCRIBE {url} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp", "User-Agent: Campus-Gateway"]
    asked = [line.encode() for line in lines] + ([b"Authorization: " + authorization] if authorization else [])
    told = bytearray()
    try:
        opened.settimeout(_left(deadline))
        opened.sendall(b"\r\n".join([*asked, b"", b""]))
        _receive(opened, told, lambda: _END in told, deadline)
        head = bytes(told.partition(_END)[0]) + _END if _END in told else bytes(told)
        # A page that comes with a refusal is no part of the next answer.
        length = _LENGTH.search(head) if _status(head) == _UNAUTHORIZED else None
        whole = len(head) + (int(length[1]) if length else 0)
        _receive(opened, told, lambda: len(told) >= whole, deadline)
    except OSError as error:
        if told and isinstance(error, TimeoutError):
            raise StreamFaultError(LossReason.TIMEOUT) from None
        return b""
    return head


def _receive(opened: socket.socket, told: bytearray, done: Callable[[], bool], deadline: float) -> None:
    while not done() and len(told) < _MAX_HEAD:
        opened.settimeout(_left(deadline))
        piece = opened.recv(4096)
        if not piece:
            return
        told += piece


def _status(head: bytes) -> int:
    match = _STATUS.match(head)
    return int(match[1]) if match else 0
