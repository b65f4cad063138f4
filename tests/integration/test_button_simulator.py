"""`simulate button` and `simulate --help` as a user types them."""

from pathlib import Path

import pytest
from harness.command import command
from harness.daemon import Daemon
from harness.ports import free_port


def test_a_press_that_nobody_takes_is_no_press() -> None:
    done = command("simulate", "button", "--port", str(free_port()), "--every", "0.1", "--count", "1")
    assert done.returncode == 1
    assert "pressed" not in done.stdout
    assert "Nothing was pressed" in done.stderr


def test_presses_by_the_clock_are_acknowledged_before_it_ends(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        options = ["--port", str(daemon.mqtt_port), "--site", "east", "--every", "0.01", "--count", "3"]
        done = command("simulate", "button", *options)
        assert done.returncode == 0, done.stderr
        daemon.set_up_administrator()
        with daemon.client() as client:
            stored = {each["data"]["press_id"] for each in daemon.events(client, type="campus.button.pressed")}
    assert {line.removeprefix("pressed ") for line in done.stdout.splitlines() if line.startswith("pressed")} == stored


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_names_the_kinds(asked: str) -> None:
    done = command("simulate", asked)
    assert done.returncode == 0
    assert "camera   an ONVIF camera" in done.stdout


def test_help_of_a_kind_is_its_own() -> None:
    assert "--health-seconds" in command("simulate", "button", "--help").stdout
