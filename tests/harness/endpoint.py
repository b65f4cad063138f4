"""The embedded endpoint in a test's own loop, and a client that speaks raw packets with it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.alarms import InboundMessage, MqttEndpoint, SessionStore, Verify
from gateway.alarms.access import nobody
from gateway.alarms.codec import PacketReader, encode_packet
from gateway.alarms.packets import Connack, Connect, Packet, Pingreq, Pingresp, Publish
from gateway.errors import TransientError
from gateway.events import Cause
from gateway.settings import MqttSettings


@dataclass
class Desk:
    """Stands in for the listener: notes what it handled; can be told to wait or to fail."""

    handled: list[InboundMessage] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False

    async def handle(self, message: InboundMessage) -> None:
        await self.gate.wait()
        if self.failing:
            raise TransientError("the disk is full")
        self.handled.append(message)

    async def fault(self, cause: Cause, client: str) -> None:
        self.faults.append((cause.fault, cause.words, client))


class Client:
    """Speaks raw packets of either version."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._packets = PacketReader(100_000)
        self.connack = Connack()
        self._waiting: list[Packet] = []

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None, **connect: object) -> "Client":
        """Connect; with keywords of `Connect` also say who it is, and wait for the answer."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
        if connect:
            packet = Connect(**connect)  # type: ignore[arg-type]  # its keywords
            client._packets.level = packet.protocol_level
            await client.send(packet)
            answer = await client.read()
            assert isinstance(answer, Connack)
            client.connack = answer
        return client

    async def send(self, *packets: Packet) -> None:
        await self.send_raw(b"".join(encode_packet(packet, self._packets.level) for packet in packets))

    async def send_raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read(self) -> Packet | None:
        """The next packet; None once the endpoint closed the connection."""
        while not self._waiting:
            try:
                data = await asyncio.wait_for(self._reader.read(65536), 10)
            except ConnectionError:
                return None
            if not data:
                return None
            self._waiting += self._packets.feed(data)
        return self._waiting.pop(0)

    async def expect(self, *packets: Packet) -> None:
        """The next packets are these."""
        for packet in packets:
            assert await self.read() == packet

    async def nothing_more(self) -> None:
        """Nothing comes before the answer to a ping."""
        await self.send(Pingreq())
        assert await self.read() == Pingresp()

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@asynccontextmanager
async def running(
    desk: Desk, store: SessionStore | None = None, verify: Verify = nobody, **settings: Any
) -> AsyncIterator[MqttEndpoint]:
    """An endpoint; what it takes goes to the desk."""
    endpoint = MqttEndpoint(
        MqttSettings(**{"port": 0} | settings),
        site="east",
        store=store,
        verify=verify,
        takes=lambda topic: topic.startswith("campus/"),
        private=lambda topic: topic.endswith(("/event", "/feedback")),
        handler=desk.handle,
        on_fault=desk.fault,
    )
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.stop()


def press(number: int, qos: int = 1, **fields: object) -> Publish:
    topic = "campus/east/button/btn-01/event"
    return Publish(topic=topic, payload=b"{}", qos=qos, packet_id=number, **fields)  # type: ignore[arg-type]  # keywords


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
