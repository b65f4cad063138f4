"""A broker that turns the gateway away, and a fault of ours in a message: neither is asked on and on, nor for good."""

import asyncio
import random
from pathlib import Path

import pytest
from harness.broker import Mosquitto
from harness.tools import needs
from paho.mqtt import publish

from gateway.alarms import InboundMessage, MqttSession
from gateway.settings import BrokerSettings

# paho leaves the pair of sockets of each of its threads to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
TOPIC = "campus/east/button/btn-01/event"


async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """CONNACK: not authorised (3.1.1 §3.2.2.3)."""
    await reader.read(1024)
    writer.write(b"\x20\x02\x00\x05")
    await reader.read(1024)
    writer.close()


async def never(_message: InboundMessage) -> None:
    raise AssertionError("no message comes")


async def test_a_broker_that_turns_the_gateway_away_is_asked_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    def no_wait(_low: float, high: float) -> float:
        waits.append(high)
        return 0.0

    monkeypatch.setattr(random, "uniform", no_wait)
    async with await asyncio.start_server(turn_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        broker = BrokerSettings(url=f"mqtt://127.0.0.1:{port}")
        session = MqttSession(broker, site="east", topics=lambda: (TOPIC,), handler=never)
        task = asyncio.create_task(session.run(), name="session")
        try:
            async with asyncio.timeout(20):
                while len(waits) < 4:
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert not session.state.connected


@needs("mosquitto")
async def test_a_session_that_a_fault_of_ours_ended_goes_on_and_takes_the_message(tmp_path: Path) -> None:
    taken: list[bytes] = []
    faults = [ValueError("a fault of ours")]

    async def take(message: InboundMessage) -> None:
        if faults:
            raise faults.pop()
        taken.append(message.payload)

    with Mosquitto(tmp_path / "broker") as broker:
        session = MqttSession(
            BrokerSettings(url=f"mqtt://127.0.0.1:{broker.port}"), site="east", topics=lambda: (TOPIC,), handler=take
        )
        first = asyncio.create_task(session.run(), name="session")
        async with asyncio.timeout(20):
            while not session.state.connected:
                await asyncio.sleep(0.01)
        await asyncio.to_thread(publish.single, TOPIC, b"press", qos=1, hostname="127.0.0.1", port=broker.port)
        with pytest.raises(ValueError, match="a fault of ours"):
            await asyncio.wait_for(first, 20)
        second = asyncio.create_task(session.run(), name="session")
        try:
            async with asyncio.timeout(20):
                while not taken:
                    await asyncio.sleep(0.01)
        finally:
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
    assert taken == [b"press"]
