"""Devices of other dialects on a real broker: subscribed to when they are added, kept messages known as such."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.broker import Mosquitto
from harness.tools import needs
from paho.mqtt import publish

from gateway.alarms import AlarmListener, MqttSession, SupervisionTimer
from gateway.clock import SystemClock
from gateway.events import ButtonPressed, Event, GatewayFault
from gateway.settings import BrokerSettings, DeviceSettings

pytestmark = needs("mosquitto")
LIBRARY = DeviceSettings(id="library", dialect="zigbee2mqtt", topic="zigbee2mqtt/图书馆")


class Joined:
    """A listener that has joined a broker."""

    def __init__(self, port: int) -> None:
        self.events: list[Event] = []
        clock = SystemClock()
        self.supervision = SupervisionTimer("east", self._report, clock)
        self.listener = AlarmListener(
            site="east",
            report=self._report,
            unstored=lambda _event: None,
            answer=lambda _feedback: None,
            supervision=self.supervision,
            clock=clock,
            window_seconds=0.0,
        )
        broker = BrokerSettings(url=f"mqtt://127.0.0.1:{port}", client_id="gateway-under-test")
        topics, take = self.listener.subscriptions, self.listener.handle
        self.session = MqttSession(broker, site="east", topics=topics, handler=take)

    async def _report(self, event: Event) -> Event:
        self.events.append(event)
        return event

    def presses(self) -> int:
        return sum(isinstance(each, ButtonPressed) for each in self.events)

    def kept(self) -> int:
        return sum(isinstance(each, GatewayFault) and each.fault == "retained_press" for each in self.events)


async def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def say(port: int, topic: str, payload: str, *, retain: bool = False) -> None:
    await asyncio.to_thread(
        publish.single, topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=port, client_id="device"
    )


@pytest.fixture
def broker(tmp_path: Path) -> Mosquitto:
    return Mosquitto(tmp_path / "broker")


async def test_a_device_is_heard_from_when_it_is_added_and_not_after_it_is_removed(broker: Mosquitto) -> None:
    with broker:
        joined = Joined(broker.port)
        task = asyncio.create_task(joined.session.run(), name="session")
        try:
            await until(lambda: joined.session.state.connected)
            joined.listener.add(LIBRARY)
            joined.session.resubscribe()
            await _heard(joined, broker.port)
            joined.listener.remove("library")
            joined.session.resubscribe()
            before = len(joined.events)
            await say(broker.port, "zigbee2mqtt/图书馆", '{"action": "emergency"}')
            await say(broker.port, "campus/east/button/nobody/event", '{"type": "press"}')
            await until(lambda: len(joined.events) > before)
            assert [each.fault for each in joined.events[before:] if isinstance(each, GatewayFault)] == [
                "unknown_device"
            ]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _heard(joined: Joined, port: int) -> None:
    """A subscription is there some time after it was asked for."""
    async with asyncio.timeout(15):
        while not joined.presses():
            await say(port, "zigbee2mqtt/图书馆", '{"action": "emergency"}')
            await asyncio.sleep(0.1)


async def test_what_the_broker_kept_is_told_from_what_comes_now(broker: Mosquitto) -> None:
    with broker:
        await say(broker.port, "zigbee2mqtt/图书馆", '{"action": "emergency", "battery": 50}', retain=True)
        joined = Joined(broker.port)
        joined.listener.add(LIBRARY)
        task = asyncio.create_task(joined.session.run(), name="session")
        try:
            await until(lambda: joined.kept() == 1)
            assert joined.presses() == 0
            assert joined.supervision.statuses()[0].last_seen is None
            await say(broker.port, "zigbee2mqtt/图书馆", '{"action": "emergency", "battery": 50}', retain=True)
            await until(lambda: joined.presses() == 1)  # it is live, although the broker keeps it too
            assert joined.supervision.statuses()[0].via == joined.session.address
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
