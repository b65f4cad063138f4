"""The interface under callers who mean harm: no fault of the gateway's own, no right too many, no press held up."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from harness.daemon import ADMIN, Daemon, problems
from harness.rawmqtt import RawClient

PERSON = {"name": "a", "category": "b", "reason": "c", "authority": "d", "valid_until": "2100-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("abuse"), prefix=("prlimit", "--nofile=1024:4096")) as running:
        running.set_up_administrator()
        yield running
        assert not problems(running.log)
        assert not any("unexpected error" in line for line in running.log)


@pytest.fixture
def admin(daemon: Daemon) -> Iterator[httpx.Client]:
    with daemon.client() as client:
        yield client


def token_of(admin: httpx.Client, role: str) -> tuple[str, dict[str, str]]:
    made = admin.post("/tokens", json={"name": role, "role": role}).json()
    return made["id"], {"Authorization": f"Bearer {made['token']}"}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/audit", {"after": str(10**30)}),
        ("/events", {"after": str(10**30)}),
        ("/events", {"last": "5", "type": ["a"] * 2000}),
        ("/events", {"since": "9999-12-31T23:59:59-14:00", "type": ["["] * 51}),
    ],
)
def test_an_absurd_question_is_the_caller_s_fault(admin: httpx.Client, path: str, query: dict[str, str]) -> None:
    assert admin.get(path, params=query).status_code == 422


@pytest.mark.parametrize("position", ["²", "9" * 5000, "-1", "1e3"])
def test_an_odd_last_event_id_is_no_position(admin: httpx.Client, position: str) -> None:
    headers = {"Last-Event-ID": position.encode("latin-1")}
    with admin.stream("GET", "/events/stream", headers=headers) as answer:  # type: ignore[arg-type]  # httpx takes bytes too
        assert answer.status_code == 200


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_an_expiry_that_no_calendar_holds_is_refused(admin: httpx.Client, moment: str) -> None:
    assert admin.post("/watchlist/people", json=PERSON | {"valid_until": moment}).status_code == 422
    person = admin.post("/watchlist/people", json=PERSON).json()["id"]
    assert admin.patch(f"/watchlist/people/{person}", json={"valid_until": moment}).status_code == 422


@pytest.mark.parametrize(
    "host",
    ["LOCALHOST", "localhost.", "x.localhost", "0x7f000001", "2130706433", "127.1", "0", "[::ffff:127.0.0.1]", "[::]"],
)
def test_no_spelling_of_this_machine_is_a_camera(admin: httpx.Client, host: str) -> None:
    assert admin.post("/cameras", json={"id": "c", "url": f"rtsp://{host}/"}).status_code == 422


def test_a_file_of_this_machine_is_nobody_s_password(daemon: Daemon, admin: httpx.Client) -> None:
    key = str(daemon.state.with_name("state.key"))
    camera = {"id": "c", "url": "rtsp://192.0.2.1/", "username": "u", "password_file": key}
    assert admin.post("/cameras", json=camera).status_code == 422
    assert admin.post("/destinations", json={"id": "d", "url": "https://a/", "secret_file": key}).status_code == 422


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("auditor", 403), ("guard", 404), ("admin", 404)])
def test_pictures_are_for_guards(admin: httpx.Client, role: str, status: int) -> None:
    _id, headers = token_of(admin, role)
    assert httpx.get(f"{admin.base_url}evidence/x", headers=headers).status_code == status


def test_a_stream_ends_with_its_token_however_much_happens(daemon: Daemon, admin: httpx.Client) -> None:
    identity, headers = token_of(admin, "viewer")
    with (
        RawClient(daemon.mqtt_port) as button,
        httpx.stream("GET", f"{admin.base_url}events/stream?after=999999", headers=headers, timeout=20) as answer,
    ):
        admin.delete(f"/tokens/{identity}")
        until = time.monotonic() + 30
        for number, _chunk in enumerate(answer.iter_raw()):
            assert time.monotonic() < until, "the stream goes on"
            button.press(f"watched-{number}")
            time.sleep(0.2)


async def test_passwords_cannot_be_tried_side_by_side(daemon: Daemon) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        guesses = [{"username": "nobody", "password": f"guess {number}"} for number in range(20)]
        answers = await asyncio.gather(*(client.post(f"{daemon.url}/api/v1/session", json=each) for each in guesses))
    assert Counter(answer.status_code for answer in answers) == {401: 3, 429: 17}


def test_callers_who_never_end_their_request_leave_room_for_presses(daemon: Daemon) -> None:
    callers = []
    for _ in range(1200):
        caller = socket.create_connection(("127.0.0.1", daemon.http_port), timeout=10)
        callers.append(caller)
        try:
            caller.sendall(b"GET / HTTP/1.1\r\nX: ")
        except OSError:
            continue
    with RawClient(daemon.mqtt_port, "beside") as button:
        button.press("beside the flood")
    for caller in callers:
        caller.close()


def test_headers_without_end_are_cut_off(daemon: Daemon) -> None:
    with socket.create_connection(("127.0.0.1", daemon.http_port), timeout=20) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):
            caller.sendall((b"X: " + b"y" * 10_000 + b"\r\n") * 2000)


def test_the_administrator_signs_in_all_the_same(admin: httpx.Client) -> None:
    assert admin.get("/session").json()["username"] == ADMIN


def test_entries_that_were_refused_do_not_stop_the_next_start(tmp_path: Path) -> None:
    with Daemon(tmp_path) as gateway:
        gateway.set_up_administrator()
        with gateway.client() as admin:
            refused = {"id": "d", "url": "https://a/", "secret": "no secret"}
            assert admin.post("/destinations", json=refused).status_code == 422
            assert admin.get("/destinations").json()["items"] == []
        assert gateway.stop() == 0
        gateway.start()
