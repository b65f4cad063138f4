"""A button out of service by two administrators: on every post, in the audit trail, and its presses are shown."""

from collections.abc import Iterator

import httpx
import pytest
from harness.daemon import Daemon
from harness.press import Presser
from harness.response import press, resolve_all, the_open, until

from gateway.simulators.receiver import WebhookReceiver

pytestmark = pytest.mark.timeout(170)
WAY = "/devices/btn-01/out-of-service"
REQUEST = {"minutes": 60, "reason": "water in the box"}
SECOND = {"username": "wang", "password": "a second long pass phrase"}


def seen(client: httpx.Client) -> dict[str, str]:
    """The request as somebody sees it."""
    found = client.get("/protection").json()["out_of_service"]
    return {"asked": found[0]["asked"] if found else "2026-11-27T08:00:00Z"}


@pytest.fixture
def second(daemon: Daemon, client: httpx.Client) -> Iterator[httpx.Client]:
    """Another administrator, at a browser of his own."""
    made = client.post("/users", json=SECOND | {"role": "admin"})
    assert made.status_code == httpx.codes.CREATED or made.json()["code"] == "name_taken", made.text
    with httpx.Client(base_url=f"{daemon.url}/api/v1", timeout=20.0) as other:
        assert other.post("/session", json=SECOND).status_code == httpx.codes.OK
        yield other


def test_two_administrators_take_it_out_and_its_press_is_shown_and_calls_nobody_out(
    safe: httpx.Client, second: httpx.Client, presser: Presser, office: WebhookReceiver, police: WebhookReceiver
) -> None:
    asked = safe.post(WAY, json=REQUEST)
    assert asked.status_code == httpx.codes.ACCEPTED, asked.text
    assert asked.json()["confirmed"] is False
    alone = safe.post(f"{WAY}/confirm", json=seen(safe))
    assert (alone.status_code, alone.json()["code"]) == (httpx.codes.UNPROCESSABLE_ENTITY, "same_administrator")
    done = second.post(f"{WAY}/confirm", json=seen(safe))
    assert done.status_code == httpx.codes.OK, done.text
    (shown,) = safe.get("/protection").json()["out_of_service"]
    assert (shown["asked_by"], shown["confirmed_by"], shown["confirmed"]) == ("chief", "wang", True)
    warned = {each["device"]: each["warnings"] for each in safe.get("/protection").json()["items"]}
    assert "out_of_service" in warned["btn-01"]
    assert "out_of_service" not in warned["btn-02"]
    press(presser)
    incident = the_open(safe)
    assert (incident["severity"], incident["out_of_service"], incident["state"]) == ("critical", True, "raised")
    told = until(lambda: [each for each in office.received if each["type"] == "campus.button.pressed"], "the press")
    assert told[-1]["data"]["out_of_service"] is True
    assert not any(output["status"]["on"] for output in safe.get("/outputs").json()["items"])
    resolve_all(safe)
    assert safe.delete(WAY).status_code == httpx.codes.NO_CONTENT
    assert safe.get("/protection").json()["out_of_service"] == []
    press(presser)
    assert the_open(safe)["out_of_service"] is False
    until(lambda: [each for each in police.received if each["type"] == "campus.button.pressed"], "the real press")
    assert not any(each["data"].get("out_of_service") for each in police.received if "data" in each)
    resolve_all(safe)
    trail = [
        (each["actor"], each["action"]) for each in safe.get("/audit").json()["items"] if each["subject"] == "btn-01"
    ]
    wanted = [("chief", "asked for out of service"), ("wang", "took out of service"), ("chief", "put back in service")]
    assert [each for each in wanted if each in trail] == wanted


def test_what_is_refused_is_refused_by_name(daemon: Daemon, safe: httpx.Client, client: httpx.Client) -> None:
    assert safe.post("/devices/none/out-of-service", json=REQUEST).json()["code"] == "no_such_device"
    assert safe.post(f"{WAY}/confirm", json=seen(safe)).json()["code"] == "service_not_asked"
    assert safe.delete(WAY).json()["code"] == "in_service_already"
    for body in ({"minutes": 0, "reason": "x"}, {"minutes": 43_201, "reason": "x"}, {"minutes": 5, "reason": ""}):
        assert safe.post(WAY, json=body).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    for role, status in (("guard", httpx.codes.FORBIDDEN), ("admin", httpx.codes.UNPROCESSABLE_ENTITY)):
        token = client.post("/tokens", json={"name": f"service {role}", "role": role}).json()["token"]
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, base_url=f"{daemon.url}/api/v1") as program:
            assert program.post(WAY, json=REQUEST).status_code == status
            assert program.post(f"{WAY}/confirm", json=seen(safe)).status_code == status


def test_a_device_that_is_removed_leaves_nothing_for_the_next_of_its_id(client: httpx.Client) -> None:
    way = "/devices/btn-09/out-of-service"
    assert client.post("/devices", json={"id": "btn-09"}).status_code == httpx.codes.CREATED
    assert client.post(way, json=REQUEST).status_code == httpx.codes.ACCEPTED
    assert client.delete("/devices/btn-09").status_code == httpx.codes.NO_CONTENT
    assert client.get("/protection").json()["out_of_service"] == []
    assert client.delete(way).json()["code"] == "in_service_already"


def test_the_word_of_an_administrator_who_lost_his_rights_is_none(safe: httpx.Client, second: httpx.Client) -> None:
    assert second.post(WAY, json=REQUEST).status_code == httpx.codes.ACCEPTED
    assert safe.patch(f"/users/{SECOND['username']}", json={"role": "guard"}).status_code == httpx.codes.OK
    refused = safe.post(f"{WAY}/confirm", json=seen(safe))
    assert (refused.status_code, refused.json()["code"]) == (httpx.codes.CONFLICT, "service_asker_gone")
    assert safe.delete(WAY).status_code == httpx.codes.NO_CONTENT
    assert safe.patch(f"/users/{SECOND['username']}", json={"role": "admin"}).status_code == httpx.codes.OK
