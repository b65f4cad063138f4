"""Devices of several makers, an alarm panel, tests and a restart, as a user of the daemon meets them."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from harness.daemon import Daemon, problems
from harness.ports import free_port
from harness.rawmqtt import RawClient

from gateway.simulators.panel import SimulatedPanel

SECRET = "whsec_" + "A" * 43 + "="
DEVICES = """
[sia]
port = {sia}
accounts = [{{ account = "ABCD", key = "000102030405060708090A0B0C0D0E0F" }}]

[[dialects]]
id = "acme"
[[dialects.messages]]
topic = "acme/{{address}}/alarm"
value = "/code"
values = {{ "1" = "press", "0" = "clear" }}

[[devices]]
id = "btn-01"
name = "东门岗亭"
place = "East gate booth"
[[devices]]
id = "z2m"
dialect = "zigbee2mqtt"
topic = "zigbee2mqtt/library"
actions = {{ hold = "duress" }}
[[devices]]
id = "acme-1"
dialect = "acme"
[[devices]]
id = "panel"
dialect = "sia"
account = "ABCD"
"""


@pytest.fixture(scope="module")
def sia_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, sia_port: int) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("protection")
    with Daemon(folder, extra=DEVICES.format(sia=sia_port)) as running:
        running.set_up_administrator()
        yield running


@contextmanager
def office() -> Iterator[str]:
    """A simulated office of its own process; its address."""
    command = [sys.executable, "-m", "gateway.simulators", "office", "--port", "0", "--exit-with-parent"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]  # as the keywords say
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.stdin.close()
        process.wait(10)


def publish(daemon: Daemon, topic: str, payload: str) -> None:
    with RawClient(daemon.mqtt_port) as client:
        client.publish(topic, payload.encode())


def own_press(daemon: Daemon, press: str, kind: str = "press") -> None:
    publish(daemon, "campus/east/button/btn-01/event", f'{{"id": "{press}", "type": "{kind}"}}')


def presses(daemon: Daemon, client: httpx.Client, device: str) -> list[dict[str, Any]]:
    source = f"/site/east/button/{device}"
    return [each["data"] for each in daemon.events(client, source=source, type="campus.button.pressed")]


def sees_all(client: httpx.Client) -> None:
    """Enrol the client as a post that may be told of silent presses."""
    enrolled = client.post("/posts", json={"name": "test", "place": "here", "discreet_safe": True})
    assert enrolled.is_success, enrolled.text


def of(items: list[dict[str, Any]], device: str) -> dict[str, Any]:
    return next(each for each in items if each["device"] == device)


def test_a_zigbee_button_alarms_by_its_own_words(daemon: Daemon) -> None:
    publish(daemon, "zigbee2mqtt/library", '{"action": "single", "battery": 71, "linkquality": 90}')
    publish(daemon, "zigbee2mqtt/library", '{"action": "", "battery": 71, "linkquality": 90}')
    publish(daemon, "zigbee2mqtt/library", '{"action": "hold", "battery": 71}')
    with daemon.client() as client:
        sees_all(client)
        assert [each["kind"] for each in presses(daemon, client, "z2m")] == ["press", "duress"]
        device = client.get("/devices/z2m").json()
        assert device["status"]["battery"] == 71
        assert device["topics"][:2] == ["zigbee2mqtt/library", "zigbee2mqtt/library/availability"]


def test_a_second_press_counts_on_the_same_incident(daemon: Daemon) -> None:
    with daemon.client() as client:
        for press in ("count-1", "count-1", "count-2"):
            own_press(daemon, press)

        def incidents() -> list[int]:
            items = client.get("/incidents", params={"state": "open"}).json()["items"]
            return [each["count"] for each in items if each["source"] == "/site/east/button/btn-01"]

        _until(lambda: incidents() == [2])


def test_a_device_that_only_the_configuration_describes_alarms(daemon: Daemon) -> None:
    publish(daemon, "acme/acme-1/alarm", '{"code": 1}')
    with daemon.client() as client:
        assert len(presses(daemon, client, "acme-1")) == 1


@pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])
def test_an_alarm_panel_alarms(daemon: Daemon, sia_port: int, udp: bool) -> None:
    panel = SimulatedPanel(host="127.0.0.1", port=sia_port, account="ABCD", key=bytes(range(16)), udp=udp)
    answer = panel.report("1120" if udp else "1122", 12)
    panel.close()
    assert answer.token == "ACK"
    with daemon.client() as client:
        sees_all(client)
        found = presses(daemon, client, "panel")[-1]
        assert found["kind"] == ("press" if udp else "silent")
        assert "zone 12" in found["detail"]


def test_a_device_by_api_is_heard_at_once_and_one_of_an_unknown_dialect_is_refused(daemon: Daemon) -> None:
    with daemon.client() as client:
        linked = client.post("/devices", json={"id": "odd", "linked_cameras": ["cam-99"]})
        assert (linked.status_code, linked.json()["code"]) == (422, "link_to_no_camera")
        assert "cam-99" in linked.json()["detail"]
        assert client.get("/devices/odd").status_code == 404
        refused = client.post("/devices", json={"id": "odd", "dialect": "klingon"})
        assert refused.status_code == 422
        assert "klingon" in refused.json()["detail"]
        body = {"id": "shelly", "dialect": "shelly1", "topic": "shellies/shellybutton1-1"}
        assert client.post("/devices", json=body).status_code == 201
        linked = client.patch(f"/devices/{body['id']}", json={"linked_cameras": ["cam-99"]})
        assert (linked.status_code, linked.json()["where"]) == (422, "linked_cameras")
        publish(daemon, "shellies/shellybutton1-1/input_event/0", '{"event": "S", "event_cnt": 4}')
        assert len(presses(daemon, client, "shelly")) == 1
        assert client.delete("/devices/shelly").status_code == 204
        publish(daemon, "shellies/shellybutton1-1/input_event/0", '{"event": "S", "event_cnt": 5}')
        assert len(presses(daemon, client, "shelly")) == 1


def test_a_camera_that_a_device_names_is_removed_when_no_device_names_it(daemon: Daemon) -> None:
    with daemon.client() as client:
        assert client.post("/cameras", json={"id": "hall", "url": "rtsp://10.255.255.1/live"}).status_code == 201
        assert client.post("/devices", json={"id": "hall-button", "linked_cameras": ["hall"]}).status_code == 201
        refused = client.delete("/cameras/hall")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "device hall-button (linked_cameras)" in refused.json()["detail"]
        assert client.patch("/devices/hall-button", json={"linked_cameras": []}).status_code == 200
        assert client.delete("/cameras/hall").status_code == 204
        assert client.delete("/devices/hall-button").status_code == 204


def test_the_view_says_what_would_not_reach_the_office_and_why(daemon: Daemon) -> None:
    own_press(daemon, "alive-1")
    with daemon.client() as client:
        view = client.get("/protection").json()
        assert view["reaching"] == 0
        assert of(view["items"], "btn-01")["reasons"] == ["no_destination"]
        told = _try(daemon, client)
        assert (told["pressed"], told["passed"], told["reason"]) == (True, False, "no_destination")
        with office() as url:
            entry = {"id": "office", "url": url, "secret": SECRET}
            assert client.post("/destinations", json=entry).status_code == 201
            own_press(daemon, "alive-2")
            _until(lambda: of(client.get("/protection").json()["items"], "btn-01")["warnings"] == [])
            view = client.get("/protection").json()
            assert of(view["items"], "btn-01")["reaches"]
            _round_trip(daemon, client)
            assert client.delete("/destinations/office").status_code == 204


def _try(daemon: Daemon, client: httpx.Client) -> dict[str, Any]:
    presser = threading.Timer(0.5, own_press, (daemon, f"round-trip-{time.monotonic_ns()}"))
    presser.start()
    result: dict[str, Any] = client.post("/devices/btn-01/test", json={"seconds": 20}, timeout=40).json()
    presser.join()
    return result


def _round_trip(daemon: Daemon, client: httpx.Client) -> None:
    result = _try(daemon, client)
    assert (result["passed"], result["reason"]) == (True, "")
    assert result["answered"]
    assert result["destinations"] == [{"destination": "office", "state": "accepted"}]
    stored = client.get("/events", params={"after": result["position"] - 1, "limit": 1}).json()["items"][0]["event"]
    assert (stored["type"], stored["data"]["kind"]) == ("campus.button.tested", "press")


def test_a_button_that_nobody_presses_fails_its_test_and_its_next_press_is_real(daemon: Daemon) -> None:
    with daemon.client() as client:
        before = len(presses(daemon, client, "btn-01"))
        result = client.post("/devices/btn-01/test", json={"seconds": 0.2}).json()
        assert (result["passed"], result["pressed"]) == (False, False)
        own_press(daemon, "after-the-test")
        assert len(presses(daemon, client, "btn-01")) == before + 1


@pytest.mark.restarts_shared_daemon
def test_a_walk_test_ticks_devices_off_survives_a_kill_and_writes_a_report(daemon: Daemon) -> None:
    with daemon.client() as client:
        before = len(presses(daemon, client, "btn-01"))
        walk = client.post("/walktests", json={"devices": ["btn-01", "z2m", "acme-1"], "minutes": 30}).json()
        assert client.post("/walktests", json={}).status_code == 409
        assert client.post("/devices/z2m/test", json={"seconds": 1}).status_code == 409
        own_press(daemon, "walk-1")
        own_press(daemon, "walk-1")
        assert client.get(f"/walktests/{walk['id']}").json()["pressed"] == 1
        assert len(presses(daemon, client, "btn-01")) == before
        own_press(daemon, "walk-2")
        assert len(presses(daemon, client, "btn-01")) == before + 1, "a second press is real"
    daemon.kill()
    daemon.start()
    with daemon.client() as client:
        assert client.get("/walktests").json()["current"] == walk["id"]
        publish(daemon, "zigbee2mqtt/library", '{"action": "hold"}')
        own_press(daemon, "walk-3")
        assert len(presses(daemon, client, "btn-01")) == before + 2, "it was ticked before the kill"
        found = client.get(f"/walktests/{walk['id']}").json()
        assert found["missing"] == ["acme-1"]
        assert of(found["ticks"], "z2m")["kind"] == "press", "this browser is not discreet-safe"
        token = client.post("/tokens", json={"name": "office", "role": "viewer"}).json()["token"]
        told = httpx.get(f"{daemon.url}/api/v1/walktests/{walk['id']}", headers={"Authorization": f"Bearer {token}"})
        assert of(told.json()["ticks"], "z2m")["kind"] == "duress"
        ended = client.delete(f"/walktests/{walk['id']}").json()
        assert ended["ended"] is not None
        report = client.get(f"/walktests/{walk['id']}/report.txt").text
        assert "2 / 3" in report
        assert "东门岗亭" in report
        assert "测试 test" in report
        publish(daemon, "acme/acme-1/alarm", '{"code": 1}')
        assert presses(daemon, client, "acme-1"), "after the end presses are real"


def test_a_walk_test_ends_by_itself_when_all_were_pressed(daemon: Daemon) -> None:
    with daemon.client() as client:
        walk = client.post("/walktests", json={"devices": ["btn-01"], "minutes": 5}).json()
        own_press(daemon, "walk-last")
        _until(lambda: client.get("/walktests").json()["current"] is None)
        assert client.get(f"/walktests/{walk['id']}").json()["missing"] == []
        ended = [
            each for each in daemon.events(client, type="campus.walktest.ended") if each["data"]["walk"] == walk["id"]
        ]
        assert [each["data"]["pressed"] for each in ended] == [1]


@pytest.mark.restarts_shared_daemon
def test_a_restart_keeps_what_is_known_and_says_no_loss_again(daemon: Daemon) -> None:
    publish(daemon, "campus/east/button/btn-01/health", '{"battery": 9, "firmware": "1.4.2"}')
    publish(daemon, "campus/east/button/btn-01/state", '{"online": false}')
    with daemon.client() as client:
        _until(lambda: client.get("/devices/btn-01").json()["status"]["lost"])
    daemon.kill()
    daemon.start()
    daemon.stop()
    daemon.start()
    with daemon.client() as client:
        status = client.get("/devices/btn-01").json()["status"]
        assert status["lost"]
        publish(daemon, "campus/east/button/btn-01/health", '{"battery": 8, "firmware": "1.4.2"}')
        assert not client.get("/devices/btn-01").json()["status"]["lost"]
        kinds = [each["type"] for each in daemon.events(client, source="/site/east/button/btn-01")]
        assert kinds.count("campus.button.lost") == 1
        assert kinds.count("campus.button.restored") == 1
        assert kinds.count("campus.button.battery_low") == 1


def test_no_traceback_in_the_log(daemon: Daemon) -> None:
    assert problems(daemon.log) == []


def _until(true: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.1)
