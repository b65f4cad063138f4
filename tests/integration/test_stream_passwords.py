"""A wrong password reaches the camera once in an attempt: cameras count them, and lock users out."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import av.error
import pytest

from gateway.clock import SystemClock
from gateway.streams import Backoff, LossReason, StreamLost, StreamSource, VideoStream
from gateway.streams.loss import StreamFaultError, reason_of
from gateway.streams.preflight import checked
from gateway.streams.session import opened

USER, PASSWORD = "gate", "p@ss:w/rd#1"
_PLAIN = b'WWW-Authenticate: Digest realm="r", nonce="n"'
_PAGE = b"<html><body>\r\n\r\nRTSP/1.0 200 OK\r\n\r\n</body></html>"


@dataclass
class Guard:
    """An RTSP server that asks everybody for a password.

    Attributes:
        challenges: the headers of its refusals; the last one for ever.
        accepts: what a right answer has as its response to a challenge with realm bytes; None: nobody has it.
        passwords: how many came, by Digest or by Basic.
    """

    challenges: list[bytes]
    status: bytes = b"401 Unauthorized"
    body: bytes = b""
    realm: bytes | None = None
    passwords: int = 0
    described: int = 0
    connections: list[socket.socket] = field(default_factory=list)
    port: int = 0

    def answer(self, request: bytes) -> bytes:
        number = re.search(rb"(?i)cseq:\s*(\d+)", request)
        head = b"\r\nCSeq: " + (number[1] if number else b"0")
        if (said := re.search(rb"(?im)^authorization:\s*(.*?)\r?$", request)) is not None:
            self.passwords += 1
            if self.realm is not None and self._is_right(said[1], request):
                self.described += 1
                return b"RTSP/1.0 200 OK" + head + b"\r\nContent-Length: 0\r\n\r\n"
        told = self.challenges.pop(0) if len(self.challenges) > 1 else self.challenges[0]
        length = b"\r\nContent-Length: %d\r\n\r\n" % len(self.body)
        return b"RTSP/1.0 " + self.status + head + b"\r\n" + told + length + self.body

    def _is_right(self, said: bytes, request: bytes) -> bool:
        method, uri = request.split(b" ")[:2]
        secret = _md5(b":".join((USER.encode(), self.realm or b"", PASSWORD.encode())))
        asked = _md5(method + b":" + uri)
        return _md5(b"%b:n:%b" % (secret, asked)) in said


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


@contextmanager
def standing(guard: Guard) -> Iterator[Guard]:
    """The guard at a port of its own, each connection in a thread."""

    def serve(peer: socket.socket) -> None:
        left = b""
        with peer:
            while piece := _received(peer):
                left += piece
                while b"\r\n\r\n" in left:
                    request, _, left = left.partition(b"\r\n\r\n")
                    peer.sendall(guard.answer(request))

    def accept() -> None:
        while True:
            try:
                peer = listening.accept()[0]
            except OSError:
                return
            guard.connections.append(peer)
            threads.append(threading.Thread(target=serve, args=(peer,)))
            threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        guard.port = listening.getsockname()[1]
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield guard
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for each in guard.connections:
                _shut(each)
            for thread in (accepting, *threads):
                thread.join(5)


def _received(peer: socket.socket) -> bytes:
    try:
        return peer.recv(4096)
    except OSError:
        return b""


def _shut(peer: socket.socket) -> None:
    try:
        peer.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def source(guard: Guard) -> StreamSource:
    return StreamSource(
        url=f"rtsp://127.0.0.1:{guard.port}/main", username=USER, password=PASSWORD, open_timeout_seconds=3
    )


@pytest.mark.parametrize(
    ("challenge", "body"),
    [
        (_PLAIN, b""),
        (_PLAIN, _PAGE),
        (_PLAIN + b', qop="auth", algorithm=MD5', b""),
        (_PLAIN + b", algorithm=SHA-256\r\n" + _PLAIN, b""),
        (_PLAIN + b'\r\nWWW-Authenticate: Basic realm="r"', b""),
        (b'WWW-Authenticate: Basic realm="r"', b""),
    ],
    ids=["digest", "with a page", "qop", "sha-256 and md5", "digest and basic", "basic"],
)
def test_a_wrong_password_is_sent_once(challenge: bytes, body: bytes) -> None:
    with standing(Guard([challenge], body=body)) as guard:
        with pytest.raises((StreamFaultError, av.error.FFmpegError)) as refused, opened(source(guard)):
            pytest.fail("it was opened")
        assert reason_of(refused.value) is LossReason.UNAUTHORIZED
    assert guard.passwords == 1


def test_each_attempt_of_a_reader_costs_one_password_and_after_three_come_minutes() -> None:
    with standing(Guard([_PLAIN])) as guard:
        backoff = Backoff(lambda low, high: 0.01 if low == 0 else 60.0)
        with VideoStream(source(guard), clock=SystemClock(), backoff=backoff) as stream:
            for _ in range(100):
                stream.next(0.1)
                state = stream.state
                if isinstance(state, StreamLost) and state.retry_seconds == 60.0:
                    break
            assert isinstance(state, StreamLost)
            assert (state.reason, state.retry_seconds) == (LossReason.UNAUTHORIZED, 60.0)
            assert guard.passwords == stream.refused_passwords == state.attempts


def test_a_camera_that_forbids_the_right_password_is_told_apart() -> None:
    class Forbidding(Guard):
        def answer(self, request: bytes) -> bytes:
            self.status = b"403 Forbidden" if b"Authorization" in request else self.status
            return super().answer(request)

    with standing(Forbidding([_PLAIN])) as guard, pytest.raises(StreamFaultError) as refused:
        checked(source(guard))
    assert refused.value.reason is LossReason.FORBIDDEN
    assert guard.passwords == 1


@pytest.mark.parametrize(
    ("written", "realm"),
    [
        (b"r", b"r"),
        ("东门".encode("gbk"), "东门".encode("gbk")),
        (rb"a \"b\" c", b'a "b" c'),
        ("东门".encode(), "东门".encode()),
    ],
    ids=["plain", "gbk", "quoted", "utf-8"],
)
def test_the_right_password_passes_whatever_the_realm(written: bytes, realm: bytes) -> None:
    challenge = b'WWW-Authenticate: Digest realm="' + written + b'", nonce="n"'
    with standing(Guard([challenge], realm=realm)) as guard:
        checked(source(guard))
    assert (guard.passwords, guard.described) == (1, 1)


def test_a_nonce_that_was_too_old_is_no_refusal() -> None:
    old, stale = _PLAIN.replace(b'"n"', b'"o"'), _PLAIN + b", stale=true"
    with standing(Guard([old, stale], realm=b"r")) as guard:
        checked(source(guard))
    assert (guard.passwords, guard.described) == (2, 1)


def test_a_nonce_that_is_always_too_old_is_one_in_the_end() -> None:
    with standing(Guard([_PLAIN + b", stale=true"])) as guard, pytest.raises(StreamFaultError) as refused:
        checked(source(guard))
    assert refused.value.reason is LossReason.UNAUTHORIZED
    assert guard.passwords == 2
