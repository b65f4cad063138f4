"""A change of the face network: nobody is compared by old templates, and `watchlist reembed` brings all back."""

import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.daemon import Daemon

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "fixtures" / "build" / "portraits" / "obama.jpg"
YUNET = ROOT.parent / "shared" / "models" / "yunet_n_dynamic.onnx"
pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not PORTRAIT.exists(), reason="the portraits are not made: make fixtures"),
]


def watchlist_of(daemon: Daemon, met: str, value: object) -> dict[str, Any]:
    """The list as the gateway has it, once `met` is `value`."""
    until = time.monotonic() + 60
    while True:
        found: dict[str, Any] = httpx.get(f"{daemon.url}/readyz").json()["watchlist"]
        if found["model"] and found[met] == value:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)


def enrol(daemon: Daemon) -> None:
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    entry = {"name": "张三", "category": "barred", "reason": "order", "authority": "police", "valid_until": ends}
    with daemon.client() as client:
        identity = client.post("/watchlist/people", json=entry).json()["id"]
        photo = {"photo": ("photo.jpg", PORTRAIT.read_bytes())}
        until = time.monotonic() + 40
        while (answer := client.post(f"/watchlist/people/{identity}/photos", files=photo)).status_code == 503:
            assert time.monotonic() < until
            time.sleep(0.3)
        assert answer.status_code == 201, answer.text


def reembed(daemon: Daemon, precision: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", "watchlist", "reembed", "--json", "--config", str(daemon.folder)]
    command += ["--set", f"matching.precision={precision}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_templates_follow_a_change_of_the_network_while_the_gateway_runs(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    (daemon.state / "models").mkdir(parents=True)
    if YUNET.exists():
        shutil.copy(YUNET, daemon.state / "models")
    with daemon:
        daemon.set_up_administrator()
        enrol(daemon)
        exact = watchlist_of(daemon, "templates", 1)["model"]
    daemon.settings = ("matching.precision=int8",)
    with daemon:
        changed = watchlist_of(daemon, "left_out", 1)
        assert changed["templates"] == 0, "a template of another model is never compared"
        daemon.wait_for_log("L2 distance to fp32: median 0.0")

        refused = reembed(daemon, "fp32")
        assert refused.returncode == 1
        assert f"compares with {changed['model']}" in refused.stderr
        assert "Restart the gateway" in refused.stderr

        done = reembed(daemon, "int8")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["model"], told["replaced"], told["failures"]) == (changed["model"], {exact: 1}, [])
        assert "1 of 1: 张三" in done.stderr
        now = watchlist_of(daemon, "templates", 1)
        assert (now["left_out"], now["model"]) == (0, changed["model"])
        with daemon.client() as client:
            entries = client.get("/audit").json()["items"]
        assert any(each["action"] == "reembedded watch-list" for each in entries)
