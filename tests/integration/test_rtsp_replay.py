"""The simulated camera plays its own recording (ONVIF Streaming Specification §6), request by request."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.simulators.camera import SimulatedCamera, write_test_recording

PATH, REPLAY = "/replay/recording-1", {"Require": "onvif-replay"}
NTP_EPOCH = 2_208_988_800
CLEAN, ENDS, BREAKS = 0x80, 0x40, 0x20


@dataclass
class Client:
    """Sends RTSP requests by hand, and takes frames of RTP apart."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    base: str
    session: str = ""

    async def ask(self, method: str, path: str = PATH, **headers: str) -> tuple[int, dict[str, str], bytes]:
        headers = {"CSeq": "5"} | headers | ({"Session": self.session} if self.session else {})
        lines = [f"{method} {self.base}{path} RTSP/1.0", *(f"{name}: {said}" for name, said in headers.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode())
        status, *told = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        answered = dict(line.split(": ", 1) for line in told)
        body = await self.reader.readexactly(int(answered.get("Content-Length", 0)))
        return int(status.split()[1]), answered, body

    async def set_up(self) -> None:
        interleaved = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        status, headers, _ = await self.ask("SETUP", f"{PATH}/trackID=0", **interleaved, **REPLAY)
        assert status == 200
        self.session = headers["Session"].partition(";")[0]

    async def play(self, since: datetime, until: datetime, *, hurries: bool = True) -> tuple[int, dict[str, str]]:
        asked = f"clock={since:%Y%m%dT%H%M%S.%fZ}-{until:%Y%m%dT%H%M%S.%fZ}"
        pace = {"Rate-Control": "no"} if hurries else {}
        status, headers, _ = await self.ask("PLAY", Range=asked, **pace, **REPLAY)
        return status, headers

    async def pictures(self) -> list[tuple[datetime, int]]:
        """When each picture was taken, and its flags, up to the one that says that it is the last."""
        found: list[tuple[datetime, int]] = []
        while not found or not found[-1][1] & ENDS:
            assert await self.reader.readexactly(1) == b"$"
            channel, length = struct.unpack("!BH", await self.reader.readexactly(3))
            packet = await self.reader.readexactly(length)
            if channel or not packet[0] & 0x10:
                continue
            profile, words, seconds, fraction, flags = struct.unpack("!HHIIB", packet[12:25])
            assert (profile, words) == (0xABAC, 3)
            at = datetime.fromtimestamp(seconds - NTP_EPOCH + fraction / 2**32, UTC)
            found.append((at, flags))
        return found


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("replay") / "squares.mp4", frames=24, frames_per_second=24)


@asynccontextmanager
async def opened(recording: Path, *quirks: str) -> AsyncIterator[Client]:
    async with SimulatedCamera(recording, quirks=quirks) as camera:
        base = camera.rtsp_url.removesuffix("/main")
        host, port = base.removeprefix("rtsp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        yield Client(reader, writer, base)
        writer.close()


def _ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def test_a_range_of_time_is_played_with_its_times_and_at_once(recording: Path) -> None:
    since, until = _ago(3600), _ago(3597)
    async with opened(recording, "own-recording") as client, asyncio.timeout(2.5):
        status, headers, described = await client.ask("DESCRIBE", **REPLAY)
        assert (status, headers["Content-Type"]) == (200, "application/sdp")
        assert b"H264" in described
        await client.set_up()
        status, headers = await client.play(since, until)
        assert status == 200
        assert headers["Range"].startswith(f"clock={since:%Y%m%dT%H%M%S}")
        pictures = await client.pictures()

    times, flags = [at for at, _ in pictures], [each for _, each in pictures]
    assert times[0] <= since <= times[0] + timedelta(seconds=1.1)
    assert abs(times[-1] - until) < timedelta(seconds=0.1)
    assert times == sorted(times)
    assert flags[0] & CLEAN
    assert [number for number, each in enumerate(flags) if each & BREAKS] == [0]


async def test_it_is_played_at_its_own_pace_unless_asked_otherwise(recording: Path) -> None:
    since, until = _ago(60), _ago(59)
    for quirk, hurries in (("own-recording", False), ("replay-paced", True)):
        async with opened(recording, "own-recording", quirk) as client:
            await client.set_up()
            begun = asyncio.get_running_loop().time()
            await client.play(since, until, hurries=hurries)
            await client.pictures()
            assert asyncio.get_running_loop().time() - begun > 0.9  # a lower bound: it cannot be faster


async def test_what_was_not_recorded_is_no_valid_range(recording: Path) -> None:
    async with opened(recording, "recording-stopped=20") as client:
        await client.set_up()
        assert (await client.play(_ago(600), _ago(590)))[0] == 457
        assert (await client.play(_ago(25 * 60), _ago(15 * 60)))[0] == 200


async def test_who_does_not_ask_for_a_replay_gets_none(recording: Path) -> None:
    transport = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
    async with opened(recording, "own-recording") as client:
        assert (await client.ask("SETUP", f"{PATH}/trackID=0", **transport))[0] == 400
        status, headers, _ = await client.ask("DESCRIBE", Require="something-else")
        assert (status, headers["Unsupported"]) == (551, "something-else")


async def test_a_camera_without_profile_g_replays_nothing(recording: Path) -> None:
    async with opened(recording) as client:
        assert (await client.ask("DESCRIBE", **REPLAY))[0] == 551
        assert (await client.ask("DESCRIBE"))[0] == 404


async def test_a_replay_that_dies_ends_the_connection(recording: Path) -> None:
    async with opened(recording, "own-recording", "replay-dies=5") as client:
        await client.set_up()
        await client.play(_ago(60), _ago(50))
        with pytest.raises(asyncio.IncompleteReadError):
            await client.pictures()


async def test_teardown_ends_a_replay(recording: Path) -> None:
    async with opened(recording, "own-recording") as client:
        await client.set_up()
        await client.play(_ago(60), _ago(1), hurries=False)
        client.writer.write(
            f"TEARDOWN {client.base}{PATH} RTSP/1.0\r\nCSeq: 9\r\nSession: {client.session}\r\n\r\n".encode()
        )
        async with asyncio.timeout(5):
            while b"CSeq: 9" not in await client.reader.readline():
                pass
