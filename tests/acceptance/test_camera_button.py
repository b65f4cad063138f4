"""A button that is wired to a camera, as a school meets it: the daemon, its devices child, a camera over ONVIF."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.daemon import Daemon

SECRET = "p@ss:w/rd#1"
ENTRIES = """
[[cameras]]
id = "cam-01"
place = "East gate"
url = "{url}"
username = "gate"
password_file = "{secret}"
[[devices]]
id = "booth"
name = "岗亭"
dialect = "onvif"
camera = "cam-01"
input = "1"
health_deadline_seconds = 60
"""
pytestmark = pytest.mark.timeout(170)


@dataclass(frozen=True)
class Camera:
    """A simulated camera in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def make(self, state: str) -> None:
        """Have its contact 1 become ``active`` or ``inactive``."""
        base = self.url.replace("onvif://", "http://")
        httpx.post(f"{base}/simulated/input/1/{state}", timeout=30).raise_for_status()


@contextmanager
def camera(secret: Path, *quirks: str) -> Iterator[Camera]:
    command = [sys.executable, "-m", "gateway.simulators", "camera", "--username", "gate"]
    command += ["--password-file", str(secret), *(word for quirk in quirks for word in ("--quirk", quirk))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Camera(process.stdout.readline().split()[1], process)
        finally:
            process.kill()


def until(found: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.1)
    return value


def told(daemon: Daemon, client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    return [each for each in daemon.events(client) if each["type"] == kind]


def heard(client: httpx.Client) -> bool:
    return client.get("/devices/booth").json()["status"]["last_seen"] is not None


def cut(gate: Camera) -> None:
    """Cut each RTSP session, as a restart of the camera's server does."""
    httpx.post(f"{gate.url.replace('onvif://', 'http://')}/simulated/rtsp/cut", timeout=30).raise_for_status()


def events_by(client: httpx.Client) -> str:
    return str(client.get("/cameras/cam-01").json()["status"]["description"].get("events_by", ""))


def test_a_button_is_heard_by_the_metadata_of_a_camera_that_is_neither_pulled_nor_pushes(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with camera(secret, "metadata-unset", "wrong-host") as gate:
        daemon = Daemon(tmp_path / "d", extra=ENTRIES.format(url=gate.url, secret=secret))
        with daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                until(lambda: heard(client), "a sign of life")
                until(lambda: events_by(client) == "metadata", "the way by which it is heard")
                assert told(daemon, client, "campus.button.pressed") == []
                gate.make("active")
                (press,) = until(lambda: told(daemon, client, "campus.button.pressed"), "the press")
                assert press["data"]["device"] == "booth"
                gate.make("inactive")
                until(lambda: told(daemon, client, "campus.button.cleared"), "the clearing")

                cut(gate)
                gate.make("active")
                presses = until(
                    lambda: (found := told(daemon, client, "campus.button.pressed"))[1:] and found, "the second press"
                )
                assert len(presses) == 2
                assert presses[1]["data"].get("detail") == "changed while the camera was not heard"
                until(lambda: events_by(client) == "metadata", "the way by which it is heard again")
            assert SECRET not in "".join(daemon.log)


def test_a_closed_contact_is_a_press_also_when_nobody_heard_it_close(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with camera(secret, "wrong-host", "clock-off=7200") as gate:
        daemon = Daemon(tmp_path / "d", extra=ENTRIES.format(url=gate.url, secret=secret))
        with daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                until(lambda: heard(client), "a sign of life")
                assert told(daemon, client, "campus.button.pressed") == []
                gate.make("active")
                (press,) = until(lambda: told(daemon, client, "campus.button.pressed"), "the press")
                assert press["data"]["device"] == "booth"
                assert press["severity"] == "critical"
                assert until(lambda: told(daemon, client, "campus.camera.input_triggered"), "the input's own event")
                gate.make("inactive")
                until(lambda: told(daemon, client, "campus.button.cleared"), "the clearing")

                (child,) = [pid for pid, command in daemon.children().items() if " devices " in f"{command} "]
                os.kill(child, signal.SIGKILL)
                gate.make("active")
                presses = until(
                    lambda: (found := told(daemon, client, "campus.button.pressed"))[1:] and found, "the press"
                )
                details = [each["data"].get("detail") for each in presses]
                assert "changed while the camera was not heard" in details

                gate.process.kill()
                assert until(lambda: told(daemon, client, "campus.button.lost"), "the loss", 100)
            assert SECRET not in "".join(daemon.log)
