"""Sessions, queues, retained messages, wills and QoS 2 outlive a SIGKILL of the process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from harness.endpoint import Client, Desk, press, running, until
from harness.ports import free_port

from gateway.alarms import Feedback
from gateway.alarms.packets import (
    Disconnect,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Will,
)
from gateway.alarms.properties import Properties
from gateway.clock import SystemClock
from gateway.errors import TransientError
from gateway.settings import StorageSettings
from gateway.storage import Journal, MqttSessionStore

ROOT = Path(__file__).parents[2]


class Program:
    """The endpoint as a process of its own, with its state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(f"port {self.port}\npersistence true\n", "utf-8")
        self._environment = os.environ | {"BARE_ENDPOINT_STATE": str(folder), "PYTHONPATH": str(ROOT)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        program = str(ROOT / "tests/harness/bare_endpoint.py")
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, program, "-c", str(self._configuration)), env=self._environment
        )
        async with asyncio.timeout(20):
            while True:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return

    async def end(self, how: signal.Signals) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        await self._process.wait()

    async def killed_and_started(self) -> None:
        await self.end(signal.SIGKILL)
        await self.start()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    made = Program(tmp_path)
    await made.start()
    yield made
    await made.end(signal.SIGKILL)


async def lasting(port: int, client_id: str) -> Client:
    return await Client.open(port, client_id=client_id, clean_session=False)


async def test_what_was_acknowledged_reaches_who_was_away_over_a_kill(program: Program) -> None:
    away = await lasting(program.port, "away")
    await away.send(Subscribe(1, (("t/#", 1),)))
    await away.expect(Suback(1, (1,)))
    await away.close()
    sender = await Client.open(program.port, client_id="sender", protocol_level=5)
    said = Properties(user=(("k", "v"),))
    for number in range(1, 4):
        packet = Publish(topic="t/x", payload=b"%d" % number, qos=1, packet_id=number, properties=said)
        await sender.send(packet)
        await sender.expect(Puback(number))
    await program.killed_and_started()
    await sender.close()
    away = await Client.open(program.port, client_id="away", clean_session=False, protocol_level=5)
    assert away.connack.session_present
    got = [await away.read() for _ in range(3)]
    assert [each.payload for each in got if isinstance(each, Publish)] == [b"1", b"2", b"3"]
    assert all(each.properties == said for each in got if isinstance(each, Publish))
    await away.nothing_more()
    await away.close()


async def test_a_filter_that_was_granted_is_there_after_a_kill(program: Program) -> None:
    client = await lasting(program.port, "a")
    await client.send(Subscribe(1, (("t/#", 1),)))
    await client.expect(Suback(1, (1,)))
    await program.killed_and_started()
    await client.close()
    client = await lasting(program.port, "a")
    assert client.connack.session_present
    await client.send(Publish(topic="t/x", payload=b"x"))
    await client.expect(Publish(topic="t/x", payload=b"x"))
    await client.close()


async def test_a_retained_message_and_its_end_survive_a_kill(program: Program) -> None:
    sender = await Client.open(program.port, client_id="sender")
    await sender.send(Publish(topic="t/1", payload=b"kept", qos=1, packet_id=1, retain=True))
    await sender.send(Publish(topic="t/2", payload=b"kept", qos=1, packet_id=2, retain=True))
    await sender.expect(Puback(1), Puback(2))
    await sender.send(Publish(topic="t/2", payload=b"", qos=1, packet_id=3, retain=True))
    await sender.expect(Puback(3))
    await program.killed_and_started()
    await sender.close()
    reader = await Client.open(program.port, client_id="reader")
    await reader.send(Subscribe(1, (("t/#", 0),)))
    await reader.expect(Suback(1, (0,)), Publish(topic="t/1", payload=b"kept", retain=True))
    await reader.nothing_more()
    await reader.close()


async def test_qos_2_is_taken_once_over_kills_at_both_of_its_steps(program: Program) -> None:
    reader = await lasting(program.port, "reader")
    await reader.send(Subscribe(1, (("t/#", 1),)))
    await reader.expect(Suback(1, (1,)))
    await reader.close()
    first = Publish(topic="t/x", payload=b"first", qos=2, packet_id=7)
    sender = await lasting(program.port, "sender")
    await sender.send(first)
    await sender.expect(Pubrec(7))
    await program.killed_and_started()
    await sender.close()
    sender = await lasting(program.port, "sender")
    await sender.send(Publish(topic="t/x", payload=b"first", qos=2, packet_id=7, dup=True))
    await sender.expect(Pubrec(7))
    await sender.send(Pubrel(7))
    await sender.expect(Pubcomp(7))
    await program.killed_and_started()
    await sender.close()
    sender = await lasting(program.port, "sender")
    await sender.send(Publish(topic="t/x", payload=b"second", qos=2, packet_id=7))
    await sender.expect(Pubrec(7))
    await sender.close()
    reader = await lasting(program.port, "reader")
    got = [await reader.read(), await reader.read()]
    assert [each.payload for each in got if isinstance(each, Publish)] == [b"first", b"second"]
    await reader.nothing_more()
    await reader.close()


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[MqttSessionStore]:
    settings = StorageSettings(directory=directory, reserve_megabytes=1)
    journal = await Journal.open(directory, clock=SystemClock(), settings=settings)
    try:
        yield MqttSessionStore(journal)
    finally:
        await journal.close()


