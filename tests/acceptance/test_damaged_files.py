"""A gateway whose files are damaged: it comes up, takes presses, says what happened, and keeps the damaged file."""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.command import command
from harness.daemon import ADMIN, BUTTON, Daemon, problems
from harness.ports import free_port
from harness.press import Presser

from gateway.simulators.office import SimulatedOffice

PAGE = 4096
GAP = 100_000
SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OFFICE = f"""
[[destinations]]
id = "office"
kind = "webhook"
url = "http://127.0.0.1:{{port}}/"
secret = "{SECRET}"
"""


def smash(path: Path, first_page: int) -> None:
    with path.open("r+b") as file:
        for page in range(first_page, path.stat().st_size // PAGE):
            file.seek(page * PAGE)
            file.write(os.urandom(PAGE))


def pressed(daemon: Daemon, name: str, count: int = 1) -> None:
    with Presser(daemon.mqtt_port) as presser:
        for number in range(count):
            presser.press_and_wait(f"{name}-{number}")


def presses(daemon: Daemon) -> list[str]:
    """The bodies of presses that are on disk, as another program reads them."""
    with closing(sqlite3.connect(f"file:{daemon.state / 'journal.db'}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT body FROM event WHERE type = 'campus.button.pressed'").fetchall()
    return [body.decode() for (body,) in rows]


def on_disk(daemon: Daemon, name: str) -> bool:
    return any(name in body for body in presses(daemon))


def incidents(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    """Incidents of a kind, as soon as there is one."""
    ends = time.monotonic() + 20
    while True:
        items: list[dict[str, Any]] = client.get("/incidents").json()["items"]
        if found := [each for each in items if each["kind"] == kind]:
            return found
        assert time.monotonic() < ends, f"no incident of {kind}"
        time.sleep(0.1)


def history(client: httpx.Client, incident: str) -> set[tuple[int, str]]:
    detail = client.get(f"/incidents/{incident}").json()
    assert detail["lost"] == 0
    return {(each["position"], each["event"]["id"]) for each in detail["timeline"]}


def faults(daemon: Daemon) -> list[dict[str, Any]]:
    with daemon.client() as client:
        return [each for each in daemon.events(client, type="campus.gateway.fault") if each["severity"] == "critical"]


def put_aside(daemon: Daemon, file: str) -> list[Path]:
    return [each for each in daemon.state.glob(f"{file}.damaged-*") if not each.name.endswith(("-wal", "-shm"))]


def test_with_a_damaged_journal_it_starts_and_takes_presses(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        pressed(daemon, "before", 200)
        with daemon.client() as client:
            (before,) = incidents(client, "campus.button.pressed")
            known = history(client, before["id"])
    smash(daemon.state / "journal.db", 1)
    content = (daemon.state / "journal.db").read_bytes()
    with daemon:
        pressed(daemon, "after")
        (place,) = put_aside(daemon, "journal.db")
        (fault,) = faults(daemon)
        with daemon.client() as client:
            assert incidents(client, "campus.gateway.fault")
            detail = client.get(f"/incidents/{before['id']}").json()
        status, doctor = (command(word, "--config", str(tmp_path)) for word in ("status", "doctor"))
        daemon.kill()
    assert on_disk(daemon, "after-0")
    assert place.read_bytes() == content
    steps = {(each["position"], each["event"]["id"]) for each in detail["timeline"]}
    own = {step for step in steps if step[0] < GAP}
    assert own <= known, "no other event stands in the place of one that is lost"
    assert not [each for each in detail["timeline"] if each["event"]["type"].startswith("campus.gateway.")]
    assert detail["lost"] == len(known - own) > 0
    assert fault["data"]["fault"] == "file_damaged"
    assert str(place) in fault["data"]["detail"]
    assert "campus-gateway restore" in fault["data"]["detail"]
    for said in (status.stdout, doctor.stdout, "".join(daemon.log)):
        assert str(place) in said
    for table in (status.stdout, doctor.stdout):
        assert "status --json" in table
        assert "campus-gateway restore" not in table, "a cell is one sentence"
    assert (status.returncode, doctor.returncode) == (0, 1)
    assert not problems(daemon.log)


async def test_presses_that_waited_under_an_overwritten_header_reach_the_office(tmp_path: Path) -> None:
    port = free_port()
    daemon = Daemon(tmp_path, extra=BUTTON + OFFICE.format(port=port))
    await asyncio.to_thread(_press_without_an_office, daemon)
    with (daemon.state / "journal.db").open("r+b") as file:
        file.write(os.urandom(100))
    async with SimulatedOffice(secret=SECRET, port=port) as office:
        await asyncio.to_thread(daemon.start)
        try:
            until = time.monotonic() + 30
            while len(_presses_at(office)) < 3 and time.monotonic() < until:
                await asyncio.sleep(0.1)
        finally:
            await asyncio.to_thread(daemon.stop)
        assert len(_presses_at(office)) == 3


def _press_without_an_office(daemon: Daemon) -> None:
    with daemon:
        pressed(daemon, "waits", 3)


def _presses_at(office: SimulatedOffice) -> list[str]:
    return [each["id"] for each in office.received if each["type"] == "campus.button.pressed"]


def test_with_a_damaged_state_it_starts_takes_presses_and_wants_to_be_set_up(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        pressed(daemon, "before", 3)
    smash(daemon.state / "state.db", 0)
    daemon.printed.clear()
    with daemon:
        pressed(daemon, "after")
        daemon.set_up_administrator()
        (place,) = put_aside(daemon, "state.db")
        (fault,) = faults(daemon)
        with daemon.client() as client:
            assert incidents(client, "campus.button.pressed"), "they are made anew"
            names = [each["name"] for each in client.get("/users").json()["items"]]
        daemon.kill()
    assert all(on_disk(daemon, name) for name in ("before-0", "before-2", "after-0"))
    assert "set-up link" in fault["data"]["detail"]
    assert str(place) in fault["data"]["detail"]
    assert names == [ADMIN]
    assert not problems(daemon.log)


@pytest.mark.parametrize("file", ["journal.db", pytest.param("state.db", marks=pytest.mark.long)])
def test_damage_that_is_met_later_ends_it_and_its_next_start_goes_on(tmp_path: Path, file: str) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
        pressed(daemon, "before", 200)
    with daemon, daemon.client() as client:
        smash(daemon.state / file, 1)
        answer = client.get("/events" if file == "journal.db" else "/audit", params={"limit": 500})
        assert daemon.process is not None
        daemon.process.wait(20)
        assert daemon.kill() == 1, "it ended by itself; its supervisor starts it anew"
    assert answer.json()["where"] == str(daemon.state / file)
    assert (daemon.state / f"{file}.suspect").exists()
    with daemon:
        pressed(daemon, "after")
        daemon.kill()
    assert len(put_aside(daemon, file)) == 1
    assert on_disk(daemon, "after-0")
    assert not any("Traceback" in line for line in daemon.log)


@pytest.mark.long
def test_without_its_master_key_it_takes_presses_and_says_so(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        daemon.set_up_administrator()
    key = tmp_path / "state.key"
    key.rename(tmp_path / "elsewhere")
    with daemon:
        pressed(daemon, "after")
        (fault,) = faults(daemon)
        daemon.kill()
    assert fault["data"]["fault"] == "master_key_unusable"
    assert f"Put the key that belongs to this state to {key}" in fault["data"]["detail"]
    assert not key.exists(), "none is made anew"
    assert on_disk(daemon, "after-0")
    assert not problems(daemon.log)
