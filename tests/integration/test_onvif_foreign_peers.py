"""A name that leads outside the networks of cameras: nothing is sent there, by no way that an address takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.cameras import CameraError, CameraState, Login, OnvifAddress, OnvifCamera, Timeouts
from gateway.cameras.certificate import fingerprint_of
from gateway.cameras.rehosting import Rehoster

ELSEWHERE = ("10.0.0.0/8",)
LOOPBACK = ("127.0.0.0/8",)


@dataclass
class Peer:
    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def _peer() -> AsyncIterator[Peer]:
    peer = Peer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer.heard += await asyncio.wait_for(reader.read(100), 5)
        except OSError:
            pass
        finally:
            peer.ended.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


@pytest.mark.parametrize("scheme", ["onvif", "onvifs"])
async def test_nothing_is_sent_to_a_peer_outside_the_networks(scheme: str) -> None:
    async with _peer() as peer:
        timeouts = Timeouts(connect=2.0, read=2.0, whole=5.0)
        url = f"{scheme}://localhost:{peer.port}"
        camera = OnvifCamera(url, Login("gate", "hunter2"), timeouts=timeouts, networks=ELSEWHERE)
        with pytest.raises(CameraError) as error:
            await camera.probe()
        await camera.close()
        await peer.ended.wait()

    assert error.value.state is CameraState.ELSEWHERE
    assert not peer.heard


async def test_no_port_is_tried_outside_the_networks() -> None:
    async with _peer() as peer:
        rehoster = Rehoster(OnvifAddress("127.0.0.1", 80), ELSEWHERE)
        told = await asyncio.to_thread(rehoster.service, f"http://192.168.1.1:{peer.port}/x")
        await peer.ended.wait()

    assert told == "http://127.0.0.1:80/x"
    assert not peer.heard


async def test_a_port_within_the_networks_is_tried() -> None:
    async with _peer() as peer:
        rehoster = Rehoster(OnvifAddress("127.0.0.1", 80), LOOPBACK)
        told = await asyncio.to_thread(rehoster.service, f"http://192.168.1.1:{peer.port}/x")

    assert told == f"http://127.0.0.1:{peer.port}/x"
    assert peer.heard.startswith(b"GET /")


async def test_no_certificate_is_looked_at_outside_the_networks() -> None:
    async with _peer() as peer:
        url = f"https://127.0.0.1:{peer.port}/"
        assert await asyncio.to_thread(fingerprint_of, url, 2.0, ELSEWHERE) == ""
        await peer.ended.wait()

    assert not peer.heard
