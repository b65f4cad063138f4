"""Drills: marked end to end, kept from the police, real when said so, and over by themselves."""

from typing import Any

import httpx
import pytest
from harness.daemon import Daemon
from harness.listening import MqttListener
from harness.press import Presser
from harness.response import command, press, resolve_all, the_open, until

from gateway.simulators.receiver import WebhookReceiver

pytestmark = pytest.mark.timeout(170)


def test_a_drill_is_marked_end_to_end_and_the_police_never_learn_of_it(
    daemon: Daemon,
    safe: httpx.Client,
    presser: Presser,
    other: Presser,
    office: WebhookReceiver,
    police: WebhookReceiver,
) -> None:
    begun = safe.post("/drill", json={"minutes": 5, "devices": ["btn-01"], "note": "fire at the gate"})
    assert begun.status_code == httpx.codes.CREATED, begun.text
    assert begun.json()["destinations"] == {"office": "marked", "police": "withheld"}
    assert safe.post("/drill", json={"minutes": 5}).status_code == httpx.codes.CONFLICT
    with MqttListener(daemon.mqtt_port) as listener:
        press(presser)
        incident = the_open(safe)
        assert (incident["drill"], incident["during_drill"]) == (True, False)
        command(safe, incident["id"], "acknowledge")
        command(safe, incident["id"], "dispatch", to="patrol")
        press(presser)  # the drill's press was made: this one is real
        real = next(each for each in the_open(safe, 2) if not each["drill"])
        assert real["during_drill"] is True
        listener.wait("zigbee2mqtt/siren/set", b'"emergency"')
        resolve_all(safe)
    press(other, "silent")  # always real
    assert the_open(safe)["drill"] is False
    ended = safe.delete("/drill").json()
    (row,) = [each for each in ended["times"] if each["drill"]]
    assert (row["device"], row["acknowledged"]["by"], row["dispatched"]["by"]) == ("btn-01", "chief", "chief")
    until(lambda: safe.get(f"/incidents/{incident['id']}").json()["state"] == "resolved", "the drill's end")
    assert safe.delete("/drill").status_code == httpx.codes.CONFLICT
    resolve_all(safe)
    last = safe.get("/events", params={"last": 1}).json()["items"][-1]["event"]["id"]
    until(lambda: any(each["id"] == last for each in police.received), "the last event at the police")
    until(lambda: any(each["id"] == last for each in office.received), "the last event at the office")
    marked = [each for each in office.received if each.get("drill")]
    assert {"campus.button.pressed", "campus.incident.opened", "campus.drill.started"} <= {
        each["type"] for each in marked
    }
    assert [each for each in police.received if each.get("drill")] == []
    assert any(each["data"].get("during_drill") for each in police.received)


def test_a_press_of_a_drill_that_turns_out_to_be_real_is_told_to_everybody(
    safe: httpx.Client, police: WebhookReceiver
) -> None:
    safe.post("/drill", json={"minutes": 5})
    body = {"command_id": "one", "device": "btn-02"}
    first, again = (safe.post("/drill/press", json=body).json() for _ in range(2))
    assert first == again
    incident = the_open(safe)
    assert incident["drill"] is True
    made = safe.post(f"/incidents/{incident['id']}/real").json()["event"]
    assert safe.post(f"/incidents/{incident['id']}/real").json()["event"] == made
    assert [each["drill"] for each in the_open(safe, 2)].count(False) == 1
    until(lambda: any(each["id"] == made for each in police.received), "the real press at the police")
    safe.delete("/drill")
    resolve_all(safe)


def test_a_drill_ends_by_itself(safe: httpx.Client) -> None:
    assert safe.post("/drill", json={"minutes": 0.08}).status_code == httpx.codes.CREATED
    until(lambda: not safe.get("/drill").json()["active"], "the drill's end")
    assert safe.get("/drills", params={"limit": 1}).json()["items"][0]["reason"] == "its time was over"


@pytest.mark.parametrize(
    "body", [{"minutes": 0}, {"minutes": 999}, {"until": "2020-01-01T00:00:00Z"}, {"devices": ["?"]}]
)
def test_a_drill_that_makes_no_sense_is_refused(safe: httpx.Client, body: dict[str, Any]) -> None:
    assert safe.post("/drill", json=body).status_code == httpx.codes.UNPROCESSABLE_ENTITY
