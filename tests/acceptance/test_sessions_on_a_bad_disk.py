"""Sessions, retained messages, wills and QoS 2 of the running gateway on a disk that is full, or that fails."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness.daemon import Daemon
from harness.endpoint import Client
from harness.ledger import Ledger, lasting
from harness.tools import needs

from gateway.alarms.packets import Publish, Suback, Subscribe, Will

WILL = Will(topic="wills/a", payload=b"gone", qos=1, retain=True)
pytestmark = pytest.mark.timeout(150)


def fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        for size in (65536, 512):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


async def send_until_full(ledger: Ledger, filler: Path) -> None:
    """Publish until the disk takes no more, the reserve given up, and the last one again and again."""
    for _ in range(200):
        fill(filler)
        await ledger.send(5)
        if ledger.refused >= 3:
            return
    raise AssertionError("the disk was never full")


async def the_will(port: int) -> None:
    """It is published soon after the start, for its client does not come."""
    reader = await Client.open(port, client_id="heir")
    await reader.send(Subscribe(1, ((WILL.topic, 0),)))
    await reader.expect(Suback(1, (0,)))
    async with asyncio.timeout(30):
        while True:
            with suppress(TimeoutError):
                packet = await reader.read()
                break
    assert isinstance(packet, Publish)
    assert packet.payload == WILL.payload
    await reader.close()


async def test_a_full_disk_makes_no_acknowledgement_false(small_disk: Path) -> None:
    filler = small_disk / "filler"
    daemon = Daemon(small_disk / "gateway")
    await asyncio.to_thread(daemon.start)
    ledger = Ledger(daemon.mqtt_port)
    try:
        await ledger.subscribe()
        testator = await lasting(daemon.mqtt_port, "testator", will=WILL)
        await ledger.send(10)
        await send_until_full(ledger, filler)
        await ledger.send_next()
        for _ in range(3):
            fill(filler)
            await ledger.send(1)
        assert not (daemon.state / "reserve").exists()
        await asyncio.to_thread(daemon.kill)
        await testator.close()
        filler.unlink()
        await asyncio.to_thread(daemon.start)
        await ledger.check()
        await the_will(daemon.mqtt_port)
    finally:
        await asyncio.to_thread(daemon.stop)


async def test_a_full_disk_that_has_room_again_takes_all_that_it_refused(small_disk: Path) -> None:
    filler = small_disk / "filler"
    daemon = Daemon(small_disk / "gateway")
    await asyncio.to_thread(daemon.start)
    ledger = Ledger(daemon.mqtt_port)
    try:
        await ledger.subscribe()
        await send_until_full(ledger, filler)
        filler.unlink()
        await ledger.send(3)
        assert ledger.newest in ledger.acknowledged
        await asyncio.to_thread(daemon.kill)
        await asyncio.to_thread(daemon.start)
        await ledger.check()
    finally:
        await asyncio.to_thread(daemon.stop)


@contextmanager
def no_sync(pid: int) -> Iterator[None]:
    """From now on every sync of a process and its threads fails with EIO."""
    command = ["strace", "-f", "-o", "/dev/null", "-p", str(pid), "-e", "trace=fdatasync,fsync"]
    tracer = subprocess.Popen([*command, "-e", "inject=fdatasync,fsync:error=EIO"], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 30
        while not all(_traced(each) for each in Path(f"/proc/{pid}/task").iterdir()):
            if tracer.poll() is not None:
                assert tracer.stderr is not None
                pytest.skip(f"needs the right to trace a process: {tracer.stderr.read()}")
            assert time.monotonic() < until, "strace did not attach"
            time.sleep(0.05)
        yield
    finally:
        tracer.terminate()
        tracer.wait()
        assert tracer.stderr is not None
        tracer.stderr.close()


def _traced(task: Path) -> bool:
    fields = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
    return int(fields["TracerPid"]) != 0


@needs("strace")
async def test_a_sync_that_fails_makes_no_acknowledgement_false(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    await asyncio.to_thread(daemon.start)
    assert daemon.process is not None
    ledger = Ledger(daemon.mqtt_port)
    try:
        await ledger.subscribe()
        testator = await lasting(daemon.mqtt_port, "testator", will=WILL)
        await ledger.send(11)
        promised = len(ledger.acknowledged)
        with no_sync(daemon.process.pid):
            while ledger.refused < 2 and daemon.process.poll() is None:
                await ledger.send(5)
            assert len(ledger.acknowledged) == promised
            code = await asyncio.to_thread(daemon.process.wait, 60)
        assert code != 0
        await testator.close()
        await asyncio.to_thread(daemon.kill)
        await asyncio.to_thread(daemon.start)
        await ledger.check()
        await the_will(daemon.mqtt_port)
    finally:
        await asyncio.to_thread(daemon.stop)
