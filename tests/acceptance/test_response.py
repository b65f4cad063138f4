"""The response as guards meet it: posts, procedures, shelves, drills, sirens; and a silent press drives nothing."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from harness.daemon import Daemon, problems
from harness.listening import MqttListener, Receiving
from harness.press import Presser
from harness.stream import StreamReader

from gateway.simulators.receiver import WebhookReceiver

pytestmark = pytest.mark.timeout(170)
SETTINGS = """
[[devices]]
id = "btn-01"
name = "东门岗亭"
place = "East gate booth"

[[devices]]
id = "btn-02"
place = "Library"
reports_clear = true

[[procedures]]
id = "press"
title = "一键报警 Emergency button"
kinds = ["campus.button.pressed"]
steps = ["Call the place on radio 1", "Send the patrol"]

[[procedures]]
id = "press-discreet"
title = "Silent press"
kinds = ["campus.button.pressed"]
discreet = true
steps = ["Do not call the place"]

[[destinations]]
id = "office"
url = "{office}"

[[destinations]]
id = "police"
url = "{police}"
audience = "police"

[[outputs]]
id = "siren-own"

[[outputs]]
id = "siren-shelly"
kind = "shelly"
topic = "shellyplus1-a8"

[[outputs]]
id = "siren-gen1"
kind = "shelly_gen1"
topic = "shellies/shelly1-b9"

[[outputs]]
id = "lamp-tasmota"
kind = "tasmota"
topic = "lamp"
states = ["raised", "acknowledged", "dispatched"]

