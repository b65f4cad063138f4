"""What every sink owes the forwarder, against a receiver that speaks the real protocol; and its oracle's opinion."""

import asyncio
import base64
import json
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.api import TlsFiles, ensure_tls
from gateway.errors import PermanentError
from gateway.events import ButtonPressed, Severity, encode
from gateway.forwarding import Outcome, Sink, Verdict, WebhookSink
from gateway.simulators.office import SimulatedOffice
from gateway.storage import Stored

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()


def stored(name: str = "0198f0a2-press") -> Stored:
    event = ButtonPressed(
        id=name,
        source="/site/east/button/btn-01",
        subject="btn-01",
        time=datetime.now(UTC),
        severity=Severity.CRITICAL,
        device="btn-01",
        name="东门岗亭",
        place="East gate booth",
        recorded=datetime.now(UTC),
    )
    return Stored(7, event, encode(event))


class Wire:
    """A bare HTTP server: keeps what it was sent byte for byte, and answers what it is told."""

    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.closes_next = False
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0
        self.close_behind = False
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                original = dict(line.split(": ", 1) for line in head[1:] if line)
                headers |= {name.lower(): value for name, value in original.items()}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers, body))
                if self.closes_next:
                    self.closes_next = False
                    break
                writer.write(self.answer)
                await writer.drain()
                if self.close_behind:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Wire, str]]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    server.close()
    for writer in wire.writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in wire.writers), return_exceptions=True)
    await server.wait_closed()


async def sent(url: str, **options: Any) -> Outcome:
    sink: Sink = WebhookSink(url, **options)
    try:
        return await sink.deliver(stored())
    finally:
        await sink.close()


# --- what is sent


async def test_the_body_is_the_journals_and_a_cloudevent(wire: tuple[Wire, str]) -> None:
    server, url = wire
    event = stored()
    sink = WebhookSink(url)
    assert await sink.deliver(event) == Outcome(Verdict.ACCEPTED)
    await sink.close()
    ((headers, body),) = server.requests
    assert body == event.body
    assert headers["content-type"] == "application/cloudevents+json"
    cloud = json.loads(body)
    assert (cloud["specversion"], cloud["type"], cloud["id"]) == ("1.0", "campus.button.pressed", event.event.id)
    assert (cloud["source"], cloud["severity"]) == ("/site/east/button/btn-01", "critical")
    assert {"time", "subject", "recordedtime", "datacontenttype"} <= cloud.keys()
    assert all(name.isalnum() and name == name.lower() for name in cloud)


async def test_the_signature_satisfies_the_specifications_own_library(wire: tuple[Wire, str]) -> None:
    server, url = wire
    assert (await sent(url, secrets=[SECRET])).verdict is Verdict.ACCEPTED
    ((headers, body),) = server.requests
    assert Webhook(SECRET).verify(body, headers)["type"] == "campus.button.pressed"
    assert headers["webhook-id"] == "0198f0a2-press"
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers | {"webhook-id": "another"})
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"btn-01", b"btn-02"), headers)


@pytest.mark.parametrize("secrets", [[SECRET, OTHER], [f"{SECRET}\n{OTHER}\n"]], ids=["two", "one text"])
async def test_while_a_secret_is_changed_both_are_good(wire: tuple[Wire, str], secrets: list[str]) -> None:
    server, url = wire
    await sent(url, secrets=secrets)
    ((headers, body),) = server.requests
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(body, headers)


async def test_tries_of_one_event_share_the_id_and_connections_are_kept(wire: tuple[Wire, str]) -> None:
    server, url = wire
    sink = WebhookSink(url, secrets=[SECRET])
    for _ in range(3):
        await sink.deliver(stored())
    await sink.close()
    assert {headers["webhook-id"] for headers, _body in server.requests} == {"0198f0a2-press"}
    assert (len(server.requests), server.connections) == (3, 1)


async def test_cookies_are_not_kept(wire: tuple[Wire, str]) -> None:
    """An office that sets new ones with each answer would make each event slower than the one before, and presses."""
    server, url = wire
    server.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d; Path=/\r\nContent-Length: 0\r\n\r\n"
    sink = WebhookSink(url)
    for _ in range(2):
        await sink.deliver(stored())
    await sink.close()
    assert [headers for headers, _body in server.requests if "cookie" in headers] == []
    assert len(server.requests) == 2


