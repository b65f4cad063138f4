"""One bit of one press turns over on disk: the gateway starts, takes presses, and its incidents and office get them."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from harness.bitflip import flip, newest
from harness.command import command
from harness.daemon import BUTTON, Daemon, problems
from harness.listening import Receiving
from harness.press import Presser

from gateway.simulators.receiver import WebhookReceiver

SETTINGS = """
[[devices]]
id = "btn-02"
place = "Library"

[[destinations]]
id = "office"
url = "{office}"
"""


def until(true: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends, what
        time.sleep(0.1)


@pytest.mark.parametrize(
    "kind", ["campus.button.pressed", pytest.param("campus.incident.opened", marks=pytest.mark.long)]
)
def test_a_damaged_event_stops_neither_presses_nor_incidents_nor_the_office(tmp_path: Path, kind: str) -> None:
    with Receiving(WebhookReceiver()) as office:
        daemon = Daemon(tmp_path, extra=BUTTON + SETTINGS.format(office=office.url))
        with daemon:
            daemon.set_up_administrator()
            with Presser(daemon.mqtt_port) as presser:
                for number in range(3):
                    presser.press_and_wait(f"before-{number}")
            with daemon.client() as client:
                until(lambda: client.get("/incidents").json()["items"], "no incident of the first presses")
        place = newest(daemon.state, kind)
        flip(daemon.state, place)
        for start in range(2):
            with daemon, daemon.client() as client:
                with Presser(daemon.mqtt_port, "btn-02") as presser:
                    presser.press_and_wait(f"after-{start}")
                until(lambda: len(incidents(client)) >= 3, "no incident of the new press, or of the damage")
                until(partial(is_there, office, f"after-{start}"), "nothing for the office")
                token = client.post("/tokens", json={"name": f"t{start}", "role": "guard"}).json()["token"]
                everything = {"after": 0, "limit": 500}
                answer = httpx.get(f"{daemon.url}/api/v1/events", params=everything, headers=bearer(token))
                assert failing_pages(client) == []
                told = [each["event"] for each in answer.json()["items"]]
                ready = httpx.get(f"{daemon.url}/readyz")
    verified = command("audit", "verify", "--config", str(tmp_path))
    assert answer.status_code == ready.status_code == httpx.codes.OK
    assert (ready.json()["ready"], ready.json()["tasks"]["failing"]) == (True, [])
    (damaged,) = [each for each in told if each["type"] == "campus.gateway.unreadable"]
    assert (damaged["data"]["position"], damaged["data"]["was"]) == (place, kind)
    (fault,) = [each for each in told if each["data"].get("fault") == "event_unreadable"]
    assert (fault["severity"], f"position {place} " in fault["data"]["detail"]) == ("critical", True)
    assert "campus.gateway.unreadable" not in str(office.received)
    assert verified.returncode == 1
    assert f"position {place}." in verified.stdout + verified.stderr
    assert not problems(daemon.log)


def is_there(office: WebhookReceiver, name: str) -> bool:
    return name in str(office.received)


def bearer(token: str) -> dict[str, str]:
    """A program, which is told of silent presses, and so of what may have been one."""
    return {"Authorization": f"Bearer {token}"}


def failing_pages(client: httpx.Client) -> list[str]:
    """Which of the pages that read the journal do not answer."""
    details = [f"/incidents/{each['id']}" for each in client.get("/incidents").json()["items"]]
    paths = ["/events?limit=500", "/events?last=500", "/walktests", "/drills", *details]
    return [path for path in paths if client.get(path).status_code != httpx.codes.OK]


def incidents(client: httpx.Client) -> set[tuple[str, str]]:
    """What open incidents are about."""
    return {(each["kind"], each["source"]) for each in client.get("/incidents").json()["items"]}
