"""The metadata track's session against servers that refuse, freeze, forget, lie and spoil their answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.cameras import CameraError, CameraState, Login, OnvifCamera, Timeouts
from gateway.cameras.lockout import PasswordGuard
from gateway.cameras.metadata import MetadataSession
from gateway.cameras.rtsp import RtspDigest
from gateway.cameras.soap import FaultError
from gateway.cameras.tracked import Trust
from gateway.clock import SystemClock
from gateway.simulators.camera import SimulatedCamera, write_test_recording

SECRET = "p@ss:w/rd#1"
QUICK = Timeouts(connect=1.0, read=0.6, whole=5.0)
SDP = b"v=0\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track1\r\n"
Answer = Callable[[str, list[str]], bytes | None]


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"RTSP/1.0 {status} x", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@dataclass
class Server:
    """Answers as it is told to, and keeps what it was asked."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    port: int = 0
    ended: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heard += head
                lines = head.decode().split("\r\n")
                self.asked.append(lines[0].split()[0])
                said = self.answer(self.asked[-1], lines)
                if said is not None:
                    writer.write(said)
        except (OSError, EOFError):
            pass
        finally:
            self.ended += 1
            writer.close()

    def session(self, guard: PasswordGuard | None = None, networks: tuple[str, ...] | None = None) -> MetadataSession:
        return MetadataSession(
            f"rtsp://127.0.0.1:{self.port}/main",
            RtspDigest("gate", SECRET),
            guard or PasswordGuard("x", SystemClock()),
            Trust("", networks),
            QUICK,
            "camera x",
        )


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        while server.asked and not server.ended:
            await asyncio.sleep(0.01)


def good(method: str, _lines: list[str]) -> bytes | None:
    if method == "DESCRIBE":
        return reply(body=SDP, Content_Base="rtsp://10.9.8.7:99/main/")
    if method == "SETUP":
        return reply(Session="s1;timeout=2", Transport="RTP/AVP/TCP;unicast;interleaved=4-5")
    return reply(Session="s1")


async def error_of(act: Awaitable[object], session: MetadataSession) -> CameraError:
    try:
        with pytest.raises(CameraError) as raised:
            await act
    finally:
        await session.close()
    assert SECRET not in str(raised.value)
    return raised.value


async def test_addresses_that_the_camera_tells_are_asked_where_it_was_reached() -> None:
    async with served(good) as server:
        session = server.session()
        await session.open()
        await session.close()
        while not server.ended:
            await asyncio.sleep(0.01)
        assert server.asked == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        assert f"SETUP rtsp://127.0.0.1:{server.port}/main/track1 RTSP".encode() in server.heard
        assert b"10.9.8.7" not in server.heard


async def test_a_session_is_kept_alive_by_what_the_camera_knows() -> None:
    def picky(method: str, lines: list[str]) -> bytes | None:
        return reply(501) if method == "GET_PARAMETER" else good(method, lines)

    async with served(picky) as server:
        session = server.session()
        await session.open()
        for _ in range(3):
            assert await session.next() is None
        await session.close()
        assert server.asked[3:5] == ["GET_PARAMETER", "OPTIONS"]


