"""What the threshold costs, as an administrator asks it: by interface and by command, with and without a list."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from harness.daemon import BUTTON, Daemon
from harness.watching import person, upload, with_models

PORTRAIT = Path(__file__).parents[2] / "fixtures" / "build" / "portraits" / "obama.jpg"
pytestmark = pytest.mark.timeout(170)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    extra = f"{BUTTON}\n[matching]\nthreshold = 0.5\n"
    with Daemon(tmp_path_factory.mktemp("threshold"), extra=extra) as running:
        running.set_up_administrator()
        yield running


def threshold(daemon: Daemon, **query: Any) -> dict[str, Any]:
    """The answer, once the gallery child is there."""
    until = time.monotonic() + 60
    with daemon.client() as client:
        while (answer := client.get("/watchlist/threshold", params=query)).status_code == 503:
            assert time.monotonic() < until, answer.text
            time.sleep(0.3)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_another_list_and_traffic_are_told(daemon: Daemon) -> None:
    told = threshold(daemon, people=100, passages_per_day=2000)
    assert (told["people"], told["passages_per_day"], told["basis"]) == (100, 2000, "configured")
    assert told["estimate"] == "factory model"
    assert told["in_use"]["threshold"] == 0.5
    rates = [row["false_warnings_per_day"] for row in told["thresholds"]]
    missed = [row["missed"] for row in told["thresholds"]]
    assert rates == sorted(rates)
    assert missed == sorted(missed, reverse=True)
    assert min(rates) > 0
    twice = threshold(daemon, people=200, passages_per_day=2000)["in_use"]["false_warnings_per_day"]
    assert twice > told["in_use"]["false_warnings_per_day"]


def test_an_empty_list_is_no_fault(daemon: Daemon) -> None:
    told = threshold(daemon)
    assert (told["people"], told["templates"], told["faces_seen"], told["passages_counted"]) == (0, 0, 0, False)


@pytest.mark.parametrize(
    "query", [{"people": -1}, {"passages_per_day": -0.5}, {"passages_per_day": "nan"}, {"people": "many"}]
)
def test_impossible_numbers_are_422(daemon: Daemon, query: dict[str, Any]) -> None:
    with daemon.client() as client:
        answer = client.get("/watchlist/threshold", params=query)
    assert answer.status_code == 422
    assert next(iter(query)) in answer.text


def run(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "matching", "calibrate", "--config", str(daemon.folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_prints_a_table_and_draws_the_curve_beside_the_gateway(daemon: Daemon, tmp_path: Path) -> None:
    curve = tmp_path / "det.svg"
    done = run(daemon, "--people", "100", "--passages", "2000", "--plot", str(curve))
    assert done.returncode == 0, done.stderr
    assert "With 100 people on the list" in done.stdout
    assert "set by hand" in done.stdout
    assert ET.fromstring(curve.read_text()).tag.endswith("svg")  # noqa: S314  # our own
    as_json = run(daemon, "--people", "100", "--json", "--plot", "curve.gif")
    assert as_json.returncode == 1
    assert "svg" in as_json.stderr
    told = json.loads(run(daemon, "--people", "100", "--json").stdout)
    assert set(told["rules"]) == {"track", "mean", "median", "look"}
    assert "geometry" in told["source"]


@pytest.mark.skipif(not PORTRAIT.exists(), reason="the scenes are not made: make fixtures")
def test_more_warnings_than_expected_raise_the_alarm_of_drift_once(tmp_path: Path) -> None:
    """Four quiet weeks, then sixty warnings in a day that nobody confirmed; told at the next start, and not again."""
    with with_models(Daemon(tmp_path, extra=f"{BUTTON}\n[matching]\nthreshold = 0.5\n")) as running:
        running.set_up_administrator()
        with running.client() as client:
            identity = client.post("/watchlist/people", json=person()).json()["id"]
            assert upload(client, identity, PORTRAIT.read_bytes()).status_code == 201
        model = threshold(running)["model"]
        assert drift_faults(running) == []
        running.stop()
        with closing(sqlite3.connect(running.state / "state.db")) as connection, connection:
            note_weeks(connection, model, datetime.now(UTC).date())
        running.start()
        until = time.monotonic() + 60
        while not (found := drift_faults(running)):
            assert time.monotonic() < until, "the alarm never came"
            time.sleep(0.3)
        assert found == ["false_warning_rate_above"]
        running.stop()
        running.start()
        assert threshold(running)["faces_seen"] > 50_000
        assert drift_faults(running) == ["false_warning_rate_above"]


def drift_faults(daemon: Daemon) -> list[str]:
    with daemon.client() as client:
        faults = [each["data"]["fault"] for each in daemon.events(client, type="campus.gateway.fault")]
    return [each for each in faults if each.startswith("false_warning_rate")]


def note_weeks(connection: sqlite3.Connection, model: str, today: date) -> None:
    """What 28 days would have left: 2,000 tracks a day, all far from the list; and today's warnings."""
    for days in range(28):
        day = (today - timedelta(days=days)).isoformat()
        connection.execute("INSERT INTO passage_time (day, camera, seconds) VALUES (?, 'gate', 86400)", (day,))
        connection.execute(
            "INSERT INTO passage_distance (day, camera, size, rule, model, people, bin, count)"
            " VALUES (?, 'gate', 'full', 'track', ?, 1, 90, 2000)",
            (day, model),
        )
    for number in range(60):
        connection.execute(
            "INSERT INTO face_warning (event, day, camera, size, model, people, scores, verdict)"
            " VALUES (?, ?, 'gate', 'full', ?, 1, ?, '')",
            (f"warning-{number}", today.isoformat(), model, json.dumps({"track": 0.45, "mean": 0.45})),
        )
