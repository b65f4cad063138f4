"""Our own RTSP client against servers that say what nobody asked for."""

import asyncio
import contextlib

import pytest

from gateway.cameras import PasswordGuard, RtspDigest, Timeouts, Trust
from gateway.cameras.metadata import MetadataSession
from gateway.clock import SystemClock

DESCRIPTION = b"v=0\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:t\r\n"
UNASKED = b"".join(
    b'RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm="c", nonce="%d"\r\n\r\nRTSP/1.0 200 OK\r\n\r\n' % number
    for number in range(2_000)
)
PACKET = b"$\x00\x00\x0c" + bytes([0x80, 107, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7])


class OddServer:
    """Answers as a camera does, then says `more` when it plays, and counts what it is asked afterwards."""

    def __init__(self, more: bytes) -> None:
        self._more = more
        self.asked_later = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        plays = False
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked_later += plays
                method, sequence = head.split()[0], head.split(b"CSeq: ")[1].split(b"\r\n")[0]
                body = DESCRIPTION if method == b"DESCRIBE" else b""
                about = b"CSeq: %s\r\nSession: 1\r\nContent-Length: %d" % (sequence, len(body))
                writer.write(b"RTSP/1.0 200 OK\r\n" + about + b"\r\n\r\n" + body)
                if method == b"PLAY":
                    plays = True
                    writer.write(self._more)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.mark.timeout(30)
async def test_answers_that_nobody_asked_for_cost_no_requests() -> None:
    odd = OddServer(UNASKED + PACKET)
    server = await asyncio.start_server(odd.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guard, limits = PasswordGuard("cam", SystemClock()), Timeouts(connect=5, read=5)
    session = MetadataSession(f"rtsp://127.0.0.1:{port}/x", RtspDigest("gate", "secret"), guard, Trust(), limits, "cam")
    try:
        await session.open()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await session.next()
        assert odd.asked_later == 0
    finally:
        await session.close()
        server.close()
        await server.wait_closed()
