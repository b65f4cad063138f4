"""Starts and stops in bad circumstances."""

import fcntl
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from harness.daemon import BUTTON, Daemon, problems
from harness.rawmqtt import RawClient


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def press_until_full(daemon: Daemon, filler: Path) -> None:
    for number in range(2000):
        try:
            with RawClient(daemon.mqtt_port, f"full-{number}") as button:
                button.press(f"full-{number}")
        except OSError:
            if not (daemon.state / "reserve").exists():
                return
        fill(filler)
    raise AssertionError("the disk was never full")


def test_a_gateway_starts_and_stops_on_a_full_disk_and_takes_presses_once_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    with Daemon(small_disk / "gateway") as daemon:
        daemon.set_up_administrator()
        press_until_full(daemon, filler)
        assert httpx.get(f"{daemon.url}/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE
        daemon.kill()
        daemon.start()
        assert daemon.stop() == 0
        daemon.start()
        filler.unlink()
        with RawClient(daemon.mqtt_port) as button:
            button.press("there is room")
        assert daemon.stop() == 0
        assert not problems(daemon.log)


@pytest.fixture
def no_nohup() -> Iterator[None]:
    """The tests may run under ``nohup``; what they start is not to inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("no_nohup")
def test_the_end_of_its_terminal_ends_the_gateway_in_order(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGHUP)
        assert daemon.process.wait(30) == 0
        assert daemon.stop() == 0
        assert not (daemon.state / "running").exists()


def test_files_of_lesser_parts_that_are_gone_keep_no_press_from_being_taken(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    lesser = f"""
[matching]
embedder = "{gone}.onnx"
[[cameras]]
id = "cam-01"
url = "rtsp://127.0.0.1:1/live"
username = "u"
password_file = "{gone}"
[[destinations]]
id = "office"
url = "https://127.0.0.1:1/"
secret_file = "{gone}"
"""
    with Daemon(tmp_path / "gateway", extra=BUTTON + lesser) as daemon:
        with RawClient(daemon.mqtt_port) as button:
            button.press("help")
        daemon.set_up_administrator()
        with daemon.client() as client:
            assert len(daemon.events(client, type="campus.button.pressed")) == 1
            (fault,) = [each["data"] for each in daemon.events(client) if each["data"].get("fault") == "entry_unusable"]
            assert fault["figures"] == {"kind": "camera", "identity": "cam-01"}
        said = "\n".join(daemon.log)
    for key in ("cameras.cam-01.password_file", "destinations.office.secret_file"):
        assert key in said


def test_whoever_holds_up_incidents_is_seen_in_the_readiness(tmp_path: Path) -> None:
    with Daemon(tmp_path / "gateway") as daemon:
        daemon.set_up_administrator()
        with (daemon.state / "state.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with RawClient(daemon.mqtt_port) as button:
                button.press("help")  # acknowledged all the same
            until = time.monotonic() + 30
            while httpx.get(f"{daemon.url}/readyz").status_code != 503:
                assert time.monotonic() < until
                time.sleep(0.1)
        until = time.monotonic() + 30
        while httpx.get(f"{daemon.url}/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        with daemon.client() as client:
            assert client.get("/incidents").json()["items"]