async def test_a_camera_that_is_silent_is_lost() -> None:
    async with served(lambda method, lines: None if method == "GET_PARAMETER" else good(method, lines)) as server:
        session = server.session()
        await session.open()

        async def read() -> None:
            while True:
                await session.next()

        began = time.monotonic()
        error = await error_of(read(), session)
        assert error.state is CameraState.STREAM_DEAD
        assert "nothing was heard" in error.what
        assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("method", "answer", "state", "words"),
    [
        ("DESCRIBE", None, CameraState.UNREACHABLE, "no answer to DESCRIBE"),
        ("DESCRIBE", b"HTTP/1.1 400 Bad Request\r\n\r\n", CameraState.STREAM_DEAD, "does not speak RTSP"),
        ("DESCRIBE", reply(302, Location="rtsp://192.0.2.1/x"), CameraState.STREAM_DEAD, "status 302"),
        ("DESCRIBE", reply(body=b"v=0\r\n"), CameraState.NO_EVENTS, "no metadata track"),
        ("DESCRIBE", reply(401, WWW_Authenticate='Basic realm="x"'), CameraState.CREDENTIALS_WRONG, "Basic"),
        ("SETUP", reply(453), CameraState.STREAM_DEAD, "status 453"),
        ("SETUP", reply(), CameraState.STREAM_DEAD, "no session"),
        ("PLAY", reply(454), CameraState.STREAM_DEAD, "status 454"),
        ("PLAY", b"$\0\0\0" * 40_000, CameraState.UNREACHABLE, "no answer to PLAY"),
    ],
)
async def test_each_refusal_is_a_state_in_words(
    method: str, answer: bytes | None, state: CameraState, words: str
) -> None:
    async with served(lambda asked, lines: answer if asked == method else good(asked, lines)) as server:
        session = server.session()
        error = await error_of(session.open(), session)
        assert error.state is state
        assert words in error.what


async def test_a_wrong_password_is_tried_a_few_times_and_never_sent() -> None:
    count = 0

    def refuse(_method: str, _lines: list[str]) -> bytes:
        nonlocal count
        count += 1
        return reply(401, WWW_Authenticate=f'Digest realm="x", nonce="{count}", qop="auth"')

    async with served(refuse) as server:
        guard = PasswordGuard("x", SystemClock())
        for _ in range(5):
            session = server.session(guard)
            error = await error_of(session.open(), session)
            assert error.state is CameraState.CREDENTIALS_WRONG
        assert server.heard.count(b"Authorization: Digest") == 3
        assert SECRET.encode() not in server.heard


async def test_nothing_is_sent_to_an_address_that_is_no_camera() -> None:
    async with served(good) as server:
        session = server.session(networks=("10.0.0.0/8",))
        error = await error_of(session.open(), session)
        assert error.state is CameraState.ELSEWHERE
        assert not server.heard


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("metadata") / "main.mp4", frames=12)


async def test_spoilt_answers_are_states_and_leave_nothing(recording: Path) -> None:
    quirks = ("metadata-only", "mutated-rtsp=7")
    async with SimulatedCamera(recording, username="gate", password=SECRET, quirks=quirks) as simulated:
        camera = OnvifCamera(simulated.onvif_url, Login("gate", SECRET), timeouts=Timeouts(1.0, 0.3, 10.0))
        await camera.probe()
        opened, told = 0, []
        for _ in range(25):
            try:
                stream = await camera.events.open_metadata()
            except (CameraError, FaultError) as error:
                told.append(str(error))
                continue
            opened += 1
            await stream.close()
        await camera.close()
        assert opened
        assert SECRET not in "".join(told)
        assert simulated.inside.rtsp.mutator is not None
        assert simulated.inside.rtsp.mutator.count > 10


async def test_a_pinned_certificate_is_the_only_one(recording: Path) -> None:
    quirks = ("metadata-only", "https", "rtsps")
    async with SimulatedCamera(recording, username="gate", password=SECRET, quirks=quirks) as simulated:
        pinned = simulated.inside.fingerprint
        camera = OnvifCamera(simulated.onvif_url, Login("gate", SECRET, pinned))
        await camera.probe()
        stream = await camera.events.open_metadata()
        assert any(each.token == "1" for each in await stream.next())
        await stream.close()
        await camera.close()
        url = simulated.rtsp_url
        for fingerprint, words in (("00" * 32, pinned), ("", "nobody vouches")):
            guard = PasswordGuard("x", SystemClock())
            session = MetadataSession(url, RtspDigest("gate", SECRET), guard, Trust(fingerprint), QUICK, "x")
            error = await error_of(session.open(), session)
            assert error.state is CameraState.CERTIFICATE_UNKNOWN
            assert words in error.what
