"""A live camera's figures, as a guard's colleague, a monitor and the command line see them."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.command import command
from harness.daemon import BUTTON, Daemon
from harness.watching import person, upload, with_models
from vision_bench import built, yunet_file

CAMERA = '[[cameras]]\nid = "cam-01"\nurl = "file://{scene}"\nwatch_faces = true\nloop = true\n'
pytestmark = pytest.mark.timeout(120)


def figures(daemon: Daemon) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{daemon.url}/readyz").json()["figures"].get("cam-01") or {}
    return found


def test_a_live_camera_says_what_it_does_and_costs(tmp_path: Path) -> None:
    yunet_file()
    extra = BUTTON + CAMERA.format(scene=built("gate-640x360.mp4"))
    with with_models(Daemon(tmp_path, extra=extra)) as daemon:
        daemon.set_up_administrator()
        with daemon.client() as client:  # nothing is looked for while nobody is listed
            identity = client.post("/watchlist/people", json=person()).json()["id"]
            assert upload(client, identity, built("portraits/obama.jpg").read_bytes()).status_code == 201
        until = time.monotonic() + 60
        while not (found := figures(daemon)) or not found["embed_ms"] or not found["frames"][2]:
            assert time.monotonic() < until, found
            time.sleep(0.3)
        assert min(found["decode_ms"], found["detect_ms"], found["looks_per_second"]) > 0
        assert found["decision_age_p95_ms"] > 0
        seen, looked, skipped, _ = found["frames"]
        assert seen > looked > 0
        assert skipped > 0
        told = metrics(daemon)
        assert told["camera_frames_total"] >= seen
        assert told["camera_looks_total"] >= looked
        assert told["camera_gate_asked_total"] >= told["camera_gate_moved_total"] > 0
        assert told["camera_decision_age_milliseconds"] > 0
        assert told["camera_load"] > 0
        assert {"camera_rested_total", "camera_looks_late_total", "camera_passages_total"} <= set(told)
        printed = command("status", "--config", str(tmp_path))
        assert re.search(
            r"cam-01 .*live.*video-1, .*(looks/s|resting).*decode \+ detect \+ embed [\d.]+ \+ [\d.]+ \+ [\d.]+ ms",
            printed.stdout,
        ), printed.stdout + printed.stderr


def metrics(daemon: Daemon) -> dict[str, float]:
    """The figures of cam-01 by name."""
    text = httpx.get(f"{daemon.url}/metrics").text
    return {name: float(value) for name, value in re.findall(r'campus_(\w+)\{camera="cam-01"\} (\S+)', text)}
