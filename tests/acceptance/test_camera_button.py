"""A button that is wired to a camera, as a school meets it: the daemon, its devices child, a camera over ONVIF."""

import os
import signal
from pathlib import Path

import httpx
import pytest
from harness.camera_process import SECRET, Camera, camera, told, until
from harness.daemon import Daemon

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