async def test_the_wills_of_who_was_connected_survive_a_kill(program: Program, tmp_path: Path) -> None:
    wills = {name: Will(topic=f"wills/{name}", payload=b"gone", qos=1, retain=True) for name in ("a", "b", "c")}
    clients = [await Client.open(program.port, client_id=name, will=will) for name, will in wills.items()]
    await clients[2].send(Disconnect())
    assert await clients[2].read() is None
    await asyncio.sleep(0.3)  # the end of c's will is saved behind its leaving
    await program.end(signal.SIGKILL)
    for client in clients:
        await client.close()
    async with opened(tmp_path) as store:
        assert [(kind, name) for kind, name, *_rest in await store.load()] == [("will", "a"), ("will", "b")]


async def test_a_will_comes_after_a_restart_unless_its_client_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.alarms.wills._RESTART_GRACE_SECONDS", 1.0)
    desk = Desk()
    desk.gate.set()
    will = {name: Will(topic=f"campus/east/button/{name}/state", payload=name.encode()) for name in ("a", "b")}
    async with opened(tmp_path) as store:
        async with running(desk, store) as endpoint:
            clients = [await Client.open(endpoint.port, client_id=name, will=each) for name, each in will.items()]
        for client in clients:
            await client.close()
        assert desk.handled == []
        async with running(desk, store) as endpoint:
            back = await Client.open(endpoint.port, client_id="a", will=will["a"])
            await until(lambda: len(desk.handled) == 1)
            await asyncio.sleep(0.1)
            await back.send(Disconnect())
            await back.close()
        assert [each.payload for each in desk.handled] == [b"b"]
        assert await store.load() == []


async def test_feedback_that_is_acknowledged_at_once_never_reaches_the_disk(tmp_path: Path) -> None:
    topic = "campus/east/button/btn-01/feedback"
    desk = Desk()
    async with opened(tmp_path) as store:
        async with running(desk, store) as endpoint:
            client = await lasting(endpoint.port, "a")
            await client.send(Subscribe(1, ((topic, 1),)))
            await client.expect(Suback(1, (1,)))
            for number in range(20):
                endpoint.answer(Feedback(topic=topic, payload=b"%d" % number))
                got = await client.read()
                assert isinstance(got, Publish)
                await client.send(Puback(got.packet_id))
            await client.close()
        assert [(kind, name) for kind, name, _number, _body in await store.load()] == [("session", "a")]


async def test_a_session_that_ends_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        async with running(Desk(), store) as endpoint:
            client = await lasting(endpoint.port, "a")
            await client.send(Subscribe(1, (("t/#", 1),)), Publish(topic="x", payload=b"", qos=2, packet_id=1))
            await client.expect(Suback(1, (1,)), Pubrec(1))
            await client.close()
            sender = await Client.open(endpoint.port, client_id="sender")
            await sender.send(Publish(topic="t/x", payload=b"x", qos=1, packet_id=1))
            await sender.expect(Puback(1))
            await sender.close()
            client = await Client.open(endpoint.port, client_id="a", clean_session=True)
            await client.close()
            await until(lambda: endpoint.statistics.sessions == 0)
        assert await store.load() == []


async def test_records_that_cannot_be_read_are_dropped_and_the_endpoint_starts(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.save(
            [(kind, "x", 1, b"\x00bad") for kind in ("session", "message", "received", "retained", "will")]
        )
        async with running(Desk(), store) as endpoint:
            client = await lasting(endpoint.port, "x")
            assert not client.connack.session_present
            await client.send(Disconnect())
            await client.close()
        assert [kind for kind, *_rest in await store.load()] == ["session"]


class Failing:
    """A store on a disk that is full at first."""

    def __init__(self, store: MqttSessionStore) -> None:
        self._store = store
        self.full = True

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        return await self._store.load()

    def save(self, records: list[tuple[str, str, int, bytes | None]]) -> "asyncio.Future[None]":
        if self.full:
            raise TransientError("the disk is full")
        return self._store.save(records)


async def test_what_could_not_be_saved_is_not_acknowledged_and_tried_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        failing = Failing(store)
        async with running(Desk(), failing) as endpoint:  # type: ignore[arg-type]  # a list is what it is given
            sender = await Client.open(endpoint.port, client_id="sender")
            await sender.send(Publish(topic="t", payload=b"1", qos=1, packet_id=1, retain=True))
            assert await sender.read() is None
            await sender.close()
            failing.full = False
            sender = await Client.open(endpoint.port, client_id="sender")
            await sender.send(Publish(topic="t/2", payload=b"2", qos=1, packet_id=1, retain=True))
            await sender.expect(Puback(1))
            await sender.close()
        assert [(kind, name) for kind, name, *_rest in await store.load()] == [("retained", "t"), ("retained", "t/2")]


async def test_on_a_full_disk_a_button_comes_in_and_its_press_is_handed_on(tmp_path: Path) -> None:
    desk = Desk()
    desk.gate.set()
    async with opened(tmp_path) as store:
        failing = Failing(store)
        async with running(desk, failing) as endpoint:  # type: ignore[arg-type]  # a list is what it is given
            will = Will(topic="campus/east/button/btn-01/state", payload=b"{}")
            button = await Client.open(endpoint.port, client_id="a", clean_session=False, will=will)
            assert button.connack.code == 0
            await button.send(Subscribe(1, (("campus/east/button/btn-01/feedback", 1),)))
            await button.expect(Suback(1, (0x80,)))
            await button.send(press(2))
            await button.expect(Puback(2))
            failing.full = False
            await button.send(Disconnect())
            await button.close()
        assert [(kind, name) for kind, name, *_rest in await store.load()] == [("session", "a")]
    assert len(desk.handled) == 1
