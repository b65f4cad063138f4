"""The simulated office and police: genuine events only, each once, and every misbehaviour that it offers."""

import asyncio
import base64
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from gateway.simulators.office import Misbehaviour, SimulatedOffice
from gateway.simulators.police import SimulatedPolice
from gateway.simulators.receiver_command import KnownIncidents, line_of

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TYPE = {"Content-Type": "application/cloudevents+json"}


def event(name: str = "e1", **more: object) -> dict[str, Any]:
    common = {"specversion": "1.0", "id": name, "source": "/site/east/button/btn-01", "type": "campus.button.pressed"}
    return common | {"severity": "critical", "time": datetime.now(UTC).isoformat(), "data": {"place": "东门"}} | more


def signed(body: str, *, secret: str = SECRET, age: float = 0.0) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=age)
    signature = Webhook(secret).sign("e1", at, body)
    return TYPE | {"webhook-id": "e1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


async def post(url: str, body: str, headers: dict[str, str] = TYPE, timeout: float = 5.0) -> int:  # noqa: ASYNC109  # httpx's
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(url, content=body.encode(), headers=headers, timeout=timeout)).status_code


@pytest.mark.parametrize("kind", [SimulatedOffice, SimulatedPolice])
async def test_it_takes_what_is_genuine_and_each_event_once(kind: type[SimulatedOffice]) -> None:
    told: list[dict[str, Any]] = []
    body = json.dumps(event())
    async with kind(secret=SECRET, on_event=told.append) as office:
        assert [await post(office.url, body, signed(body)) for _ in range(3)] == [204, 204, 204]
    assert (len(office.received), len(office.unique), len(told)) == (3, 1, 1)


async def test_what_is_wrongly_signed_or_old_is_refused() -> None:
    body = json.dumps(event())
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    good = signed(body)
    async with SimulatedOffice(secret=SECRET) as office:
        bad = [
            TYPE,
            signed(body, secret=other),
            signed(body, age=330),
            signed(body, age=-330),
            good | {"webhook-id": "e2"},
            good | {"webhook-timestamp": "soon"},
            good | {"webhook-timestamp": "²"},
            good | {"webhook-signature": "v1,é"},
        ]
        encoded = [{name: value.encode("latin-1") for name, value in headers.items()} for headers in bad]
        assert [await post(office.url, body, headers) for headers in encoded] == [401] * len(bad)  # type: ignore[arg-type]  # httpx takes bytes
        assert await post(office.url, body + " ", good) == 401
        assert await post(office.url, body, good) == 204
    assert (len(office.received), office.refused) == (1, len(bad) + 1)


async def test_one_good_signature_of_several_is_enough() -> None:
    body = json.dumps(event())
    headers = signed(body)
    headers["webhook-signature"] = "v1a,zzz v1,bm9uZQ== " + headers["webhook-signature"]
    async with SimulatedOffice(secret=SECRET) as office:
        assert await post(office.url, body, headers) == 204


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "{}",
        json.dumps(event(id="")),
        json.dumps(event(id=7)),
        json.dumps(event(specversion="0.3")),
        json.dumps({"id": "x"}),
    ],
)
async def test_what_is_no_cloudevent_is_refused(body: str) -> None:
    async with SimulatedOffice() as office:
        assert await post(office.url, body) == 400
        assert await post(office.url, json.dumps(event())) == 204
    assert len(office.received) == 1


async def test_wrong_method_type_and_size_are_refused() -> None:
    async with SimulatedOffice() as office:
        assert await post(office.url, "x" * 1_100_000) == 413
        assert await post(office.url, json.dumps(event()), {"Content-Type": "text/plain"}) == 400
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(office.url)).status_code == 405


async def test_it_misbehaves_as_told() -> None:
    body = json.dumps(event())
    async with SimulatedOffice(misbehaviour=Misbehaviour(status=503, retry_after="7")) as office:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(office.url, content=body, headers=TYPE)
        assert (answer.status_code, answer.headers["retry-after"], office.received) == (503, "7", [])
        office.misbehaviour = Misbehaviour(fail_rate=1.0)
        assert (await post(office.url, body), len(office.received)) == (500, 0)
        office.misbehaviour = Misbehaviour(lose_rate=1.0)
        assert (await post(office.url, body), len(office.received)) == (500, 1)
        office.misbehaviour = Misbehaviour(drop_after=0)
        with pytest.raises(httpx.RemoteProtocolError):
            await post(office.url, body)
        assert len(office.received) == 2
        office.misbehaviour = Misbehaviour(stall=True)
        with pytest.raises(httpx.ReadTimeout):
            await post(office.url, body, timeout=0.2)


