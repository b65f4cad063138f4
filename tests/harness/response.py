"""What tests of the response do to incidents through the interface."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from harness.press import Presser


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