[[outputs]]
id = "siren-zigbee"
kind = "zigbee2mqtt"
topic = "zigbee2mqtt/siren"
"""
OUTPUTS = {
    "campus/east/output/siren-own/set": (b'"on": true', b'"on": false'),
    "shellyplus1-a8/rpc": (b'"on": true', b'"on": false'),
    "shellies/shelly1-b9/relay/0/command": (b"on", b"off"),
    "cmnd/lamp/Backlog": (b"Power1 ON", b""),
    "zigbee2mqtt/siren/set": (b'"emergency"', b'"stop"'),
}


@pytest.fixture(scope="module")
def office() -> Iterator[WebhookReceiver]:
    with Receiving(WebhookReceiver()) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def police() -> Iterator[WebhookReceiver]:
    with Receiving(WebhookReceiver()) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def daemon(
    tmp_path_factory: pytest.TempPathFactory, office: WebhookReceiver, police: WebhookReceiver
) -> Iterator[Daemon]:
    extra = SETTINGS.format(office=office.url, police=police.url)
    with Daemon(tmp_path_factory.mktemp("response"), extra=extra) as running:
        running.set_up_administrator()
        yield running
        assert problems(running.log) == []


@pytest.fixture
def client(daemon: Daemon) -> Iterator[httpx.Client]:
    """The administrator at a browser that is no post."""
    with daemon.client() as client:
        yield client


@pytest.fixture(scope="module")
def safe(daemon: Daemon) -> Iterator[httpx.Client]:
    """A post that is marked discreet-safe, with sound."""
    with daemon.client() as client:
        enrolled = client.post("/posts", json={"name": "Gate house", "place": "East", "discreet_safe": True})
        assert enrolled.status_code == httpx.codes.CREATED, enrolled.text
        assert client.post("/posts/heartbeat", json={"sound": True}).status_code == httpx.codes.NO_CONTENT
        yield client


@pytest.fixture(scope="module")
def presser(daemon: Daemon) -> Iterator[Presser]:
    with Presser(daemon.mqtt_port) as presser:
        yield presser


@pytest.fixture(scope="module")
def other(daemon: Daemon) -> Iterator[Presser]:
    with Presser(daemon.mqtt_port, "btn-02") as presser:
        yield presser


def until(found: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"{what} never came"
        time.sleep(0.03)
    return value


def press(presser: Presser, kind: str = "press") -> None:
    name = str(uuid.uuid4())
    presser.press(name, type=kind)
    presser.wait(name)


def the_open(client: httpx.Client, count: int = 1) -> Any:
    def found() -> Any:
        items = client.get("/incidents", params={"state": "open"}).json()["items"]
        return items if len(items) >= count else None

    items = until(found, f"{count} open incidents")
    return items[0] if count == 1 else items


def command(client: httpx.Client, incident: str, verb: str, **body: Any) -> httpx.Response:
    return client.post(f"/incidents/{incident}/{verb}", json={"command_id": str(uuid.uuid4()), **body})


def resolve_all(client: httpx.Client) -> None:
    for each in client.get("/incidents", params={"state": "open"}).json()["items"]:
        body = {"verdict": "test", "force": True, "reason": "end of the test"}
        answer = command(client, each["id"], "resolve", **body)
        ended = answer.status_code == httpx.codes.CONFLICT and answer.json()["state"] == "resolved"  # with its drill
        assert ended or answer.status_code == httpx.codes.OK, answer.text


# --- outputs


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


# --- commands


def test_a_double_click_is_one_transition_and_the_second_guard_is_told_who_was_first(
    safe: httpx.Client, presser: Presser
) -> None:
    press(presser)
    incident = the_open(safe)["id"]
    body = {"command_id": str(uuid.uuid4()), "expected_state": "raised"}
    first, again = (safe.post(f"/incidents/{incident}/acknowledge", json=body) for _ in range(2))
    assert (first.status_code, first.json()) == (200, again.json())
    late = command(safe, incident, "acknowledge", expected_state="raised")
    assert late.status_code == httpx.codes.CONFLICT
    assert late.json()["owner"] == "chief"
    timeline = safe.get(f"/incidents/{incident}").json()["timeline"]
    taken = [each["event"] for each in timeline if each["event"]["type"] == "campus.incident.acknowledged"]
    assert [(each["data"]["post"], each["data"]["was"]) for each in taken] == [("Gate house", "raised")]
    assert [each.get("first", False) for each in timeline] == [True] + [False] * (len(timeline) - 1)
    resolve_all(safe)


def test_the_procedure_is_ticked_off(safe: httpx.Client, presser: Presser) -> None:
    press(presser)
    incident = the_open(safe)["id"]
    assert command(safe, incident, "check", step="2").status_code == httpx.codes.OK
    steps = safe.get(f"/incidents/{incident}").json()["procedure"]["steps"]
    assert [each["done"] and each["done"]["by"] for each in steps] == [None, "chief"]
    command(safe, incident, "check", step="2", done=False)
    steps = safe.get(f"/incidents/{incident}").json()["procedure"]["steps"]
    assert [each["done"] for each in steps] == [None, None]
    for wrong in ("0", "3", "x"):
        assert command(safe, incident, "check", step=wrong).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    resolve_all(safe)


def test_an_emergency_cannot_be_shelved(safe: httpx.Client, presser: Presser) -> None:
    press(presser)
    incident = the_open(safe)["id"]
    refused = command(safe, incident, "shelve", minutes=5, reason="noise")
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "emergency" in refused.json()["detail"]
    resolve_all(safe)


def test_while_the_source_goes_on_only_force_with_a_right_and_a_reason_resolves(
    daemon: Daemon, safe: httpx.Client, other: Presser
) -> None:
    press(other)
    incident = the_open(safe)["id"]
    refused = command(safe, incident, "resolve", verdict="genuine")
    assert refused.status_code == httpx.codes.CONFLICT
    assert "force" in refused.json()["detail"]
    guard = {"username": "wang", "password": "four words of a guard", "role": "guard"}
    assert safe.post("/users", json=guard).status_code == httpx.codes.CREATED
    token = safe.post("/tokens", json={"name": "guard", "role": "guard"}).json()["token"]
    with httpx.Client(base_url=f"{daemon.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as at_guard:
        forced = command(at_guard, incident, "resolve", verdict="genuine", force=True, reason="stuck")
        assert forced.status_code == httpx.codes.FORBIDDEN
    assert command(safe, incident, "resolve", verdict="genuine", force=True).status_code == 422
    press(other, "clear")
    until(lambda: not safe.get(f"/incidents/{incident}").json()["active"], "the clearing")
    assert command(safe, incident, "resolve", verdict="genuine").status_code == httpx.codes.OK


# --- posts


def test_a_post_is_seen_with_its_sound_and_its_mark_can_be_taken(safe: httpx.Client, client: httpx.Client) -> None:
    safe.post("/posts/heartbeat", json={"sound": True})
    body = client.get("/posts").json()
    (post,) = body["items"]
    assert (post["name"], post["live"]["user"], post["live"]["sound"], body["this"]) == (
        "Gate house",
        "chief",
        True,
        None,
    )
    assert "key" not in post
    assert safe.get("/situation").json()["sees_discreet"] is True
    assert client.patch(f"/posts/{post['id']}", json={"discreet_safe": False}).status_code == httpx.codes.OK
    assert safe.get("/situation").json()["sees_discreet"] is False
    assert client.patch(f"/posts/{post['id']}", json={"discreet_safe": True}).status_code == httpx.codes.OK


def test_only_an_administrator_at_a_browser_enrols(daemon: Daemon, client: httpx.Client) -> None:
    for role in ("guard", "admin"):
        token = client.post("/tokens", json={"name": f"try {role}", "role": role}).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{daemon.url}/api/v1/posts", json={"name": "x"}, headers=headers)
        assert answer.status_code == (403 if role == "guard" else 422)


# --- drills


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
