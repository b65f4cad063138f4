"""With a broker of the site in between: a press is acknowledged to it only once it is on disk."""

import time
from pathlib import Path

import httpx
import pytest
from harness.broker import Mosquitto
from harness.daemon import Daemon
from harness.press import Presser
from harness.tools import needs

pytestmark = [needs("mosquitto"), pytest.mark.timeout(120)]


def stored_presses(daemon: Daemon) -> list[str]:
    with daemon.client() as client:
        events = daemon.events(client, type="campus.button.pressed")
    return [event["data"]["press_id"] for event in events]


def wait_for(daemon: Daemon, count: int) -> list[str]:
    until = time.monotonic() + 20
    while len(found := stored_presses(daemon)) < count and time.monotonic() < until:
        time.sleep(0.1)
    return found


def wait_until_joined(daemon: Daemon) -> None:
    until = time.monotonic() + 20
    while not all(readiness(daemon)["alarms"]["brokers"].values()) and time.monotonic() < until:
        time.sleep(0.1)


def test_presses_reach_the_journal_once_also_those_made_while_the_gateway_was_away(tmp_path: Path) -> None:
    keeps = (f"persistence_location {tmp_path}/", "persistence true", "autosave_interval 1", "autosave_on_changes true")
    with Mosquitto(tmp_path / "broker", settings=keeps) as broker:
        settings = ('mqtt.mode="external"', f'mqtt.url="mqtt://127.0.0.1:{broker.port}"')
        daemon = Daemon(tmp_path / "gateway", settings=settings)
        with daemon, Presser(broker.port) as presser:
            daemon.set_up_administrator()
            wait_until_joined(daemon)
            presser.press_and_wait("live")
            assert wait_for(daemon, 1) == ["live"]
            daemon.kill()
            for number in range(5):
                presser.press_and_wait(f"away-{number}")
            daemon.start()
            assert sorted(wait_for(daemon, 6)) == ["away-0", "away-1", "away-2", "away-3", "away-4", "live"]


def test_a_broker_that_is_away_is_a_state_and_is_joined_when_it_comes(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    settings = ('mqtt.mode="external"', f'mqtt.url="mqtt://127.0.0.1:{broker.port}"')
    with Daemon(tmp_path / "gateway", settings=settings) as daemon:
        daemon.set_up_administrator()
        assert readiness(daemon)["alarms"]["brokers"] == {f"mqtt://127.0.0.1:{broker.port}": False}
        with broker:
            wait_until_joined(daemon)
            with Presser(broker.port) as presser:
                presser.press_and_wait("late")
            assert wait_for(daemon, 1) == ["late"]


def test_5_a_subscription_that_is_granted_and_filtered_is_seen_as_a_button_that_was_never_heard(tmp_path: Path) -> None:
    """Facts of the field: mosquitto answers «granted» to a subscription that its list forbids, and delivers nothing."""
    rights = tmp_path / "acl"
    rights.write_text("topic write campus/#\n", "utf-8")
    rights.chmod(0o600)
    with Mosquitto(tmp_path / "broker", settings=(f"acl_file {rights}",)) as broker:
        settings = ('mqtt.mode="external"', f'mqtt.url="mqtt://127.0.0.1:{broker.port}"')
        with Daemon(tmp_path / "gateway", settings=settings) as daemon, Presser(broker.port) as presser:
            daemon.set_up_administrator()
            wait_until_joined(daemon)
            presser.press_and_wait("filtered")
            with daemon.client() as client:
                tried = client.post("/devices/btn-01/test", json={"seconds": 2}).json()
                (seen,) = (each for each in client.get("/protection").json()["items"] if each["device"] == "btn-01")
            assert all(readiness(daemon)["alarms"]["brokers"].values()), "the broker says that all is well"
            assert (tried["passed"], tried["pressed"]) == (False, False)
            assert (seen["reaches"], "never_heard" in seen["reasons"]) == (False, True)
            assert stored_presses(daemon) == []


def readiness(daemon: Daemon) -> dict[str, dict[str, dict[str, bool]]]:
    body: dict[str, dict[str, dict[str, bool]]] = httpx.get(f"{daemon.url}/readyz").json()
    return body
