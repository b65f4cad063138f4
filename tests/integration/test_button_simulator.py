"""`simulate button` and `simulate --help` as a user types them."""

from pathlib import Path
from types import SimpleNamespace

import httpx
import paho.mqtt.client as mqtt
import pytest
from harness.command import command
from harness.daemon import Daemon
from harness.ports import free_port

from gateway.simulators.button import SimulatedButton
from gateway.simulators.dispatch import KINDS


def test_a_press_that_nobody_takes_is_no_press() -> None:
    port = free_port()
    done = command("simulate", "button", "--port", str(port), "--every", "0.1", "--count", "1")
    assert done.returncode == 1
    assert "pressed" not in done.stdout
    first, last = done.stderr.splitlines()
    assert first == f"button: cannot reach 127.0.0.1:{port}; is the gateway running?", "once, however often it tried"
    assert "Nothing was pressed" in last


@pytest.mark.parametrize("times", [1, 3])
def test_a_cause_is_told_once_until_there_was_a_connection(times: int) -> None:
    told: list[str] = []
    button = SimulatedButton(host="127.0.0.1", port=1, site="east", device="btn-01", on_trouble=told.append)
    for _ in range(times):
        button._unreachable(None, None)
    assert told == ["cannot reach 127.0.0.1:1; is the gateway running?"]
    button._connected(button._client, None, None, SimpleNamespace(is_failure=False))
    button._unreachable(None, None)
    assert len(told) == 2
    for _ in range(times):
        button._connected(button._client, None, None, Refusal())
    assert told[2:] == ["127.0.0.1:1 refused the connection: Not authorized"]


class Refusal:
    is_failure = True

    def __str__(self) -> str:
        return "Not authorized"


def test_presses_by_the_clock_are_acknowledged_before_it_ends(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        options = ["--port", str(daemon.mqtt_port), "--site", "east", "--every", "0.01", "--count", "3"]
        done = command("simulate", "button", *options)
        assert done.returncode == 0, done.stderr
        daemon.set_up_administrator()
        with daemon.client() as client:
            stored = {each["data"]["press_id"] for each in daemon.events(client, type="campus.button.pressed")}
    assert {line.removeprefix("pressed ") for line in done.stdout.splitlines() if line.startswith("pressed")} == stored


def test_a_press_of_a_button_that_the_gateway_does_not_know_is_told(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        options = ["--port", str(daemon.mqtt_port), "--site", "east", "--device", "btn-77"]
        done = command("simulate", "button", *options, "--every", "0.01", "--count", "2")
    assert done.returncode == 1
    assert "2 of the presses were acknowledged, but not taken as presses. Is btn-77" in done.stderr


def test_enter_sends_the_kind_that_was_asked_for(tmp_path: Path) -> None:
    """Who tries whether a silent press is silent must not call the police."""
    with Daemon(tmp_path) as daemon:
        options = ["--port", str(daemon.mqtt_port), "--site", "east", "--kind", "silent", "--exit-with-parent"]
        done = command("simulate", "button", *options, entered="\n")
        assert done.returncode == 0, done.stderr
        daemon.set_up_administrator()
        with daemon.client() as client:
            token = client.post("/tokens", json={"name": "all", "role": "admin"}).json()["token"]
        with httpx.Client(base_url=f"{daemon.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as reader:
            (press,) = daemon.events(reader, type="campus.button.pressed")
    assert press["data"]["kind"] == "silent"


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_names_the_kinds(asked: str) -> None:
    done = command("simulate", asked)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")] == list(KINDS)


def test_help_of_a_kind_is_its_own() -> None:
    assert "--health-seconds" in command("simulate", "button", "--help").stdout


@pytest.mark.parametrize("payload", [b"no json", b"\xff", b"[1]", b""])
def test_feedback_that_is_none_does_not_end_the_thread(payload: bytes) -> None:
    """At a broker anybody may write there; what escaped from the call would end paho's thread, and the button."""
    heard: list[object] = []
    button = SimulatedButton(host="127.0.0.1", port=1, site="east", device="btn-01", on_feedback=heard.append)
    for each in (payload, b'{"state": "received"}'):
        message = mqtt.MQTTMessage(topic=b"campus/east/button/btn-01/feedback")
        message.payload = each
        button._answered(None, None, message)
    assert heard == [{"state": "received"}]
