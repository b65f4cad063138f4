"""Bad clients by the thousand: mutated sessions against a living endpoint, and an hour of fuzzing of the codec."""

import asyncio
import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness.endpoint import Client, Desk, press, running, until

from gateway.alarms.codec import encode_packet
from gateway.alarms.packets import (
    Auth,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Puback,
    Publish,
    Pubrec,
    Pubrel,
    Subscribe,
    Unsubscribe,
    Will,
)
from gateway.alarms.properties import Properties

ROOT = Path(__file__).parents[2]
HOUR = 3600


def session(chance: random.Random) -> bytes:
    """A plausible session of either version, as bytes."""
    level = chance.choice([4, 5])
    said = Properties(session_expiry=chance.randrange(3), receive_maximum=5, user=(("a", "b"),))
    will = Will(topic="t/will", payload=b"w", qos=1, properties=Properties(will_delay=1))
    packets: list[Packet] = [
        Connect(
            client_id=f"c{chance.randrange(5)}",
            clean_session=chance.random() < 0.5,
            protocol_level=level,
            properties=said,
            will=chance.choice([None, will]),
        )
    ]
    pool: list[Packet] = [
        *(Publish(topic="t/x", payload=b"p", qos=q, packet_id=7 * bool(q), retain=q == 1) for q in (0, 1, 2)),
        Publish(topic="t/y", payload=b"p", properties=Properties(topic_alias=1, message_expiry=1)),
        Publish(topic="", payload=b"p", properties=Properties(topic_alias=1)),
        press(3),
        Subscribe(1, (("t/#", 1), ("$share/g/t/+", 0)), Properties(subscription_ids=(3,))),
        Unsubscribe(2, ("t/#",)),
        *(Pubrel(7), Pubrec(7), Puback(1), Pingreq(), Disconnect(4), Auth()),
    ]
    packets += chance.choices(pool, k=chance.randrange(8))
    return b"".join(encode_packet(packet, level) for packet in packets)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, cut, doubled or inserted."""
    raw = bytearray(data)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(raw) + 1)
        kind = chance.randrange(4)
        if kind == 0 and place < len(raw):
            raw[place] = chance.randrange(256)
        elif kind == 1:
            del raw[place : place + chance.randrange(8)]
        elif kind == 2:
            raw[place:place] = chance.randbytes(chance.randrange(8))
        else:
            raw[place:place] = raw[max(0, place - chance.randrange(20)) : place]
    return bytes(raw)


async def bad_client(port: int, data: bytes, chance: random.Random) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        cut = chance.randrange(len(data) + 1)
        writer.write(data[:cut])
        if chance.random() < 0.5:
            await asyncio.sleep(0.001)
        writer.write(data[cut:])
        if chance.random() < 0.5:
            await asyncio.wait_for(reader.read(100), 0.02)
    except (ConnectionError, TimeoutError):
        pass
    finally:
        if chance.random() < 0.5:
            writer.transport.abort()
        writer.close()


async def attacked(clients: int, seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk()
    desk.gate.set()
    wrong: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
    async with running(desk, connect_timeout_seconds=1, max_connections_per_address=200) as endpoint:
        for _ in range(clients // 20):
            sessions = [mutated(session(chance), chance) for _ in range(20)]
            await asyncio.gather(*(bad_client(endpoint.port, each, chance) for each in sessions))
        good = await Client.open(endpoint.port, client_id="good")
        await good.send(press(1))
        while not isinstance(await good.read(), Puback):
            pass
        await good.close()
        await until(lambda: endpoint.statistics.connections == 0)
    assert wrong == []


async def test_mutated_sessions_stop_nobody() -> None:
    await attacked(1000, seed=5)


@pytest.mark.long
@pytest.mark.timeout(HOUR + 600)
async def test_mutated_sessions_stop_nobody_for_long() -> None:
    for seed in range(60):
        await attacked(2000, seed)


@pytest.mark.long
@pytest.mark.timeout(HOUR + 600)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="needs atheris, installed by hand")
def test_an_hour_of_fuzzing_finds_no_crash(tmp_path: Path) -> None:
    chance = random.Random(1)
    for number in range(200):
        (tmp_path / str(number)).write_bytes(bytes([number, 7]) + session(chance))
    command = [sys.executable, str(ROOT / "tests/harness/fuzz_mqtt.py"), str(HOUR), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
