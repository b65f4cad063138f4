"""The wall clock jumps by an hour under a running gateway, and over its death: what waits, waits its own time."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.daemon import BUTTON, Daemon
from harness.faketime import environment_of, needs_faketime
from harness.press import Presser

RULES = "[incidents]\nescalate_after_seconds = [3, 600, 1200]\nunattended_level = 0\n"
pytestmark = [
    pytest.mark.long,  # a start takes long with every look at the clock intercepted
    needs_faketime,
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, wall: Path) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("jumps")
    with Daemon(folder, extra=BUTTON + RULES, environment=environment_of(wall)) as running:
        running.set_up_administrator()
        yield running


def until(found: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.05)
    return value


def levels(daemon: Daemon, incident: str) -> list[int]:
    with daemon.client() as client:
        escalated = daemon.events(client, type="campus.incident.escalated")
    return [each["data"]["level"] for each in escalated if each["data"]["incident"] == incident]


def press(daemon: Daemon, name: str) -> str:
    """One press; the incident that it is in."""
    with Presser(daemon.mqtt_port) as presser:
        presser.press_and_wait(name)

    def raised() -> Any:
        with daemon.client() as client:
            return client.get("/incidents", params={"state": "raised"}).json()["items"]

    return str(until(raised, "the incident")[0]["id"])


def resolve(daemon: Daemon, incident: str) -> None:
    with daemon.client() as client:
        body = {"command_id": f"resolve {incident}", "verdict": "test"}
        assert client.post(f"/incidents/{incident}/resolve", json=body).status_code == httpx.codes.OK


@pytest.mark.parametrize("offset", ["+3600", "-3600"])
def test_an_hour_forward_or_back_escalates_neither_early_nor_late(daemon: Daemon, wall: Path, offset: str) -> None:
    incident = press(daemon, f"press {offset}")
    wall.write_text(offset)
    until(lambda: levels(daemon, incident), "the first level")
    assert levels(daemon, incident) == [1]  # the second would be due in ten minutes
    wall.write_text("+0")
    resolve(daemon, incident)


@pytest.mark.restarts_shared_daemon
@pytest.mark.parametrize("offset", ["+3600", "-3600"])
def test_nor_does_it_if_the_gateway_was_killed_meanwhile(daemon: Daemon, wall: Path, offset: str) -> None:
    incident = press(daemon, f"killed {offset}")
    until(lambda: levels(daemon, incident), "the first level")
    daemon.kill()
    wall.write_text(offset)
    daemon.start()
    second = press(daemon, f"killed again {offset}")
    assert second == incident
    assert levels(daemon, incident) == [1]
    wall.write_text("+0")
    resolve(daemon, incident)


@pytest.mark.restarts_shared_daemon
def test_a_drill_goes_on_after_a_kill_and_ends_in_its_time(daemon: Daemon, wall: Path) -> None:
    with daemon.client() as client:
        begun = client.post("/drill", json={"minutes": 0.5, "devices": ["btn-01"]})
        assert begun.status_code == httpx.codes.CREATED
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        assert client.get("/drill").json()["drill"]["id"] == begun.json()["drill"]["id"]
        until(lambda: not client.get("/drill").json()["active"], "the drill's end")
        assert client.get("/drills").json()["items"][0]["reason"] == "its time was over"
