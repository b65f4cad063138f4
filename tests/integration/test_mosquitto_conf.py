"""config/mosquitto.conf as it is shipped, with other paths: TLS, access list, what survives a kill, shared presses."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from harness.authority import Authority
from harness.broker import Mosquitto
from harness.endpoint import Client, until
from harness.ports import free_port
from harness.tools import needs

from gateway.alarms import InboundMessage, MqttSession
from gateway.alarms.packets import Disconnect, Puback, Publish, Suback, Subscribe
from gateway.alarms.properties import Properties
from gateway.errors import PermanentError
from gateway.settings import BrokerSettings

pytestmark = needs("mosquitto")
CONFIG = Path(__file__).parents[2] / "config"
EVENT = "campus/east/button/{}/event"


class Shipped(Mosquitto):
    """mosquitto with the shipped configuration; only paths and the port are the test's."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder, port=free_port())
        certificate, key = authority.issue("broker")
        state = folder / "state"
        state.mkdir(parents=True)
        text = (CONFIG / "mosquitto.conf").read_text("utf-8")
        for old, new in {
            "listener 8883": f"listener {self.port} 127.0.0.1",
            "/etc/mosquitto/certs/site-ca.pem": str(authority.folder / "ca.pem"),
            "/etc/mosquitto/certs/broker.pem": str(certificate),
            "/etc/mosquitto/certs/broker.key": str(key),
            "/etc/mosquitto/mosquitto.acl": str(CONFIG / "mosquitto.acl"),
            "/var/lib/mosquitto/": f"{state}/",
        }.items():
            assert old in text
            text = text.replace(old, new)
        self._text = text + "\nuser root\n"

    def _configuration(self) -> str:
        return self._text


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


async def test_who_has_a_certificate_has_its_own_topics_and_no_other(tmp_path: Path, authority: Authority) -> None:
    with Shipped(tmp_path / "b", authority) as broker:
        with pytest.raises((OSError, AssertionError)):
            await Client.open(broker.port, authority.client_context(), client_id="nobody")
        gateway = await Client.open(broker.port, authority.client_context("gateway"), client_id="g", protocol_level=5)
        await gateway.send(Subscribe(1, (("campus/#", 1),)))
        await gateway.expect(Suback(1, (1,)))
        button = await Client.open(broker.port, authority.client_context("btn-01"), client_id="b", protocol_level=5)
        await button.send(Publish(topic=EVENT.format("btn-02"), payload=b"forged", qos=1, packet_id=1))
        await button.expect(Puback(1, 0x87))
        await button.send(Publish(topic=EVENT.format("btn-01"), payload=b"mine", qos=1, packet_id=2))
        await button.expect(Puback(2))
        got = await gateway.read()
        assert isinstance(got, Publish)
        assert got.payload == b"mine"
        await gateway.close()
        await button.close()


async def test_what_is_queued_for_the_gateway_survives_a_kill(tmp_path: Path, authority: Authority) -> None:
    lasting: dict[str, Any] = {
        "clean_session": False,
        "protocol_level": 5,
        "properties": Properties(session_expiry=3600),
    }
    broker = Shipped(tmp_path / "b", authority)
    await asyncio.to_thread(broker.start)
    context = authority.client_context("gateway")
    gateway = await Client.open(broker.port, context, client_id="g", **lasting)
    await gateway.send(Subscribe(1, (("campus/#", 1),)))
    await gateway.expect(Suback(1, (1,)))
    await gateway.send(Disconnect())
    await gateway.close()
    button = await Client.open(broker.port, authority.client_context("btn-01"), client_id="b")
    await button.send(Publish(topic=EVENT.format("btn-01"), payload=b"press", qos=1, packet_id=1))
    await button.expect(Puback(1))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(broker.kill)
    await button.close()
    await asyncio.to_thread(broker.start)
    gateway = await Client.open(broker.port, context, client_id="g", **lasting)
    got = await gateway.read()
    assert isinstance(got, Publish)
    assert got.payload == b"press"
    await gateway.close()
    await asyncio.to_thread(broker.stop)


async def test_two_gateways_share_the_presses_of_a_broker_over_tls(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("gateway")
    taken: dict[str, list[str]] = {"a": [], "b": []}

    def session(name: str, port: int) -> MqttSession:
        async def handle(message: InboundMessage) -> None:
            taken[name].append(json.loads(message.payload)["id"])

        broker = BrokerSettings(
            url=f"mqtts://127.0.0.1:{port}",
            client_id=f"gateway-{name}",
            ca_file=authority.folder / "ca.pem",
            certificate_file=certificate,
            key_file=key,
            share_group="gateways",
        )
        return MqttSession(broker, site="east", topics=lambda: [EVENT.format("+")], handler=handle)

    with Shipped(tmp_path / "broker", authority) as broker:
        sessions = [session(name, broker.port) for name in taken]
        tasks = [asyncio.create_task(each.run(), name="session") for each in sessions]
        try:
            await until(lambda: all(each.state.connected for each in sessions))
            await asyncio.sleep(0.5)
            button = await Client.open(broker.port, authority.client_context("btn-01"), client_id="b")
            for number in range(1, 21):
                payload = json.dumps({"id": str(number), "type": "press"}).encode()
                await button.send(Publish(topic=EVENT.format("btn-01"), payload=payload, qos=1, packet_id=number))
                await button.expect(Puback(number))
            await until(lambda: len(taken["a"]) + len(taken["b"]) >= 20)
            await button.close()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(map(int, taken["a"] + taken["b"])) == list(range(1, 21))
    assert taken["a"]
    assert taken["b"]


async def test_a_broker_s_tls_files_that_are_bad_are_named(tmp_path: Path) -> None:
    broker = BrokerSettings(url="mqtts://127.0.0.1:1", ca_file=tmp_path / "none.pem")
    with pytest.raises(PermanentError, match="ca_file"):
        MqttSession(broker, site="east", topics=tuple, handler=_nothing)


async def _nothing(_message: InboundMessage) -> None:
    pass
