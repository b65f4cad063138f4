"""MQTT 5 on the wire: properties, reasons, expiry, aliases, windows, shared subscriptions, wills with a delay."""

import asyncio
from typing import Any

import pytest
from harness.endpoint import Client, Desk, press, running, until

from gateway.alarms import Feedback
from gateway.alarms.packets import (
    NO_LOCAL,
    RETAIN_AS_PUBLISHED,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from gateway.alarms.properties import Properties
from gateway.alarms.reasons import Reason

FIVE: dict[str, Any] = {"protocol_level": 5}


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    made.gate.set()
    return made


async def connected(port: int, client_id: str, **properties: object) -> Client:
    """A client of MQTT 5 whose session lasts if `session_expiry` is given."""
    said = Properties(**properties)  # type: ignore[arg-type]  # keywords
    return await Client.open(port, client_id=client_id, clean_session=False, properties=said, **FIVE)


async def subscribed(client: Client, pattern: str, options: int = 1, **properties: object) -> None:
    await client.send(Subscribe(1, ((pattern, options),), Properties(**properties)))  # type: ignore[arg-type]  # keywords
    await client.expect(Suback(1, (options & 3,)))


async def test_a_client_is_told_its_name_and_the_limits(desk: Desk) -> None:
    async with running(desk, max_inflight=7, max_packet_bytes=5000, max_keepalive_seconds=30) as endpoint:
        client = await Client.open(endpoint.port, client_id="", keepalive=0, **FIVE)
        said = client.connack.properties
        assert said.assigned_client_id
        assert (said.receive_maximum, said.maximum_packet_size, said.server_keep_alive) == (7, 5000, 30)
        await client.close()


async def test_a_press_is_acknowledged_as_in_the_older_version(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(press(1), press(2, qos=2))
        await client.expect(Puback(1), Pubrec(2))
        await client.send(Pubrel(2), Pubrel(3))
        await client.expect(Pubcomp(2), Pubcomp(3, Reason.PACKET_ID_NOT_FOUND))
        await client.close()
    assert len(desk.handled) == 2


async def test_what_a_sender_adds_arrives_with_the_identifiers_of_all_filters(desk: Desk) -> None:
    said = Properties(
        payload_format=1,
        content_type="text/plain",
        response_topic="answer/here",
        correlation_data=b"\x01",
        user=(("a", "1"), ("a", "2")),
    )
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(Subscribe(1, (("t/+", 0),), Properties(subscription_ids=(5,))))
        await client.send(Subscribe(2, (("t/#", 1),), Properties(subscription_ids=(268_435_455,))))
        await client.expect(Suback(1, (0,)), Suback(2, (1,)))
        await client.send(Publish(topic="t/x", payload=b"p", properties=said))
        got = await client.read()
        assert isinstance(got, Publish)
        assert sorted(got.properties.subscription_ids) == [5, 268_435_455]
        assert got.properties.user == said.user
        assert (got.properties.response_topic, got.properties.correlation_data) == ("answer/here", b"\x01")
        await client.nothing_more()
        await client.close()


async def test_an_alias_stands_for_its_topic_on_one_connection(desk: Desk) -> None:
    topic, alias = "campus/east/button/btn-01/event", Properties(topic_alias=3)
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(Publish(topic=topic, payload=b"1", qos=1, packet_id=1, properties=alias))
        await client.send(Publish(topic="", payload=b"2", qos=1, packet_id=2, properties=alias))
        await client.expect(Puback(1), Puback(2))
        await client.close()
        client = await connected(endpoint.port, "a")
        await client.send(Publish(topic="", payload=b"3", qos=1, packet_id=3, properties=alias))
        answer = await client.read()
        assert isinstance(answer, Disconnect)
        assert answer.reason == Reason.PROTOCOL_ERROR
        await client.close()
    assert [(each.topic, each.payload) for each in desk.handled] == [(topic, b"1"), (topic, b"2")]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (Publish(topic="t", payload=b"", properties=Properties(topic_alias=11)), Reason.TOPIC_ALIAS_INVALID),
        (Publish(topic="t", payload=b"", properties=Properties(subscription_ids=(1,))), Reason.PROTOCOL_ERROR),
        (Publish(topic="a/#", payload=b""), Reason.TOPIC_NAME_INVALID),
        (Subscribe(1, (("$share/g", 1),)), Reason.TOPIC_FILTER_INVALID),
        (Subscribe(1, (("$share/g/t", 1 | NO_LOCAL),)), Reason.PROTOCOL_ERROR),
        (Auth(Reason.REAUTHENTICATE), Reason.PROTOCOL_ERROR),
        (Connect(client_id="a", protocol_level=5), Reason.PROTOCOL_ERROR),
        (Disconnect(0, Properties(session_expiry=60)), Reason.PROTOCOL_ERROR),
        (Publish(topic="t", payload=bytes(70_000)), Reason.PACKET_TOO_LARGE),
    ],
)
async def test_each_breach_is_answered_with_its_reason(desk: Desk, packet: Packet, reason: Reason) -> None:
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(packet)
        answer = await client.read()
        assert isinstance(answer, Disconnect)
        assert answer.reason == reason
        assert answer.properties.reason_string
        assert await client.read() is None
        await client.close()
        await until(lambda: len(desk.faults) == 1)


