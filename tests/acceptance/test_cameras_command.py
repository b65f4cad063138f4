"""`campus-gateway cameras` beside a running gateway, as an installer types it."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.command import command
from harness.daemon import Daemon

from gateway.clock import SystemClock
from gateway.events import CameraDay, CamerasReported
from gateway.settings import StorageSettings
from gateway.storage import Journal

CSV = """id,name,url,username,password
east,East gate,onvif://10.255.255.1,gate,p@ss:w/rd#1
c 2,bad id,onvif://10.255.255.2,gate,p@ss:w/rd#1
west,West gate,rtsp://10.255.255.3/live,,
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    networks = '[vision]\ncamera_networks = ["127.0.0.9/32"]\n'
    with Daemon(tmp_path_factory.mktemp("cameras"), extra=networks) as running:
        yield running


def test_cameras_are_judged_added_and_listed(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        (tmp_path / "cameras.csv").write_text(CSV, "utf-8")
        config = ("--config", str(daemon.folder))

        tried = command("cameras", "import", str(tmp_path / "cameras.csv"), *config)
        assert tried.returncode == 1
        assert [line.split()[0] for line in tried.stdout.splitlines()] == ["line", "2", "3", "4"]
        assert "Use 1 to 64 of" in tried.stdout
        assert "2 good rows, 1 bad one. Nothing is added without --apply." in tried.stderr
        assert json.loads(command("cameras", "list", "--json", *config).stdout) == []

        added = command("cameras", "import", str(tmp_path / "cameras.csv"), "--apply", *config)
        assert added.returncode == 1
        assert "2 good rows, 1 bad one. The good ones are added." in added.stderr
        listed = command("cameras", "list", *config)
        assert listed.returncode == 0
        assert [line.split()[0] for line in listed.stdout.splitlines()] == ["id", "east", "west"]

        again = json.loads(command("cameras", "import", str(tmp_path / "cameras.csv"), "--json", *config).stdout)
        assert [each["fault"] for each in again["items"] if not each["ok"]] == [
            "the id is taken",
            "has not the right form",
            "the id is taken",
        ]
        assert command("token", "list", "--json", *config).stdout.strip() == "[]", "it leaves no token behind"
        output = tried.stdout + tried.stderr + added.stdout + listed.stdout + "".join(daemon.log)
        assert "p@ss" not in output


async def _keep_report(state: Path) -> None:
    clock = SystemClock()
    journal = await Journal.open(state, clock=clock, settings=StorageSettings(directory=state))
    gate = CameraDay(
        camera="gate", name="东门", well=False, losses=2, seconds_without_picture=5400.0,
        faults={"clock_off": 2}, tampered={"dark": 1}, clock_offset_seconds=-61.3, certificate_days_left=12,
    )  # fmt: skip
    report = CamerasReported(
        id="r1", source="/site/east/gateway", subject="gateway", time=clock.now(), day="2026-11-26",
        cameras=(gate, CameraDay(camera="back", events_heard=7)),
    )  # fmt: skip
    await journal.append(report)
    await journal.close()


def test_the_daily_report_is_given_as_text_and_as_it_is(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    with daemon:
        none = command("cameras", "report", "--config", str(daemon.folder))
        assert (none.returncode, none.stdout) == (0, "")
        assert "There is no report yet" in none.stderr
    asyncio.run(_keep_report(daemon.state))
    with daemon:
        told = command("cameras", "report", "--config", str(daemon.folder))
        as_json = command("cameras", "report", "--json", "--config", str(daemon.folder))
    assert told.returncode == 0, told.stderr
    _head, gate, back = told.stdout.splitlines()
    assert gate.split()[:4] == ["gate", "东门", "2", "90.0"]
    assert "clock_off (2), dark" in gate
    assert gate.endswith("-61.3 s  12 days")
    assert back.split() == ["back", "7"]
    assert "2026-11-26: 1 of 2 cameras well all day." in told.stderr
    (report,) = json.loads(as_json.stdout)
    assert report["cameras"][0]["seconds_without_picture"] == 5400.0


def test_discovery_says_where_it_looked(daemon: Daemon) -> None:
    found = command("cameras", "discover", "--seconds", "1", "--config", str(daemon.folder))
    assert found.returncode == 0, found.stderr
    assert found.stdout.split()[:2] == ["url", "camera"]
    assert "0 cameras in 127.0.0.9/32." in found.stderr


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("", "is empty"), ("a,b\n1,2\n", "no known name: column 1, 2")]
)
def test_what_is_no_list_of_cameras_is_told(daemon: Daemon, tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "cameras.csv"
    if content is not None:
        path.write_text(content, "utf-8")
    told = command("cameras", "import", os.fspath(path), "--config", str(daemon.folder))
    assert told.returncode == 1
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_file_that_excel_saved_in_chinese_is_read_and_a_gateway_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "cameras.csv").write_bytes("id,name,url\neast,东门,onvif://10.255.255.1\n".encode("gb18030"))
    with Daemon(tmp_path) as daemon:
        config = ("--config", str(daemon.folder))
        added = command("cameras", "import", str(tmp_path / "cameras.csv"), "--apply", *config)
        assert added.returncode == 0, added.stderr
        assert "read as GB18030" in added.stderr
        assert "东门" in command("cameras", "list", *config).stdout
        assert daemon.stop() == 0
        told = command("cameras", "list", *config)
    assert told.returncode == 1
    assert "Does it run?" in told.stderr
