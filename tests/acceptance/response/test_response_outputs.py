"""What a press drives at the place: sirens and lamps until it is taken, and nothing at all if it is silent."""

from typing import Any

import httpx
import pytest
from harness.daemon import Daemon
from harness.listening import MqttListener
from harness.press import Presser
from harness.response import command, press, resolve_all, the_open, until
from harness.stream import StreamReader

pytestmark = pytest.mark.timeout(170)
OUTPUTS = {
    "campus/east/output/siren-own/set": (b'"on": true', b'"on": false'),
    "shellyplus1-a8/rpc": (b'"on": true', b'"on": false'),
    "shellies/shelly1-b9/relay/0/command": (b"on", b"off"),
    "cmnd/lamp/Backlog": (b"Power1 ON", b""),
    "zigbee2mqtt/siren/set": (b'"emergency"', b'"stop"'),
}


def test_a_press_drives_every_output_until_it_is_taken(daemon: Daemon, safe: httpx.Client, presser: Presser) -> None:
    with MqttListener(daemon.mqtt_port) as listener:
        press(presser)
        incident = the_open(safe)
        for topic, (on, _off) in OUTPUTS.items():
            listener.wait(topic, on)
        assert command(safe, incident["id"], "acknowledge").status_code == httpx.codes.OK
        for topic, (_on, off) in OUTPUTS.items():
            if off:
                listener.wait(topic, off)
        resolve_all(safe)
        listener.wait("cmnd/lamp/Power1", b"OFF")


def shown(client: httpx.Client) -> tuple[str | None, list[dict[str, Any]]]:
    """When the button was pressed last, and what the office got of it: as a caller may know."""
    status = client.get("/devices/btn-01").json()["status"]
    assert "last_loud_press" not in status
    return status["last_press"], client.get("/destinations/office/deliveries", params={"limit": 500}).json()["items"]


@pytest.mark.parametrize("kind", ["silent", "duress"])
def test_a_discreet_press_drives_nothing_at_the_place(
    daemon: Daemon, safe: httpx.Client, client: httpx.Client, presser: Presser, kind: str
) -> None:
    """Through its whole life, escalation included: no output, no feedback, and no other screen learns of it."""
    after = client.get("/events", params={"last": 1}).json()["next"]
    before = shown(client)
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    stream = StreamReader(daemon.url, cookies, after)
    with MqttListener(daemon.mqtt_port) as listener:
        press(presser, kind)
        incident = the_open(safe)
        assert (incident["discreet"], incident["state"]) == (True, "raised")
        assert client.get("/incidents", params={"state": "open"}).json()["items"] == []
        assert client.get(f"/incidents/{incident['id']}").status_code == httpx.codes.NOT_FOUND
        assert command(client, incident["id"], "acknowledge").status_code == httpx.codes.NOT_FOUND
        assert client.get("/events", params={"after": after}).json()["items"] == []
        for verb, more in [("acknowledge", {}), ("dispatch", {"to": "two, in plain clothes"}), ("note", {"note": "n"})]:
            assert command(safe, incident["id"], verb, **more).status_code == httpx.codes.OK
        detail = safe.get(f"/incidents/{incident['id']}").json()
        assert detail["procedure"]["id"] == "press-discreet"
        resolve_all(safe)
        assert [topic for topic in listener.topics() if not topic.endswith(("/health", "/state"))] == []
    told = {each["event"]["id"] for each in safe.get("/events", params={"after": after}).json()["items"]}
    assert len(told) > 3
    until(lambda: told <= {each["event"] for each in shown(safe)[1]}, "its deliveries")
    assert shown(safe)[0] != before[0]
    assert shown(client) == before
    press(presser, "test")  # what comes behind it is told to all
    stream.wait(1, "campus.button.tested")
    told = {event["type"] for _at, event in stream.arrived.values()}
    stream.close()
    assert told == {"campus.button.tested"}
    kinds = [each["event"]["type"] for each in safe.get("/events", params={"after": after}).json()["items"]]
    assert {"campus.button.pressed", "campus.incident.opened", "campus.incident.resolved"} <= set(kinds)


def test_an_output_can_be_tried(daemon: Daemon, client: httpx.Client) -> None:
    with MqttListener(daemon.mqtt_port) as listener:
        assert client.post("/outputs/siren-own/test").status_code == httpx.codes.ACCEPTED
        listener.wait("campus/east/output/siren-own/set", b'"on": true')
    shown = {each["id"]: each["status"] for each in client.get("/outputs").json()["items"]}
    assert shown["siren-own"]["testing"] is True
    assert shown["siren-shelly"]["on"] is False
    assert client.post("/outputs/none/test").status_code == httpx.codes.NOT_FOUND
