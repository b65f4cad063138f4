"""What a guard does to an incident: once, in order, and with force only by right."""

import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from harness.daemon import Daemon
from harness.press import Presser
from harness.response import command, press, resolve_all, the_open, until

pytestmark = pytest.mark.timeout(170)


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


def test_a_press_that_waited_in_an_outage_has_both_its_times_on_incident_and_timeline(
    safe: httpx.Client, presser: Presser
) -> None:
    pressed = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    name = str(uuid.uuid4())
    presser.press(name, at=pressed.isoformat())
    presser.wait(name)
    brief = the_open(safe)
    times = {each: datetime.fromisoformat(moment) for each, moment in brief["late"].items()}
    assert (times["pressed"], datetime.fromisoformat(brief["opened"])) == (pressed, pressed)
    assert timedelta(0) <= datetime.now(UTC) - times["arrived"] < timedelta(minutes=1)
    step = safe.get(f"/incidents/{brief['id']}").json()["timeline"][0]["event"]
    assert step["data"]["late"] is True
    assert [datetime.fromisoformat(step[each]) for each in ("time", "recordedtime")] == list(times.values())
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
