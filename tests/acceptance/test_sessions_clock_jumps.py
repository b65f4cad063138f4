"""The wall clock jumps by an hour: sessions, queued and retained messages expire in their own time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.daemon import Daemon
from harness.endpoint import Client
from harness.faketime import environment_of, needs_faketime

from gateway.alarms.packets import LEVEL_5, Pingreq, Pingresp, Puback, Publish, Suback, Subscribe
from gateway.alarms.properties import Properties

HALF_AN_HOUR, SHORT = 1800, 2
pytestmark = [
    pytest.mark.long,  # a start takes long with every look at the clock intercepted
    needs_faketime,
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, wall: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("jumps"), environment=environment_of(wall)) as running:
        yield running


async def client_of(daemon: Daemon, client_id: str, expiry: int) -> Client:
    lasts = Properties(session_expiry=expiry)
    port = daemon.mqtt_port
    return await Client.open(port, client_id=client_id, clean_session=False, protocol_level=LEVEL_5, properties=lasts)


async def jump(wall: Path, offset: str) -> None:
    await asyncio.to_thread(wall.write_text, offset)


async def leave_messages(daemon: Daemon) -> None:
    """Sessions of two who go away, with a message for half an hour and one for a moment, retained as well."""
    for client_id, expiry in (("away", HALF_AN_HOUR), ("short", SHORT)):
        client = await client_of(daemon, client_id, expiry)
        await client.send(Subscribe(1, (("t/#", 0b10_0001),)))  # nothing that is retained
        await client.expect(Suback(1, (1,)))
        await client.close()
    sender = await client_of(daemon, "sender", 0)
    for number, (topic, expiry) in enumerate((("t/long", HALF_AN_HOUR), ("t/short", SHORT)), 1):
        lasts = Properties(message_expiry=expiry)
        await sender.send(Publish(topic=topic, payload=b"x", qos=1, packet_id=number, retain=True, properties=lasts))
        await sender.expect(Puback(number))
    await sender.close()


async def packets(client: Client) -> list[Publish]:
    """What comes before the answer to a ping."""
    await client.send(Pingreq())
    found = list[Publish]()
    while (packet := await client.read()) != Pingresp():
        assert isinstance(packet, Publish)
        found.append(packet)
        if packet.qos:
            await client.send(Puback(packet.packet_id))
    return found


async def check_messages(daemon: Daemon) -> None:
    """The short ones are over; the others have all but what has passed."""
    away = await client_of(daemon, "away", HALF_AN_HOUR)
    short = await client_of(daemon, "short", 0)
    assert (away.connack.session_present, short.connack.session_present) == (True, False)
    reader = await client_of(daemon, "reader", 0)
    await reader.send(Subscribe(1, (("t/#", 0),)))
    await reader.expect(Suback(1, (0,)))
    await asyncio.sleep(0.5)
    for client in (away, reader):
        (packet,) = await packets(client)
        assert packet.topic == "t/long"
        assert packet.properties.message_expiry is not None
        assert HALF_AN_HOUR - 600 < packet.properties.message_expiry <= HALF_AN_HOUR - SHORT
    for client in (away, short, reader):
        await client.close()


@pytest.mark.parametrize("offset", ["+3600", "-3600"])
async def test_an_hour_forward_or_back_under_the_gateway(daemon: Daemon, wall: Path, offset: str) -> None:
    await leave_messages(daemon)
    await jump(wall, offset)
    await asyncio.sleep(SHORT + 1)
    await check_messages(daemon)
    await jump(wall, "+0")
    await asyncio.sleep(1)


@pytest.mark.restarts_shared_daemon
@pytest.mark.parametrize("offset", ["+3600", "-3600"])
async def test_an_hour_forward_or_back_over_its_death(daemon: Daemon, wall: Path, offset: str) -> None:
    await leave_messages(daemon)
    await asyncio.to_thread(daemon.kill)
    await jump(wall, offset)
    await asyncio.to_thread(daemon.start)
    await asyncio.sleep(SHORT + 1)
    await check_messages(daemon)
    await jump(wall, "+0")
    await asyncio.sleep(1)
