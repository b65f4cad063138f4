"""No acknowledged press is ever lost or doubled, whatever happens to the daemon, and each reaches the office once."""

import asyncio
import random
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from harness.daemon import BUTTON, Daemon
from harness.ports import free_port
from harness.press import Presser
from harness.tools import needs

from gateway.simulators.office import SimulatedOffice

PRESSES = 200
KILLS = 5
MOST_PRESSES = 2000  # on a machine so busy that a start takes seconds, until it was killed often enough
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def office_entry(port: int) -> str:
    return f"""
[[destinations]]
id = "office"
kind = "webhook"
url = "http://127.0.0.1:{port}/"
secret = "{SECRET}"
"""


class Killer:
    """Kills the daemon at random moments and starts it again."""

    def __init__(self, daemon: Daemon, seed: int) -> None:
        self.kills = 0
        self._daemon = daemon
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer")
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(0.05, 0.7)):
            self._daemon.kill()
            self.kills += 1
            self._daemon.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)


def press_by_mosquitto_pub(port: int, press_id: str) -> bool:
    """One press by `mosquitto_pub`; whether it was acknowledged."""
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-i", f"pub-{press_id}"]
    command += ["-t", "campus/east/button/btn-01/event", "-m", f'{{"id": "{press_id}", "type": "press"}}']
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=5).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.timeout(300)
@needs("mosquitto_pub")
async def test_each_acknowledged_press_is_stored_and_forwarded_exactly_once(tmp_path: Path) -> None:
    async with SimulatedOffice(secret=SECRET, port=free_port()) as office:
        daemon = Daemon(tmp_path, extra=BUTTON + office_entry(office.port))
        acknowledged, kills = await asyncio.to_thread(_press_while_killing, daemon)
        try:
            stored = await asyncio.to_thread(_stored_presses, daemon)
            wanted = set(stored)
            until = time.monotonic() + 60
            while not wanted <= {each["id"] for each in office.received} and time.monotonic() < until:
                await asyncio.sleep(0.1)
            received = Counter(each["id"] for each in office.received)
        finally:
            await asyncio.to_thread(daemon.stop)
    press_ids = Counter(stored.values())
    assert kills >= KILLS
    assert len(acknowledged) >= PRESSES
    assert not acknowledged - press_ids.keys(), "acknowledged, and not in the journal"
    assert max(press_ids.values()) == 1, "in the journal twice"
    assert wanted <= received.keys(), "in the journal, and never at the office"


def _press_while_killing(daemon: Daemon) -> tuple[set[str], int]:
    daemon.start()
    daemon.set_up_administrator()
    killer = Killer(daemon, seed=7)
    acknowledged = set()
    with Presser(daemon.mqtt_port) as presser:
        for number in range(MOST_PRESSES):
            if number >= PRESSES and killer.kills >= KILLS:
                break
            presser.press(f"paho-{number}")
            if number % 5 == 0 and press_by_mosquitto_pub(daemon.mqtt_port, f"pub-{number}"):
                acknowledged.add(f"pub-{number}")
            time.sleep(0.08)
        killer.end()
        presser.wait_all()
        acknowledged |= presser.acknowledged.keys()
    return acknowledged, killer.kills


def _stored_presses(daemon: Daemon) -> dict[str, str]:
    """Event id → press id of every press in the journal, read through the interface."""
    with daemon.client() as client:
        events = daemon.events(client, type="campus.button.pressed")
    assert len({event["id"] for event in events}) == len(events)
    return {event["id"]: event["data"]["press_id"] for event in events}
