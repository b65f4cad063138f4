"""One connection: deadlines, one request at a time, and who is known by its head."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.api import protocol as module
from gateway.api.known import KnownCredentials
from gateway.api.protocol import BoundedProtocol
from gateway.api.reception import Reception
from gateway.storage import hash_of

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class Line(asyncio.Transport):
    """A transport whose other end reads when a test says so."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711), "sockname": ("192.0.2.1", 80)})
        self.sent = b""
        self.unsent = self.taken_at_each_look = 0
        self.reading = True
        self.aborted = self.closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        self.unsent -= self.taken_at_each_look
        return self.unsent

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted = self.closing = True


async def hello(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


class Passer:
    """Who was here before the connection had a protocol."""

    is_served = False

    def eject(self) -> None:
        raise AssertionError("it has left")


@dataclass
class Bench:
    """One connection and what it shares."""

    app: Any = hello
    line: Line = field(default_factory=Line)
    known: KnownCredentials = field(default_factory=KnownCredentials)

    def __post_init__(self) -> None:
        self.reception = Reception.open(asyncio.get_running_loop(), self.known, "session")
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", ws="none", access_log=False)
        self.protocol = BoundedProtocol(
            config=config,
            server_state=ServerState(),
            app_state={},
            reception=self.reception,
            arrival=Passer(),
        )
        self.protocol.connection_made(self.line)

    def end(self) -> None:
        self.protocol.connection_lost(None)
        assert len(self.reception.door) == 0


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_HEAD_SECONDS", "_BODY_SECONDS", "_TAKE_SECONDS"):
        monkeypatch.setattr(module, name, 0.02)


async def settle(seconds: float = 0.1) -> None:
    await asyncio.sleep(seconds)


async def test_requests_one_after_the_other_are_answered() -> None:
    bench = Bench()
    for count in (1, 2):
        bench.protocol.data_received(HEAD + b"\r\n")
        await settle()
        assert bench.line.sent.count(b"HTTP/1.1 200") == count
    assert not bench.line.closing
    bench.end()


async def test_of_pipelined_requests_the_first_is_answered_and_is_the_last() -> None:
    bench = Bench()
    bench.protocol.data_received((HEAD + b"\r\n") * 40)
    bench.protocol.data_received(HEAD + b"\r\n")
    await settle()
    assert bench.line.sent.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in bench.line.sent
    assert bench.line.closing
    bench.end()


async def test_nothing_is_read_while_a_request_waits_for_its_turn() -> None:
    bench = Bench()
    bench.reception.strangers.charge("192.0.2.7", 1000.0)
    bench.protocol.data_received(HEAD + b"\r\n")
    await settle()
    assert (bench.line.reading, bench.line.sent) == (False, b"")
    bench.end()


async def test_bytes_that_make_no_request_cost_too() -> None:
    bench = Bench()
    bench.reception.strangers.charge("192.0.2.7", 1000.0)
    bench.protocol.data_received(b"G")
    assert not bench.line.reading
    bench.end()


async def test_who_has_signed_in_does_not_pay_for_its_address() -> None:
    bench = Bench()
    bench.known.note(hash_of("t"), good=True)
    bench.reception.strangers.charge("192.0.2.7", 1000.0)
    bench.protocol.data_received(HEAD + b"Authorization: Bearer t\r\n\r\n")
    await settle()
    assert b"HTTP/1.1 200" in bench.line.sent
    bench.end()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("begun", [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"])
async def test_what_does_not_come_whole_is_given_up(begun: bytes) -> None:
    bench = Bench()
    if begun:
        bench.protocol.data_received(begun)
    await settle()
    assert bench.line.aborted
    bench.end()


@pytest.mark.usefixtures("hasty")
async def test_who_has_signed_in_has_time_for_an_upload() -> None:
    bench = Bench()
    bench.known.note(hash_of("t"), good=True)
    bench.protocol.data_received(HEAD + b"Cookie: session=t\r\nContent-Length: 9\r\n\r\n{")
    await settle()
    assert not bench.line.aborted
    bench.end()


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_is_not_taken_ends_the_connection() -> None:
    bench = Bench()
    bench.line.unsent = 100_000
    bench.protocol.pause_writing()
    await settle()
    assert bench.line.aborted
    bench.end()


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_is_taken_in_time_does_not() -> None:
    bench = Bench()
    bench.protocol.data_received(HEAD + b"\r\n")
    await settle(0.01)
    bench.protocol.pause_writing()
    bench.protocol.resume_writing()
    await settle()
    assert not bench.line.aborted
    bench.end()


@pytest.mark.usefixtures("hasty")
async def test_a_slow_line_of_who_has_signed_in_goes_on_as_long_as_it_goes_on() -> None:
    bench = Bench()
    bench.known.note(hash_of("t"), good=True)
    bench.protocol.data_received(HEAD + b"Authorization: Bearer t\r\n\r\n")
    await settle(0.01)
    bench.line.unsent, bench.line.taken_at_each_look = 1_000_000, 1
    bench.protocol.pause_writing()
    await settle()
    went_on = not bench.line.aborted
    bench.line.taken_at_each_look = 0
    await settle()
    assert (went_on, bench.line.aborted) == (True, True)
    bench.end()


async def test_an_answer_for_who_left_is_dropped_quietly(caplog: pytest.LogCaptureFixture) -> None:
    leave = asyncio.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await leave.wait()
        await hello(scope, receive, send)

    bench = Bench(late)
    bench.protocol.data_received(HEAD + b"\r\n")
    await settle(0.02)
    bench.line.closing = True
    leave.set()
    await settle(0.02)
    assert bench.line.sent == b""
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    bench.end()


@pytest.mark.parametrize(
    "nonsense",
    [b"\x16\x03\x01 nonsense\r\n\r\n", HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
)
async def test_nonsense_does_not_fill_the_log(nonsense: bytes, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.protocol.data_received(nonsense)
    await settle(0.02)
    assert bench.line.sent.startswith((b"HTTP/1.1 400", b"HTTP/1.1 200"))
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    bench.end()


async def test_a_gateway_that_stops_does_not_begin_what_waits() -> None:
    bench = Bench()
    bench.reception.strangers.charge("192.0.2.7", 1000.0)
    bench.protocol.data_received(HEAD + b"\r\n")
    bench.protocol.shutdown()
    assert bench.line.aborted
    bench.end()