async def test_a_taken_port_and_a_bad_secret_are_told() -> None:
    async with SimulatedOffice() as office:
        with pytest.raises(OSError, match="in use"):
            await SimulatedOffice(port=office.port).__aenter__()
    with pytest.raises(ValueError, match="whsec_"):
        await SimulatedOffice(secret="s3cr3t").__aenter__()


# --- the command


@asynccontextmanager
async def command(kind: str, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.simulators",
        kind,
        "--port",
        "0",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode()
        yield process, ready.removeprefix("ready ").strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_command_prints_a_line_for_each_event_and_keeps_a_list(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    arguments = ("--secret-file", str(tmp_path / "secret"), "--list", str(tmp_path / "list"))
    async with command("police", *arguments) as (process, url):
        assert process.stdout is not None
        nasty = event(data={"place": "gate\x1b[2J"}, drill=True)
        for each in (event(), event(), event("e2", time=None, data=[1]), nasty | {"id": "e3"}):
            body = json.dumps(each)
            assert await post(url, body, signed(body)) == 204
        lines = [(await process.stdout.readline()).decode() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert "police 110 公安: critical" in lines[0]
    assert "campus.button.pressed" in lines[0]
    assert "东门" in lines[0]
    assert "no time" in lines[1]
    assert "\x1b" not in lines[2]
    assert "DRILL" in lines[2]
    listed = [json.loads(line)["id"] for line in (tmp_path / "list").read_text("utf-8").splitlines()]
    assert listed == ["e1", "e2", "e3"]


async def test_the_command_ends_with_its_parent() -> None:
    async with command("office", "--exit-with-parent") as (process, _url):
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        ("cannot be read", ("--secret-file", "{folder}/none"), 2),
        ("base64", ("--secret-file", "{folder}/bad"), 2),
        ("a share is 0 to 1", ("--fail-rate", "2"), 2),
        ("in use", ("--port", "{taken}"), 1),
    ],
)
async def test_wrong_usage_is_told_in_one_line(
    tmp_path: Path, text: str, arguments: tuple[str, ...], code: int
) -> None:
    (tmp_path / "bad").write_text("s3cr3t")
    async with SimulatedOffice() as office:
        filled = [each.format(folder=tmp_path, taken=office.port) for each in arguments]
        async with command("office", *filled) as (process, ready):
            assert process.stderr is not None
            told = (await process.stderr.read()).decode()
            assert (await process.wait(), ready) == (code, "")
    assert text in told
    assert "Traceback" not in told
    assert "s3cr3t" not in told


def told(name: str, type_: str, subject: str, **data: object) -> dict[str, Any]:
    return event(name) | {"type": f"campus.incident.{type_}", "subject": subject, "data": data}


def test_what_follows_in_an_incident_is_printed_with_its_place_and_kind() -> None:
    known, one = KnownIncidents(), "0b6cbf0e-8f0c-5b0e-9d7e-1f2a3b4a2767"
    press = "campus.button.pressed"
    opened = told("e1", "opened", one, incident=one, kind=press, title="岗亭", place="东门")
    for each in (opened, told("e2", "acknowledged", one, incident=one), told("e3", "resolved", one, incident=one)):
        line = line_of(each, "office", known)
        assert f"东门 · {press}" in line
        assert "4a2767" not in line


def test_a_call_out_that_was_told_of_nothing_before_names_place_and_kind() -> None:
    one = "0b6cbf0e-8f0c-5b0e-9d7e-1f2a3b4a2767"
    escalated = told("e1", "escalated", one, incident=one, level=3, kind="campus.camera.lost", place="西门")
    assert "西门 · campus.camera.lost" in line_of(escalated, "office", KnownIncidents())
    assert "…4a2767" in line_of(told("e2", "noted", "0" * 30 + "4a2767", incident="x"), "office", KnownIncidents())


def test_no_more_incidents_are_remembered_than_a_long_run_can_hold() -> None:
    known = KnownIncidents()
    for number in range(1200):
        known.about({"incident": f"i{number}", "place": f"gate {number}", "kind": "k"})
    assert known.about({"incident": "i0"}) == ("", "")
    assert known.about({"incident": "i1199"}) == ("gate 1199", "k")
