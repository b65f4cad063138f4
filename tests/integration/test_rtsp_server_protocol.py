"""The simulated camera's RTSP, request by request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.simulators.camera import SimulatedCamera, write_test_recording


class Client:
    """Sends RTSP requests by hand and takes replies and interleaved frames apart."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, base: str) -> None:
        self.reader = reader
        self.writer = writer
        self.base = base
        self.session = ""

    async def ask(self, method: str, path: str = "/main", **headers: str) -> tuple[int, dict[str, str], bytes]:
        lines = [f"{method} {self.base}{path} RTSP/1.0", "CSeq: 5"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self.session:
            lines.append(f"Session: {self.session}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        return await self.reply()

    async def reply(self) -> tuple[int, dict[str, str], bytes]:
        first = await self.reader.readexactly(1)
        while first == b"$":
            await self._rest_of_frame()
            first = await self.reader.readexactly(1)
        head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert headers["CSeq"] == "5"
        return int(status.split()[1]), headers, await self.reader.readexactly(int(headers.get("Content-Length", 0)))

    async def frame(self) -> tuple[int, bytes]:
        assert await self.reader.readexactly(1) == b"$"
        return await self._rest_of_frame()

    async def _rest_of_frame(self) -> tuple[int, bytes]:
        header = await self.reader.readexactly(3)
        return header[0], await self.reader.readexactly(int.from_bytes(header[1:], "big"))

    async def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> dict[str, str]:
        status, headers, _ = await self.ask("SETUP", "/main/trackID=0", Transport=transport)
        assert status == 200
        self.session = headers["Session"].partition(";")[0]
        return headers


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_test_recording(tmp_path_factory.mktemp("protocol") / "squares.mp4", frames=24, frames_per_second=24)


@pytest.fixture
async def client(recording: Path) -> AsyncIterator[Client]:
    async with SimulatedCamera(recording) as camera:
        base = camera.rtsp_url.removesuffix("/main")
        host, port = base.removeprefix("rtsp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        yield Client(reader, writer, base)
        writer.close()


async def test_options_name_the_methods(client: Client) -> None:
    status, headers, _ = await client.ask("OPTIONS")

    assert status == 200
    assert {"DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"} <= set(headers["Public"].split(", "))


async def test_describe_tells_the_parameter_sets(client: Client) -> None:
    status, headers, body = await client.ask("DESCRIBE", Accept="application/sdp")

    assert (status, headers["Content-Type"]) == (200, "application/sdp")
    assert headers["Content-Base"].endswith("/main/")
    lines = body.decode().split("\r\n")
    assert lines[0] == "v=0"
    assert "m=video 0 RTP/AVP 96" in lines
    assert "a=rtpmap:96 H264/90000" in lines
    assert any("packetization-mode=1" in line and "sprop-parameter-sets=Z" in line for line in lines)


async def test_play_sends_rtp_on_the_even_channel_and_reports_on_the_odd_one(client: Client) -> None:
    headers = await client.set_up("RTP/AVP/TCP;unicast;interleaved=4-5")
    assert "interleaved=4-5" in headers["Transport"]
    status, _, _ = await client.ask("PLAY")
    assert status == 200

    frames = [await client.frame() for _ in range(12)]

    source = bytes.fromhex(headers["Transport"].partition("ssrc=")[2])
    assert {channel for channel, _ in frames} == {4, 5}
    assert all(packet[8:12] == source for channel, packet in frames if channel == 4)
    numbers = [int.from_bytes(packet[2:4], "big") for channel, packet in frames if channel == 4]
    assert numbers == [(numbers[0] + step) & 0xFFFF for step in range(len(numbers))]


async def test_pause_stops_the_pictures_and_play_goes_on(client: Client) -> None:
    await client.set_up()
    await client.ask("PLAY")
    await client.frame()

    assert (await client.ask("PAUSE"))[0] == 200
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.frame(), 0.3)
    assert (await client.ask("PLAY"))[0] == 200
    assert (await client.frame())[0] == 0


async def test_teardown_ends_the_session(client: Client) -> None:
    await client.set_up()
    await client.ask("PLAY")

    assert (await client.ask("TEARDOWN"))[0] == 200
    assert (await client.ask("PLAY"))[0] == 454


async def test_keep_alive_is_answered_while_playing(client: Client) -> None:
    await client.set_up()
    await client.ask("PLAY")

    status, headers, _ = await client.ask("GET_PARAMETER")

    assert (status, headers["Session"]) == (200, client.session)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "/nowhere", {}, 404),
        ("SETUP", "/main/trackID=1", {"Transport": "RTP/AVP/TCP;interleaved=0-1"}, 404),
        ("SETUP", "/main/trackID=0", {"Transport": "RTP/AVP;multicast;client_port=5000-5001"}, 461),
        ("SETUP", "/main/trackID=0", {}, 461),
        ("PLAY", "/main", {}, 454),
        ("PAUSE", "/main", {"Session": "other"}, 454),
        ("RECORD", "/main", {}, 501),
    ],
)
async def test_refusals(client: Client, method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert (await client.ask(method, path, **headers))[0] == status


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00\x01\n\r\n\r\n", b"a" * 200_000, b"PLAY\r\n\r\n"])
async def test_nonsense_ends_that_connection_only(recording: Path, nonsense: bytes) -> None:
    async with SimulatedCamera(recording) as camera:
        host, port = camera.rtsp_url.removeprefix("rtsp://").removesuffix("/main").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(nonsense)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

        second = Client(*await asyncio.open_connection(host, int(port)), f"rtsp://{host}:{port}")
        assert (await second.ask("OPTIONS"))[0] == 200
        second.writer.close()
