"""What installers really point the gateway at: closed ports, other servers, machines that misbehave."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.cameras import CameraError, CameraState, Login, OnvifCamera, OnvifLibrary, Timeouts
from gateway.cameras.http import CameraHttp

QUICK = Timeouts(connect=1.0, read=1.0, whole=5.0)


async def _whole_request(reader: asyncio.StreamReader) -> bytes:
    """Head and body: a socket closed over unread bytes resets, and takes the answer along."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length:\s*(\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def _peer(answer: bytes | None, *, drips: bool = False, at_once: int = 0) -> AsyncIterator[int]:
    """A server that answers every request with these bytes and closes; None closes at once.

    One that drips sends the first `at_once` bytes together.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if answer is not None:
                await _whole_request(reader)
                writer.write(answer[:at_once])
                for at in range(at_once, len(answer), 1) if drips else (0,):
                    if done.is_set():
                        break
                    writer.write(answer[at : at + 1] if drips else answer)
                    await writer.drain()
                    await asyncio.sleep(0.2 if drips else 0)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    done = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        done.set()
        server.close()


async def _error(port: int, timeouts: Timeouts = QUICK) -> CameraError:
    client = OnvifCamera(f"onvif://127.0.0.1:{port}", Login("gate", "hunter2"), timeouts=timeouts)
    try:
        with pytest.raises(CameraError) as caught:
            await client.probe()
    finally:
        await client.close()
    assert "hunter2" not in str(caught.value)
    assert f"127.0.0.1:{port}" in caught.value.where
    return caught.value


def _http(status: str, body: bytes, content_type: str = "text/html", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n{more}\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (_http("200 OK", b"<html><body>Welcome to nginx</body></html>"), CameraState.NOT_ONVIF),
        (_http("404 Not Found", b"<html>404</html>"), CameraState.NOT_ONVIF),
        (_http("500 Internal Server Error", b"TypeError: x\n at y (z.js:1:2)", "text/plain"), CameraState.NOT_ONVIF),
        (_http("200 OK", b""), CameraState.NOT_ONVIF),
        (_http("500 Internal Server Error", b""), CameraState.NOT_ONVIF),
        (_http("302 Found", b"", more="Location: http://192.0.2.1/login\r\n"), CameraState.NOT_ONVIF),
        (_http("200 OK", b'{"jsonrpc": "2.0"}', "application/json"), CameraState.NOT_ONVIF),
        (
            _http("401 Unauthorized", b"", more='WWW-Authenticate: Digest realm="x", nonce="y"\r\n'),
            CameraState.CREDENTIALS_WRONG,
        ),
        (_http("401 Unauthorized", b"", more='WWW-Authenticate: Basic realm="x"\r\n'), CameraState.CREDENTIALS_WRONG),
        (_http("401 Unauthorized", b"", more="WWW-Authenticate: Digest\r\n"), CameraState.NOT_ONVIF),
        (_http("403 Forbidden", b"<html>403</html>"), CameraState.CREDENTIALS_WRONG),
        (b"RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n", CameraState.NOT_ONVIF),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", CameraState.NOT_ONVIF),
        (b"\x15\x03\x01\x00\x02\x02F", CameraState.NOT_ONVIF),
        (_http("200 OK", b"<a>")[:-2], CameraState.UNREACHABLE),
        (b"", CameraState.UNREACHABLE),
        (None, CameraState.UNREACHABLE),
    ],
)
async def test_a_peer_that_is_no_camera_has_its_state(answer: bytes | None, state: CameraState) -> None:
    async with _peer(answer) as port:
        assert (await _error(port)).state is state


async def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert (await _error(port)).state is CameraState.REFUSED


async def test_a_full_backlog_is_unreachable() -> None:
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        await asyncio.sleep(0.05)

        error = await _error(listening.getsockname()[1], Timeouts(connect=0.4, read=0.4, whole=5.0))

    assert error.state is CameraState.UNREACHABLE


async def test_an_answer_that_drips_is_cut_off_at_the_deadline() -> None:
    async with _peer(_http("200 OK", b"<html>" * 100), drips=True) as port:
        error = await _error(port, Timeouts(connect=1.0, read=1.0, whole=1.0))

    assert error.state is CameraState.UNREACHABLE
    assert "longer than 1 s" in error.what


@pytest.mark.parametrize("at_once", [0, 110], ids=["head", "body"])
async def test_a_camera_that_dripped_is_asked_again_at_once(at_once: int) -> None:
    """Its thread would otherwise hold the lane for the hours that the answer takes."""
    async with _peer(_http("200 OK", b"<html>" * 10_000), drips=True, at_once=at_once) as port:
        client = OnvifCamera(f"onvif://127.0.0.1:{port}", timeouts=Timeouts(connect=1.0, read=1.0, whole=1.0))
        try:
            for _ in range(3):
                with pytest.raises(CameraError):
                    await client.probe()
            async with asyncio.timeout(5):
                await client._lane._free.acquire()
        finally:
            await client.close()


async def test_cookies_are_not_kept() -> None:
    """A camera that sets new ones with each answer would make each request larger than the one before."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await _whole_request(reader))
        writer.write(_http("500 Internal Server Error", b"", more="Set-Cookie: a=b\r\n"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = OnvifCamera(f"onvif://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeouts=QUICK)
    for _ in range(2):
        with pytest.raises(CameraError):
            await client.probe()
    await client.close()
    server.close()
    assert len(heads) > 1
    assert not any(b"cookie" in head.lower() for head in heads)


async def test_an_endless_answer_is_cut_off() -> None:
    endless = _http("200 OK", b"x" * (17 * 1024 * 1024))
    async with _peer(endless) as port:
        error = await _error(port, Timeouts(connect=2.0, read=5.0, whole=20.0))

    assert error.state is CameraState.NOT_ONVIF
    assert "larger than" in error.what


async def test_an_envelope_as_large_as_a_picture_is_cut_off() -> None:
    body = b'<e:Envelope xmlns:e="x"><e:Body>' + b"<a/>" * 800_000 + b"</e:Body></e:Envelope>"
    async with _peer(_http("200 OK", body, "application/soap+xml")) as port:
        error = await _error(port)
    assert "larger than" in error.what


async def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = OnvifCamera("onvif://camera.invalid", library=OnvifLibrary(), timeouts=QUICK)
    with pytest.raises(CameraError) as caught:
        await client.probe()

    assert caught.value.state is CameraState.UNREACHABLE


async def test_a_peer_that_asks_for_basic_is_not_told_the_password() -> None:
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await _whole_request(reader))
        writer.write(_http("401 Unauthorized", b"", more='WWW-Authenticate: Basic realm="x"\r\n'))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        error = await _error(server.sockets[0].getsockname()[1])

    assert error.state is CameraState.CREDENTIALS_WRONG
    assert b"GetSystemDateAndTime" in heard
    assert b"Authorization:" not in heard
    assert b"hunter2" not in heard


@asynccontextmanager
async def _drops_kept_connections() -> AsyncIterator[int]:
    """A server that wants Digest, says nothing of closing, and drops every connection after its first answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await _whole_request(reader)
            body, status = (b"<html>404</html>", "404 Not Found") if b"Digest username" in head else (b"", "401 No")
            challenge = 'WWW-Authenticate: Digest realm="x", nonce="y", qop="auth"\r\n'
            answer = _http(status, body, more=challenge).replace(b"Connection: close\r\n", b"")
            writer.write(answer)
            await writer.drain()
            await reader.read(1)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_camera_that_drops_each_kept_connection_is_still_heard() -> None:
    def asks_twice(port: int) -> list[int]:
        http = CameraHttp("camera", ("gate", "hunter2"), QUICK)
        http.begin()
        try:
            return [http.get(f"http://127.0.0.1:{port}/").status_code for _ in range(2)]
        finally:
            http.close()

    async with _drops_kept_connections() as port:
        assert await asyncio.to_thread(asks_twice, port) == [404, 404]