async def test_without_a_secret_nothing_is_signed(wire: tuple[Wire, str]) -> None:
    server, url = wire
    await sent(url)
    assert "webhook-signature" not in server.requests[0][0]


# --- what is answered


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("200 OK", Verdict.ACCEPTED),
        ("202 Accepted", Verdict.ACCEPTED),
        ("301 Moved Permanently\r\nLocation: http://127.0.0.1:1/", Verdict.RETRY),
        ("302 Found\r\nLocation: /login", Verdict.RETRY),
        ("400 Bad Request", Verdict.REFUSED),
        ("401 Unauthorized", Verdict.REFUSED),
        ("404 Not Found", Verdict.REFUSED),
        ("408 Request Timeout", Verdict.RETRY),
        ("409 Conflict", Verdict.RETRY),
        ("410 Gone", Verdict.REFUSED),
        ("422 Unprocessable", Verdict.REFUSED),
        ("425 Too Early", Verdict.RETRY),
        ("429 Too Many Requests", Verdict.RETRY),
        ("500 Oops", Verdict.RETRY),
        ("503 Away", Verdict.RETRY),
        ("600 Odd", Verdict.RETRY),
        ("999 Request denied", Verdict.RETRY),
    ],
)
async def test_each_answer_has_its_verdict(wire: tuple[Wire, str], line: str, verdict: Verdict) -> None:
    server, url = wire
    server.answer = f"HTTP/1.1 {line}\r\nContent-Length: 4\r\n\r\nwhat".encode()
    outcome = await sent(url, secrets=[SECRET])
    assert outcome.verdict is verdict
    assert len(server.requests) == 1
    assert outcome.reason == "" if verdict is Verdict.ACCEPTED else line[:3] in outcome.reason


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("99999", 60.0), ("9" * 40, 60.0), ("soon", None), ("-5", None), ("", None)],
)
async def test_a_wish_to_wait_is_heard_within_bounds(
    wire: tuple[Wire, str], header: str, seconds: float | None
) -> None:
    server, url = wire
    server.answer = f"HTTP/1.1 503 Away\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()
    assert (await sent(url)).retry_after == seconds


async def test_a_wish_to_wait_may_be_a_date(wire: tuple[Wire, str]) -> None:
    server, url = wire
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    server.answer = f"HTTP/1.1 429 Slow\r\nRetry-After: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    wanted = (await sent(url)).retry_after
    assert wanted is not None
    assert 0 < wanted <= 30


# --- what goes wrong


async def test_nobody_there_is_a_retry() -> None:
    outcome = await sent("http://127.0.0.1:9/")
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, "cannot be reached")


async def test_no_answer_is_a_retry() -> None:
    async with SimulatedOffice() as office:
        office.misbehaviour.stall = True
        outcome = await sent(office.url, timeout_seconds=0.2)
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, "did not answer in time")


async def test_an_answer_that_drips_ends_in_time(wire: tuple[Wire, str]) -> None:
    """Each byte is in time, the whole is not: a time-out per byte would wait for ever."""
    server, url = wire
    server.answer = b""
    sink = WebhookSink(url, timeout_seconds=0.5)

    async def drip() -> None:
        while True:
            for writer in server.writers:
                writer.write(b"H")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    try:
        assert (await sink.deliver(stored())).verdict is Verdict.RETRY
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        await sink.close()


async def test_an_endless_answer_is_left(wire: tuple[Wire, str]) -> None:
    server, url = wire
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000
    assert (await sent(url)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "forerunner", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"]
)
async def test_forerunners_without_end_are_left_before_they_hold_up_the_loop(
    wire: tuple[Wire, str], forerunner: bytes
) -> None:
    server, url = wire
    server.answer = forerunner * 200_000
    outcome = await sent(url)
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, "answers without end")


