"""The interface under callers who mean harm: no fault of the gateway's own, no right too many, no press held up."""

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from harness.daemon import ADMIN, PASSWORD, Daemon, problems
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
    camera = {"id": "c", "url": "rtsp://10.0.0.9/", "username": "u", "password_file": key}
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


def callers_of(daemon: Daemon, count: int, request: bytes, *, source: str = "127.0.0.1") -> list[socket.socket]:
    """Connections that send `request` and never read; some may be refused or ended."""
    callers = []
    for _ in range(count):
        caller = socket.socket()
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        caller.settimeout(10)
        caller.bind((source, 0))
        callers.append(caller)
        with contextlib.suppress(OSError):
            caller.connect(("127.0.0.1", daemon.http_port))
            caller.sendall(request)
    return callers


def held(callers: list[socket.socket]) -> int:
    """How many of them the gateway still serves."""
    count = 0
    for caller in callers:
        caller.setblocking(False)
        try:
            while data := caller.recv(1 << 20):
                pass
            count += bool(data)
        except BlockingIOError:
            count += 1
        except OSError:
            continue
    return count


_OPENAPI = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
_SLOW_BODY = b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"


@pytest.mark.parametrize(
    "request_", [_OPENAPI * 40, _SLOW_BODY, b"GET / HTTP/1.1\r\nHost:"], ids=["never reads", "slow body", "slow head"]
)
def test_a_guard_signs_in_beside_callers_who_hold_all_they_can(daemon: Daemon, request_: bytes) -> None:
    callers = callers_of(daemon, 520, request_)
    try:
        with daemon.client() as guard, RawClient(daemon.mqtt_port, "beside holders") as button:
            button.press(f"beside {request_[:8]!r} {len(request_)}")
            assert guard.get("/session").json()["username"] == ADMIN
        assert held(callers) <= 64
    finally:
        for caller in callers:
            caller.close()


def test_a_slow_request_is_given_up(daemon: Daemon) -> None:
    with (
        socket.create_connection(("127.0.0.1", daemon.http_port), timeout=20) as body,
        socket.create_connection(("127.0.0.1", daemon.http_port), timeout=20) as head,
    ):
        body.sendall(_SLOW_BODY)
        head.sendall(b"GET / HTTP/1.1\r\nHost:")
        for caller in (body, head):
            with contextlib.suppress(ConnectionResetError):
                assert caller.recv(100) == b""


def test_guards_keep_their_connections_beside_a_flood_of_their_own_address(daemon: Daemon) -> None:
    with daemon.client() as guard:
        guard.get("/session")
        stream = guard.stream("GET", "/events/stream?after=999999")
        with stream as answer, RawClient(daemon.mqtt_port, "beside guards") as button:
            chunks = answer.iter_raw()
            next(chunks)
            callers = callers_of(daemon, 700, b"GET / HTTP/1.1\r\nHost:")
            try:
                button.press("seen beside a flood")
                assert any(b"seen beside a flood" in chunk for chunk in chunks)
                assert guard.get("/session").status_code == 200
            finally:
                for caller in callers:
                    caller.close()


def test_requests_behind_an_unanswered_one_are_not_worked_on(daemon: Daemon) -> None:
    with socket.create_connection(("127.0.0.1", daemon.http_port), timeout=20) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        answers = b"".join(iter(lambda: caller.recv(1 << 16), b""))
    assert answers.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answers


def test_one_connection_serves_one_request_after_the_other(daemon: Daemon) -> None:
    with socket.create_connection(("127.0.0.1", daemon.http_port), timeout=20) as caller:
        for _ in range(5):
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += caller.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200")


def test_the_description_is_sent_once_to_who_keeps_it(daemon: Daemon) -> None:
    first = httpx.get(f"{daemon.url}/api/v1/openapi.json")
    assert first.json()["info"]["title"] == "Campus Gateway"
    again = httpx.get(f"{daemon.url}/api/v1/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_name_that_somebody_else_points_here_gets_nothing(daemon: Daemon, admin: httpx.Client) -> None:
    for host in ("evil.example", f"evil.example:{daemon.http_port}"):
        answer = admin.get("/session", headers={"Host": host})
        assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
        assert "[api]" in answer.json()["remedy"]
    assert admin.get("/session", headers={"Host": f"LOCALHOST:{daemon.http_port}"}).status_code == 200


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_strangers_send_little(daemon: Daemon, kind: str) -> None:
    headers = {"Content-Type": kind}
    answer = httpx.post(f"{daemon.url}/api/v1/session", content=b"[" * 20_000, headers=headers)
    assert answer.status_code == 413
    assert "Sign in" in answer.json()["remedy"]
    chunked = httpx.post(f"{daemon.url}/api/v1/session", content=iter([b"[" * 9000] * 3), headers=headers)
    assert chunked.status_code == 413


def test_a_token_that_is_not_known_yet_may_send_much_at_once(daemon: Daemon, admin: httpx.Client) -> None:
    _id, headers = token_of(admin, "admin")
    files = {"photo": ("p.jpg", b"x" * 3_000_000, "image/jpeg")}
    answer = httpx.post(f"{admin.base_url}watchlist/people/nobody/photos", files=files, headers=headers, timeout=20)
    assert answer.status_code == 404, answer.text


async def test_sign_ins_of_one_address_wait_in_a_short_queue_and_others_have_their_own(daemon: Daemon) -> None:
    url = f"{daemon.url}/api/v1/session"
    limits = httpx.Limits(max_connections=60)
    other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with (
        httpx.AsyncClient(timeout=60, limits=limits) as flood,
        httpx.AsyncClient(timeout=10, transport=other) as guard,
    ):
        guesses = [flood.post(url, json={"username": f"u{number}", "password": "x" * 1000}) for number in range(120)]
        tries = asyncio.gather(*guesses)
        await asyncio.sleep(0.5)
        right = await guard.post(url, json={"username": ADMIN, "password": PASSWORD})
        answers = await tries
    assert right.status_code == 200
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["content-type"] == "application/problem+json"


def test_callers_who_leave_before_their_answer_are_no_errors(daemon: Daemon) -> None:
    for _ in range(10):
        for caller in callers_of(daemon, 30, _OPENAPI):
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.close()
    assert httpx.get(f"{daemon.url}/healthz", timeout=20).status_code == 200
    assert not [line for line in daemon.log if '"exception"' in line or "ASGI" in line]


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


def test_a_guard_comes_in_beside_callers_who_never_end_their_handshake(tmp_path: Path) -> None:
    with Daemon(tmp_path, settings=("api.tls=auto",)) as gateway:
        context = ssl.create_default_context(cafile=str(gateway.state / "tls" / "ca.crt"))
        callers = callers_of(gateway, 200, b"\x16\x03\x01")
        try:
            url = gateway.url.replace("http:", "https:")
            with RawClient(gateway.mqtt_port) as button, httpx.Client(verify=context, timeout=20) as guard:
                button.press("beside handshakes")
                assert guard.get(f"{url}/healthz").json() == {"status": "alive"}
                assert guard.get(f"{url}/api/v1/openapi.json").status_code == 200
            assert held(callers) <= 64
        finally:
            for caller in callers:
                caller.close()
        assert gateway.stop() == 0
    assert not problems(gateway.log)