async def test_more_messages_than_the_window_end_the_connection(desk: Desk) -> None:
    desk.gate.clear()
    async with running(desk, max_inflight=2) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(press(1), press(2), press(3))
        answer = await client.read()
        assert isinstance(answer, Disconnect)
        assert answer.reason == Reason.RECEIVE_MAXIMUM_EXCEEDED
        desk.gate.set()
        await client.close()


async def test_enhanced_authentication_is_refused_with_its_code(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a", authentication_method="SCRAM-SHA-256")
        assert client.connack.code == Reason.BAD_AUTHENTICATION_METHOD
        await client.close()


async def test_a_client_s_window_and_packet_size_are_kept(desk: Desk) -> None:
    topic = "campus/east/button/btn-01/feedback"
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a", receive_maximum=1, maximum_packet_size=100)
        await subscribed(client, topic)
        for payload in (b"1", bytes(100), b"2"):
            endpoint.answer(Feedback(topic=topic, payload=payload))
        first = await client.read()
        assert isinstance(first, Publish)
        await client.nothing_more()
        await client.send(Puback(first.packet_id))
        second = await client.read()
        assert isinstance(second, Publish)
        assert (first.payload, second.payload) == (b"1", b"2")
        await client.close()


async def test_what_has_expired_is_not_sent_and_what_has_not_tells_what_is_left(desk: Desk) -> None:
    async with running(desk) as endpoint:
        away = await connected(endpoint.port, "away", session_expiry=60)
        await subscribed(away, "t/#")
        await away.send(Disconnect())
        await away.close()
        sender = await connected(endpoint.port, "sender")
        for number, seconds in ((1, 1), (2, 100)):
            said = Properties(message_expiry=seconds)
            await sender.send(Publish(topic=f"t/{number}", payload=b"x", qos=1, packet_id=number, properties=said))
            await sender.expect(Puback(number))
        await asyncio.sleep(1.1)
        away = await connected(endpoint.port, "away", session_expiry=60)
        assert away.connack.session_present
        got = await away.read()
        assert isinstance(got, Publish)
        assert got.topic == "t/2"
        assert 90 < (got.properties.message_expiry or 0) < 100
        await sender.close()
        await away.close()


async def test_a_session_ends_with_its_expiry(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a", session_expiry=1)
        await client.close()
        await until(lambda: endpoint.statistics.connections == 0)
        client = await connected(endpoint.port, "a", session_expiry=1)
        assert client.connack.session_present
        await client.close()
        await until(lambda: endpoint.statistics.sessions == 0)
        client = await connected(endpoint.port, "a")
        assert not client.connack.session_present
        await client.close()


async def test_options_of_a_subscription_do_as_they_say(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(Publish(topic="t/kept", payload=b"old", retain=True))
        await subscribed(client, "t/kept", 0x21)
        await client.nothing_more()
        await subscribed(client, "t/new", 0x10 | NO_LOCAL)
        await subscribed(client, "t/kept", 0x11)
        await client.nothing_more()
        await subscribed(client, "t/kept", RETAIN_AS_PUBLISHED)
        await client.expect(Publish(topic="t/kept", payload=b"old", retain=True))
        await client.send(Publish(topic="t/new", payload=b"mine"), Publish(topic="t/kept", payload=b"new", retain=True))
        await client.expect(Publish(topic="t/kept", payload=b"new", retain=True))
        await client.send(Unsubscribe(9, ("t/kept", "t/never")))
        await client.expect(Unsuback(9, (0, Reason.NO_SUBSCRIPTION_EXISTED)))
        await client.close()


async def test_a_shared_subscription_gives_each_message_to_one(desk: Desk) -> None:
    async with running(desk) as endpoint:
        members = [await connected(endpoint.port, f"m{number}") for number in range(2)]
        for member in members:
            await subscribed(member, "$share/guards/t/#", 0)
        alone = await connected(endpoint.port, "alone")
        await subscribed(alone, "t/#", 0)
        for number in range(10):
            await alone.send(Publish(topic="t/x", payload=bytes([number])))
        got: list[bytes] = []
        for member, count in ((members[0], 5), (members[1], 5), (alone, 10)):
            packets = [await member.read() for _ in range(count)]
            got += [packet.payload for packet in packets if isinstance(packet, Publish)]
            await member.nothing_more()
        assert sorted(got[:10]) == got[10:] == [bytes([number]) for number in range(10)]
        for client in (*members, alone):
            await client.close()


STATE = "campus/east/button/btn-01/state"


async def test_a_will_waits_for_its_delay_and_not_for_one_who_comes_back(desk: Desk) -> None:
    will = Will(topic=STATE, payload=b"gone", properties=Properties(will_delay=1))
    async with running(desk) as endpoint:
        lasting: dict[str, Any] = {"clean_session": False, "properties": Properties(session_expiry=60), **FIVE}
        for _ in range(2):
            client = await Client.open(endpoint.port, client_id="a", will=will, **lasting)
            await client.close()
            await until(lambda: endpoint.statistics.connections == 0)
        assert desk.handled == []
        await until(lambda: len(desk.handled) == 1)
        await asyncio.sleep(0.2)
    assert [each.payload for each in desk.handled] == [b"gone"]


async def test_a_will_comes_at_once_if_its_session_ends_or_if_the_client_asks_for_it(desk: Desk) -> None:
    will = Will(topic=STATE, payload=b"gone", properties=Properties(will_delay=60))
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a", will=will, **FIVE)
        await client.close()
        await until(lambda: len(desk.handled) == 1)
        client = await Client.open(endpoint.port, client_id="b", will=will, **FIVE)
        await client.send(Disconnect(Reason.DISCONNECT_WITH_WILL))
        await until(lambda: len(desk.handled) == 2)
        await client.close()


async def test_who_is_taken_over_or_silent_is_told_so(desk: Desk) -> None:
    async with running(desk) as endpoint:
        first = await connected(endpoint.port, "a")
        second = await Client.open(endpoint.port, client_id="a", keepalive=1, **FIVE)
        await first.expect(Disconnect(Reason.SESSION_TAKEN_OVER))
        await second.expect(Disconnect(Reason.KEEPALIVE_TIMEOUT))
        await first.close()
        await second.close()


async def test_a_gateway_that_stops_acknowledges_first_and_says_so(desk: Desk) -> None:
    desk.gate.clear()
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(press(1))
        await until(lambda: endpoint.statistics.messages == 1)
        asyncio.get_running_loop().call_later(0.1, desk.gate.set)
        await endpoint.stop()
        await client.expect(Puback(1), Disconnect(Reason.SERVER_SHUTTING_DOWN))
        await client.close()


async def test_two_devices_of_one_name_are_a_fault(desk: Desk) -> None:
    async with running(desk) as endpoint:
        clients = [await connected(endpoint.port, "same") for _ in range(4)]
        await until(lambda: [fault[0] for fault in desk.faults].count("client_id_clash") > 0)
        for client in clients:
            await client.close()


async def test_what_cannot_be_stored_is_no_error_code_but_a_disconnect(desk: Desk) -> None:
    desk.failing = True
    async with running(desk) as endpoint:
        client = await connected(endpoint.port, "a")
        await client.send(press(1))
        await client.expect(Disconnect(Reason.SERVER_BUSY))
        assert await client.read() is None
        await client.close()


async def test_the_older_version_gets_no_properties(desk: Desk) -> None:
    async with running(desk) as endpoint:
        old = await Client.open(endpoint.port, client_id="old")
        assert old.connack == Connack()
        await old.send(Subscribe(1, (("t", 1),)))
        await old.expect(Suback(1, (1,)))
        new = await connected(endpoint.port, "new")
        said = Properties(user=(("a", "b"),), message_expiry=10)
        await new.send(Publish(topic="t", payload=b"x", qos=1, packet_id=1, properties=said))
        await new.expect(Puback(1))
        await old.expect(Publish(topic="t", payload=b"x", qos=1, packet_id=1))
        await old.close()
        await new.close()