async def test_each_answer_of_a_kept_connection_has_its_own_allowance(wire: tuple[Wire, str]) -> None:
    server, url = wire
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"x" * 40_000
    sink = WebhookSink(url)
    outcomes = [(await sink.deliver(stored())).verdict for _ in range(6)]
    await sink.close()
    assert outcomes == [Verdict.ACCEPTED] * 6
    assert server.connections == 1


async def test_what_is_no_http_is_a_retry(wire: tuple[Wire, str]) -> None:
    server, url = wire
    server.answer = b"220 smtp.example.org ESMTP\r\n\r\n"
    assert (await sent(url)).verdict is Verdict.RETRY


async def test_a_connection_that_was_closed_meanwhile_costs_no_try(wire: tuple[Wire, str]) -> None:
    server, url = wire
    sink = WebhookSink(url)
    assert (await sink.deliver(stored())).verdict is Verdict.ACCEPTED
    server.closes_next = True  # instead of an answer; the one behind it is answered
    outcome = await sink.deliver(stored())
    await sink.close()
    assert outcome.verdict is Verdict.ACCEPTED
    assert server.connections == 2


async def test_a_receiver_that_cuts_every_connection_is_a_retry() -> None:
    async with SimulatedOffice() as office:
        sink = WebhookSink(office.url)
        office.misbehaviour.drop_after = 1
        outcomes = [(await sink.deliver(stored())).verdict for _ in range(3)]
        await sink.close()
    assert outcomes == [Verdict.ACCEPTED, Verdict.RETRY, Verdict.RETRY]
    assert len(office.unique) == 1


@pytest.fixture
def certificates(tmp_path: Path) -> TlsFiles:
    return ensure_tls(tmp_path, site="east", names=["127.0.0.1"], now=datetime.now(UTC))


async def test_tls_is_verified_with_the_named_ca(certificates: TlsFiles) -> None:
    wire = Wire()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        trusted = await sent(url, ca_file=certificates.ca)
        unknown = await sent(url)
    finally:
        server.close()
        await server.wait_closed()
    assert trusted.verdict is Verdict.ACCEPTED
    assert (unknown.verdict, "not trusted" in unknown.reason) == (Verdict.RETRY, True)
    assert len(wire.requests) == 1


async def test_nothing_secret_is_told(caplog: pytest.LogCaptureFixture, wire: tuple[Wire, str]) -> None:
    caplog.set_level(logging.WARNING)
    server, url = wire
    server.answer = b"HTTP/1.1 400 token=s3cr3t\r\nContent-Length: 6\r\n\r\ns3cr3t"
    reasons = [(await sent(f"{url}?token=s3cr3t", secrets=[SECRET])).reason]
    reasons.append((await sent("http://user:s3cr3t@127.0.0.1:9/?token=s3cr3t")).reason)
    for told in [*reasons, caplog.text, repr(WebhookSink("http://127.0.0.1/s3cr3t", secrets=[SECRET]))]:
        assert "s3cr3t" not in told
        assert SECRET not in told


@pytest.mark.parametrize("url", ["https://", "ftp://office/", "http://[::1", "office"])
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    with pytest.raises(PermanentError, match="no address"):
        WebhookSink(url)


@pytest.mark.parametrize(
    "secret", ["s3cr3t", "whsec_", "whsec_s3cr3t", "whsec_" + base64.b64encode(b"x" * 65).decode()]
)
def test_what_is_no_secret_is_told_without_telling_it(secret: str) -> None:
    with pytest.raises(PermanentError, match="none of Standard Webhooks") as caught:
        WebhookSink("http://127.0.0.1/", secrets=[secret])
    assert "s3cr3t" not in str(caught.value)


def test_a_ca_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(PermanentError, match="holds no certificates"):
        WebhookSink("https://127.0.0.1/", ca_file=tmp_path / "ca.pem")


def test_the_signature_is_a_pure_function_of_its_parts() -> None:
    sink = WebhookSink("http://127.0.0.1/", secrets=[SECRET])
    body = replace(stored(), body=b'{"a":1}').body
    expected = Webhook(SECRET).sign("msg", datetime.fromtimestamp(1_700_000_000, UTC), body.decode())
    assert sink.signature("msg", body, 1_700_000_000)["webhook-signature"] == expected
