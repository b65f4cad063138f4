"""QoS 2 over a socket, in both versions: what is sent again is one, a new press under an unreleased id counts."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from harness.endpoint import Client, Desk, running, until

from gateway.alarms.packets import (
    LEVEL_5,
    LEVEL_311,
    Disconnect,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
)
from gateway.alarms.properties import Properties
from gateway.alarms.reasons import Reason
from gateway.clock import SystemClock
from gateway.errors import TransientError
from gateway.settings import StorageSettings
from gateway.storage import Journal, MqttSessionStore

TOPIC = "campus/east/button/btn-01/event"
ONE, OTHER = b'{"type": "press", "id": "a"}', b'{"type": "press", "id": "b"}'
BARE = b'{"type": "press"}'
LEVELS = pytest.mark.parametrize("level", [LEVEL_311, LEVEL_5])


def message(payload: bytes, topic: str = TOPIC, **fields: Any) -> Publish:
    return Publish(topic=topic, payload=payload, qos=2, packet_id=1, **fields)


def ready(**fields: Any) -> Desk:
    desk = Desk(**fields)
    desk.gate.set()
    return desk


async def back(port: int, level: int) -> Client:
    """The device connects with its session of before."""
    lasts = Properties(session_expiry=3600) if level == LEVEL_5 else Properties()
    return await Client.open(port, client_id="a", clean_session=False, protocol_level=level, properties=lasts)


async def sent(port: int, level: int, *packets: Publish) -> None:
    """The device sends each after a start of its own, has its PUBREC, and loses its power before PUBREL."""
    for packet in packets:
        client = await back(port, level)
        await client.send(packet)
        await client.expect(Pubrec(1))
        await client.close()


@LEVELS
@pytest.mark.parametrize("dup", [False, True])
async def test_a_new_press_under_an_unreleased_id_counts(level: int, dup: bool) -> None:
    desk = ready()
    async with running(desk) as endpoint:
        await sent(endpoint.port, level, message(ONE), message(OTHER, dup=dup))
        client = await back(endpoint.port, level)
        await client.send(Pubrel(1))
        await client.expect(Pubcomp(1))
        await client.close()
    assert [each.payload for each in desk.handled] == [ONE, OTHER]


@LEVELS
@pytest.mark.parametrize("payload", [ONE, BARE])
async def test_a_press_that_is_sent_again_is_handled_once_also_behind_another(level: int, payload: bytes) -> None:
    desk = ready()
    async with running(desk) as endpoint:
        again = message(payload, dup=True)
        await sent(endpoint.port, level, message(OTHER), message(payload), again, again)
    assert [each.payload for each in desk.handled] == [OTHER, payload]


@LEVELS
async def test_a_press_that_looks_the_same_and_is_not_sent_again_is_handed_on(level: int) -> None:
    """Two presses of a button without ids differ in DUP only; with ids the second is told by its own."""
    desk = ready()
    async with running(desk) as endpoint:
        await sent(endpoint.port, level, message(BARE), message(BARE))
    assert len(desk.handled) == 2


@LEVELS
async def test_a_new_press_while_the_old_one_is_being_stored_waits_for_a_commit_of_its_own(level: int) -> None:
    desk = Desk()
    async with running(desk) as endpoint:
        first = await back(endpoint.port, level)
        await first.send(message(ONE))
        second = await back(endpoint.port, level)
        await second.send(message(OTHER))
        await second.nothing_more()
        desk.gate.set()
        await second.expect(Pubrec(1))
        await first.close()
        await second.close()
        await sent(endpoint.port, level, message(OTHER, dup=True))
    assert [each.payload for each in desk.handled] == [ONE, OTHER]


@LEVELS
async def test_a_new_press_that_cannot_be_stored_is_not_acknowledged(level: int) -> None:
    desk = ready()
    async with running(desk) as endpoint:
        await sent(endpoint.port, level, message(ONE))
        desk.failing = True
        client = await back(endpoint.port, level)
        await client.send(message(OTHER))
        answer = await client.read()
        assert not isinstance(answer, Pubrec)
        await client.close()
        desk.failing = False
        await sent(endpoint.port, level, message(OTHER, dup=True))
    assert [each.payload for each in desk.handled] == [ONE, OTHER]


@LEVELS
async def test_what_goes_to_other_clients_comes_once_however_it_is_sent_again(level: int) -> None:
    async with running(Desk()) as endpoint:
        reader = await Client.open(endpoint.port, client_id="reader")
        await reader.send(Subscribe(1, (("t/#", 0),)))
        await reader.expect(Suback(1, (0,)))
        one = message(b"one", "t/x")
        await sent(endpoint.port, level, one, one, message(b"one", "t/x", dup=True), message(b"two", "t/x"))
        await reader.expect(Publish(topic="t/x", payload=b"one"), Publish(topic="t/x", payload=b"two"))
        await reader.nothing_more()
        await reader.close()


@LEVELS
async def test_what_an_id_stands_for_outlives_the_process(level: int, tmp_path: Path) -> None:
    settings = StorageSettings(directory=tmp_path, reserve_megabytes=1)
    journal = await Journal.open(tmp_path, clock=SystemClock(), settings=settings)
    store, desk = MqttSessionStore(journal), ready()
    try:
        async with running(desk, store) as endpoint:
            await sent(endpoint.port, level, message(ONE))
        async with running(desk, store) as endpoint:
            await sent(endpoint.port, level, message(ONE, dup=True), message(OTHER))
        async with running(desk, store) as endpoint:
            await sent(endpoint.port, level, message(OTHER, dup=True))
        await store.save([("received", "a", 1, b"")])
        async with running(desk, store) as endpoint:
            await sent(endpoint.port, level, message(OTHER, dup=True))
    finally:
        await journal.close()
    assert [each.payload for each in desk.handled] == [ONE, OTHER, OTHER], "an older gateway's id says not of what"


async def test_an_unreleased_id_takes_no_more_room_by_being_used_again() -> None:
    desk = ready()
    async with running(desk, max_inflight=2) as endpoint:
        for number in range(5):
            await sent(endpoint.port, LEVEL_5, message(json.dumps({"type": "press", "id": number}).encode()))
        client = await back(endpoint.port, LEVEL_5)
        await client.send(Publish(topic=TOPIC, payload=ONE, qos=1, packet_id=2))
        await client.expect(Puback(2))
        await client.close()
    assert len(desk.handled) == 6


def numbered(number: int) -> Publish:
    return Publish(topic=TOPIC, payload=b'{"type": "press", "id": "%d"}' % number, qos=2, packet_id=number)


async def test_what_is_not_released_counts_until_its_pubcomp() -> None:
    """§3.3.4, §4.9."""
    async with running(ready(), max_inflight=2) as endpoint:
        client = await back(endpoint.port, LEVEL_5)
        await client.send(numbered(1), numbered(2))
        await client.expect(Pubrec(1), Pubrec(2))
        await client.send(Pubrel(1))
        await client.expect(Pubcomp(1))
        await client.send(numbered(3))
        await client.expect(Pubrec(3))
        await client.send(Publish(topic=TOPIC, payload=ONE, qos=1, packet_id=4))
        last = await client.read()
        assert isinstance(last, Disconnect)
        assert last.reason == Reason.RECEIVE_MAXIMUM_EXCEEDED
        await client.close()


async def test_a_message_counts_once_while_its_id_is_being_stored() -> None:
    store = Held()
    async with running(ready(), store, max_inflight=2) as endpoint:
        client = await back(endpoint.port, LEVEL_5)
        store.held = True
        await client.send(numbered(1))
        await until(lambda: bool(store.waiting))
        await client.send(numbered(2))
        await client.nothing_more()
        store.let_go()
        await client.expect(Pubrec(1), Pubrec(2))
        await client.close()


async def test_what_a_former_connection_did_not_release_locks_no_press_out() -> None:
    """§4.9: the quota of a connection begins anew; a device that lost its power behind PUBREC never releases."""
    desk = ready()
    async with running(desk, max_inflight=2) as endpoint:
        for number in range(1, 6):
            client = await back(endpoint.port, LEVEL_5)
            await client.send(numbered(number))
            await client.expect(Pubrec(number))
            await client.close()
    assert len(desk.handled) == 5


@LEVELS
async def test_what_could_not_be_stored_is_not_acknowledged_when_it_comes_again(level: int) -> None:
    store = Held()
    async with running(ready(), store) as endpoint:
        client = await back(endpoint.port, level)
        kept = message(b"kept", "t/x", retain=True)
        store.full = True
        await client.send(kept)
        await refused(client)
        for again in (message(b"kept", "t/x", retain=True, dup=True), Pubrel(1)):
            client = await back(endpoint.port, level)
            await client.send(again)
            await refused(client)
        store.full = False
        client = await back(endpoint.port, level)
        await client.send(message(b"kept", "t/x", retain=True, dup=True))
        await client.expect(Pubrec(1))
        store.full = True
        await client.send(Pubrel(1))
        await refused(client)
        client = await back(endpoint.port, level)
        await client.send(Pubrel(1))
        await refused(client)
        store.full = False
        client = await back(endpoint.port, level)
        await client.send(Pubrel(1))
        assert isinstance(await client.read(), Pubcomp)
        await client.close()


async def refused(client: Client) -> None:
    """The connection ends without an acknowledgement."""
    while (answer := await client.read()) is not None:
        assert not isinstance(answer, Puback | Pubrec | Pubcomp)
    await client.close()


class Held:
    """A store in memory whose disk may be full, and slow."""

    def __init__(self) -> None:
        self.full = self.held = False
        self.waiting: list[asyncio.Future[None]] = []

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        return []

    def save(self, records: Sequence[tuple[str, str, int, bytes | None]]) -> "asyncio.Future[None]":
        if self.full:
            raise TransientError("the disk is full")
        saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.held:
            self.waiting.append(saved)
        else:
            saved.set_result(None)
        return saved

    def let_go(self) -> None:
        self.held = False
        for each in self.waiting:
            each.set_result(None)
