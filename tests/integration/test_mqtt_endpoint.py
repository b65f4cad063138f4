"""The embedded endpoint with real clients and hostile ones: an acknowledgement means handled, and nobody stops it."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator

import pytest
from harness.endpoint import Client, Desk, press, running, until
from harness.press import Presser
from harness.rawmqtt import RawClient
from harness.tools import needs

from gateway.alarms import Feedback
from gateway.alarms.codec import encode_packet
from gateway.alarms.packets import (
    Connack,
    Disconnect,
    Pingreq,
    Pingresp,
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
from gateway.alarms.reasons import Reason
from gateway.errors import PermanentError


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    made.gate.set()
    return made


async def test_a_puback_goes_out_only_after_the_message_was_handled(desk: Desk) -> None:
    desk.gate.clear()
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        await client.send(press(1), press(2), Pingreq())
        assert await client.read() == Pingresp()
        desk.gate.set()
        assert [await client.read(), await client.read()] == [Puback(1), Puback(2)]
        assert len(desk.handled) == 2
        await client.close()


async def test_what_cannot_be_stored_is_never_acknowledged(desk: Desk) -> None:
    desk.failing = True
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        await client.send(press(1))
        assert await client.read() is None
        await client.close()


async def test_qos_2_is_handled_once_even_if_it_is_sent_again(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        await client.send(press(7, qos=2))
        assert await client.read() == Pubrec(7)
        await client.close()
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        await client.send(press(7, qos=2, dup=True))
        assert await client.read() == Pubrec(7)
        await client.send(Pubrel(7))
        assert await client.read() == Pubcomp(7)
        await client.close()
    assert len(desk.handled) == 1


async def test_feedback_reaches_a_button_again_until_it_acknowledges(desk: Desk) -> None:
    topic = "campus/east/button/btn-01/feedback"
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        await client.send(Subscribe(1, ((topic, 1),)))
        assert await client.read() == Suback(1, (1,))
        endpoint.answer(Feedback(topic=topic, payload=b"received"))
        first = await client.read()
        assert isinstance(first, Publish)
        await client.close()
        await until(lambda: endpoint.statistics.connections == 0)
        endpoint.answer(Feedback(topic=topic, payload=b"resolved"))
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        again, second = await client.read(), await client.read()
        assert isinstance(again, Publish)
        assert isinstance(second, Publish)
        assert (again.dup, again.packet_id, again.payload) == (True, first.packet_id, b"received")
        assert second.payload == b"resolved"
        await client.send(Puback(again.packet_id), Puback(second.packet_id))
        await client.close()


async def test_a_will_comes_when_a_client_is_lost_and_not_when_it_leaves(desk: Desk) -> None:
    will = Will(topic="campus/east/button/btn-01/state", payload=b'{"online": false}', retain=True)
    async with running(desk) as endpoint:
        leaving = await Client.open(endpoint.port, client_id="a", will=will)
        await leaving.send(Disconnect())
        assert await leaving.read() is None
        await leaving.close()
        lost = await Client.open(endpoint.port, client_id="b", will=will)
        await lost.close()
        await until(lambda: len(desk.handled) == 1)
    assert desk.handled[0].origin == "b"


async def test_a_silent_client_is_ended_after_one_and_a_half_keepalives(desk: Desk) -> None:
    will = Will(topic="campus/east/button/btn-01/state", payload=b"{}")
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a", keepalive=1, will=will)
        assert await client.read() is None
        await until(lambda: len(desk.handled) == 1)
        await client.close()


async def test_a_second_client_of_the_same_name_takes_over(desk: Desk) -> None:
    async with running(desk) as endpoint:
        first = await Client.open(endpoint.port, client_id="a")
        second = await Client.open(endpoint.port, client_id="a")
        assert await first.read() is None
        await second.send(Pingreq())
        assert await second.read() == Pingresp()
        await first.close()
        await second.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 50,
        encode_packet(Pingreq()),
        encode_packet(press(1)),
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_who_does_not_begin_with_connect_is_ended(desk: Desk, garbage: bytes) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port)
        await client.send_raw(garbage)
        assert await client.read() is None
        await until(lambda: len(desk.faults) == 1)
        await client.close()
    assert desk.faults[0][0] == "malformed_packet"


async def test_ten_megabytes_are_refused_at_their_length_and_recorded(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        packet = encode_packet(
            Publish(topic="campus/east/button/btn-01/event", payload=bytes(10_000_000), qos=1, packet_id=1)
        )
        await client.send_raw(packet[:100])
        assert await client.read() is None
        await until(lambda: len(desk.faults) == 1)
        await client.close()
    assert "10000035" in desk.faults[0][1] or "at most 65536" in desk.faults[0][1]


async def test_half_a_connect_is_ended_by_its_time_out(desk: Desk) -> None:
    async with running(desk, connect_timeout_seconds=0.3) as endpoint:
        client = await Client.open(endpoint.port)
        await client.send_raw(b"\x10")
        assert await client.read() is None
        await client.close()


async def test_a_stream_that_always_ends_within_a_packet_goes_on(desk: Desk) -> None:
    async with running(desk, connect_timeout_seconds=0.4) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        whole = encode_packet(Publish(topic="x", payload=b"y"))
        await client.send_raw(whole[:3])
        for _ in range(10):
            await asyncio.sleep(0.1)
            await client.send_raw(whole[3:] + whole[:3])
        await client.send_raw(whole[3:])
        await client.nothing_more()
        await client.close()


async def test_one_address_cannot_take_all_connections(desk: Desk) -> None:
    async with running(desk, max_connections_per_address=3) as endpoint:
        clients = [await Client.open(endpoint.port, client_id=f"c{number}") for number in range(3)]
        over = await Client.open(endpoint.port)
        assert await over.read() is None
        await until(lambda: len(desk.faults) == 1)
        for client in [*clients, over]:
            await client.close()
    assert desk.faults[0][0] == "too_many_connections"


async def test_connections_that_say_nothing_make_room_for_a_button(desk: Desk) -> None:
    async with running(desk, max_connections_per_address=3) as endpoint:
        silent = [await Client.open(endpoint.port) for _ in range(5)]
        button = await Client.open(endpoint.port, client_id="a")
        await button.send(press(1))
        assert await button.read() == Puback(1)
        for client in [*silent, button]:
            await client.close()


@pytest.mark.parametrize("leaf", ["event", "feedback"])
async def test_nobody_reads_a_press_or_forges_an_answer(desk: Desk, leaf: str) -> None:
    topic = f"campus/east/button/btn-01/{leaf}"
    async with running(desk) as endpoint:
        reader = await Client.open(endpoint.port, client_id="reader")
        await reader.send(Subscribe(1, (("campus/#", 1),)))
        assert await reader.read() == Suback(1, (1,))
        other = await Client.open(endpoint.port, client_id="other")
        await other.send(Publish(topic=topic, payload=b'{"type": "silent"}', qos=1, packet_id=1, retain=True))
        assert await other.read() == Puback(1)
        await reader.send(Pingreq())
        assert await reader.read() == Pingresp()
        await reader.send(Subscribe(2, (("campus/#", 1),)), Pingreq())
        assert await reader.read() == Suback(2, (1,))
        assert await reader.read() == Pingresp()
        endpoint.answer(Feedback(topic="campus/east/button/btn-01/feedback", payload=b"received"))
        assert isinstance(await reader.read(), Publish)
        await reader.close()
        await other.close()


async def test_filters_are_bounded_over_all_clients(desk: Desk) -> None:
    async with running(desk) as endpoint:
        granted = 0
        for number in range(120):
            client = await Client.open(endpoint.port, client_id=f"c{number}", clean_session=False)
            await client.send(Subscribe(1, tuple((f"a/{number}/{each}", 1) for each in range(100))))
            answer = await client.read()
            assert isinstance(answer, Suback)
            granted += sum(code == 1 for code in answer.codes)
            await client.close()
        assert granted == 10_000


async def test_filters_are_bounded_in_bytes_too(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        for number in range(4):
            await client.send(Subscribe(1, ((f"{number}{'x' * 16_000}", 1),)))
            assert await client.read() == Suback(1, (1,))
        await client.send(Subscribe(1, ((f"4{'x' * 16_000}", 1), ("short", 1))))
        assert await client.read() == Suback(1, (128, 1))
        await client.send(Unsubscribe(2, (f"0{'x' * 16_000}",)), Subscribe(3, ((f"4{'x' * 16_000}", 1),)))
        await client.expect(Unsuback(2), Suback(3, (1,)))
        await client.close()


async def test_kept_messages_are_bounded_over_all_clients(desk: Desk) -> None:
    async with running(desk) as endpoint:
        loud = await Client.open(endpoint.port, client_id="loud")
        for number in range(700):
            await loud.send(Publish(topic=f"kept/{number}", payload=bytes(60_000), retain=True))
        await loud.send(Pingreq())
        assert await loud.read() == Pingresp()
        await loud.send(Subscribe(1, (("kept/#", 0), ("kept/699", 0))))
        assert await loud.read() == Suback(1, (0, 0))
        kept = [each async for each in _until_last(loud, "kept/699", 2)]
        assert 500 < len(kept) <= 32 * 1024 * 1024 // 60_000 + 1
        await loud.close()


async def _until_last(client: Client, topic: str, times: int) -> AsyncIterator[Publish]:
    while times:
        message = await client.read()
        assert isinstance(message, Publish)
        times -= message.topic == topic
        yield message


async def test_a_filter_that_is_there_often_brings_what_is_kept_once(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a")
        for number in range(3):
            await client.send(Publish(topic=f"kept/{number}", payload=b"x", retain=True))
        await client.send(Subscribe(1, (("kept/#", 0),) * 199 + (("kept/#", 1),)))
        assert await client.read() == Suback(1, (0,) * 199 + (1,))
        topics = [each.topic async for each in _until_last(client, "kept/2", 1)]
        assert topics == ["kept/0", "kept/1", "kept/2"]
        await client.nothing_more()
        await client.close()


@pytest.mark.parametrize("level", [4, 5])
async def test_a_packet_with_thousands_of_filters_ends_its_connection(desk: Desk, level: int) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port, client_id="a", protocol_level=level)
        await client.send(Subscribe(1, (("#", 0),) * 201))
        if level == 5:
            last = await client.read()
            assert isinstance(last, Disconnect)
            assert last.reason == Reason.QUOTA_EXCEEDED
        assert await client.read() is None
        await client.close()
        await until(lambda: bool(desk.faults))
    assert "more than 200 filters" in desk.faults[0][1]


async def test_more_is_kept_than_a_connection_holds_and_a_slow_reader_gets_it_all(desk: Desk) -> None:
    async with running(desk) as endpoint:
        loud = await Client.open(endpoint.port, client_id="loud")
        for number in range(300):
            await loud.send(Publish(topic=f"kept/{number}", payload=bytes(50_000), retain=True))
        await loud.nothing_more()
        slow = await Client.open(endpoint.port, client_id="slow")
        await slow.send(Subscribe(1, (("kept/#", 0),)))
        await asyncio.sleep(0.2)
        assert await slow.read() == Suback(1, (0,))
        assert len([each async for each in _until_last(slow, "kept/299", 1)]) == 300
        await loud.close()
        await slow.close()


async def test_what_is_kept_comes_as_fast_as_it_is_acknowledged_and_goes_on_behind_a_break(desk: Desk) -> None:
    async with running(desk) as endpoint:
        loud = await Client.open(endpoint.port, client_id="loud")
        for number in range(200):
            await loud.send(Publish(topic=f"kept/{number}", payload=b"x", qos=1, packet_id=number + 1, retain=True))
            assert await loud.read() == Puback(number + 1)
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        await client.send(Subscribe(1, (("kept/#", 1),)))
        assert await client.read() == Suback(1, (1,))
        seen = set()
        for _ in range(100):
            message = await client.read()
            assert isinstance(message, Publish)
            seen.add(message.topic)
            await client.send(Puback(message.packet_id))
        await client.close()
        await until(lambda: endpoint.statistics.connections == 1)
        client = await Client.open(endpoint.port, client_id="a", clean_session=False)
        async for message in _until_last(client, "kept/199", 1):
            seen.add(message.topic)
            await client.send(Puback(message.packet_id))
        assert len(seen) == 200
        await client.close()
        await loud.close()


async def test_another_protocol_level_is_told_so(desk: Desk) -> None:
    async with running(desk) as endpoint:
        client = await Client.open(endpoint.port)
        await client.send_raw(b"\x10\x10\x00\x04MQTT\x06\x02\x00\x3c\x00\x00\x03abc")
        assert await client.read() == Connack(code=1)
        assert await client.read() is None
        await client.close()


async def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(desk: Desk) -> None:
    async with running(desk) as endpoint:
        deaf = await Client.open(endpoint.port, client_id="deaf")
        await deaf.send(Subscribe(1, (("site/#", 0),)))
        assert await deaf.read() == Suback(1, (0,))
        loud = await Client.open(endpoint.port, client_id="loud")
        for _ in range(300):
            await loud.send(Publish(topic="site/x", payload=bytes(50_000)))
        await loud.send(Pingreq())
        assert await loud.read() == Pingresp()
        await until(lambda: endpoint.statistics.connections == 1)
        await deaf.close()
        await loud.close()


async def test_plain_mqtt_off_the_loopback_is_refused(desk: Desk) -> None:
    with pytest.raises(PermanentError, match="external"):
        async with running(desk, host="0.0.0.0"):  # noqa: S104  # it must be refused
            pass


async def test_paho_and_the_smallest_client_are_served(desk: Desk) -> None:
    async with running(desk) as endpoint:
        await asyncio.to_thread(_press_with_both, endpoint.port)
    assert len(desk.handled) == 60


def _press_with_both(port: int) -> None:
    with Presser(port) as paho, RawClient(port) as raw:
        for number in range(30):
            paho.press(f"p{number}")
            raw.press(f"r{number}")
        paho.wait_all()


@needs("mosquitto_pub")
async def test_mosquitto_s_clients_are_served(desk: Desk) -> None:
    async with running(desk) as endpoint:
        command = [shutil.which("mosquitto_pub") or "", "-p", str(endpoint.port), "-t", "campus/east/x", "-m", "hi"]
        for qos in ("0", "1", "2"):
            done = await asyncio.to_thread(subprocess.run, [*command, "-q", qos], check=False, capture_output=True)
            assert done.returncode == 0, done.stderr
        await until(lambda: len(desk.handled) == 3)
    assert [message.qos for message in desk.handled] == [0, 1, 2]
