"""Press to PUBACK while every child process is stopped and killed, against the quiet run.

Run:  .venv/bin/python benchmarks/isolation.py [--presses 2000] [--quick] [--json] [--folder DIR]

The gateway runs as it ships, with one camera (the recorded gate scene, faces watched). Quiet: presses alone. Disturbed:
the same presses while each child in turn gets SIGSTOP (it is then replaced after its missed heartbeats) and SIGKILL.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks"))

from alarm_path import file_system, percentiles  # noqa: E402  # the folders are found through the lines above
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402

SCENE = ROOT / "fixtures" / "build" / "gate-640x360.mp4"
CAMERA = f"""
[[cameras]]
id = "cam-01"
name = "gate"
url = "file://{SCENE}"
watch_faces = true
"""
PAUSE_SECONDS = 0.01
STAGE_SECONDS = 40.0


class Disturber:
    """Stops and kills each child in turn, and notes which states were seen and who came back."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.ended = threading.Event()
        self.states: dict[str, set[str]] = {}
        self.done: list[str] = []
        self._thread = threading.Thread(target=self._run, name="disturber")
        self._thread.start()

    def _run(self) -> None:
        for how in (signal.SIGKILL, signal.SIGSTOP):
            for name in self._workers():
                if self.ended.is_set():
                    return
                wait_until_live(self._daemon)
                before = self._children()
                os.kill(self._child(before, name), how)
                if self._wait_until_back(name, set(before)):
                    self.done.append(f"{how.name} {name}")

    def _workers(self) -> list[str]:
        return sorted(self._readiness()["workers"])

    def _readiness(self) -> dict[str, dict[str, str]]:
        body: dict[str, dict[str, str]] = httpx.get(f"{self._daemon.url}/readyz", timeout=5).json()
        return body

    def _children(self) -> dict[int, str]:
        return {pid: line for pid, line in self._daemon.children().items() if "gateway.vision" in line}

    @staticmethod
    def _child(children: dict[int, str], name: str) -> int:
        role = name.split("-", maxsplit=1)[0]
        return next(pid for pid, line in children.items() if f"gateway.vision {role}" in line)

    def _wait_until_back(self, name: str, before: set[int]) -> bool:
        until = time.monotonic() + STAGE_SECONDS
        while time.monotonic() < until:
            state = self._readiness()["workers"][name]
            self.states.setdefault(name, set()).add(state)
            if state == "ready" and set(self._children()) != before:
                return True
            time.sleep(0.1)
        return False

    def finish(self) -> None:
        """Let it do its last stage and end."""
        self.ended.set()
        self._thread.join(2 * STAGE_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether it still has children to disturb."""
        return self._thread.is_alive()


def press(client: RawClient, label: str, count: int, more: "Disturber | None" = None) -> list[float]:
    """Seconds to PUBACK of `count` presses, and of further ones while the disturber is at work."""
    times = []
    number = 0
    while number < count or (more is not None and more.alive):
        before, after = client.press(f"{label}-{number}")
        times.append(after - before)
        number += 1
        time.sleep(PAUSE_SECONDS)
    return times


def wait_until_live(daemon: Daemon) -> None:
    """Wait until the camera is live and every child ready."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        body = httpx.get(f"{daemon.url}/readyz", timeout=5).json()
        if body["cameras"].get("cam-01") == "live" and set(body["workers"].values()) == {"ready"}:
            return
        time.sleep(0.2)
    raise SystemExit("the camera did not get live")


def measure(folder: Path, presses: int) -> dict[str, object]:
    """Quiet and disturbed figures from one run."""
    with Daemon(folder, extra=BUTTON + CAMERA) as daemon:
        daemon.set_up_administrator()
        wait_until_live(daemon)
        with RawClient(daemon.mqtt_port) as client:
            quiet = press(client, "quiet", presses)
            disturber = Disturber(daemon)
            disturbed = press(client, "disturbed", presses, disturber)
            disturber.finish()
        with daemon.client() as http:
            stored = len(daemon.events(http, type="campus.button.pressed"))
    before, after = percentiles(quiet), percentiles(disturbed)
    return {
        "file_system": file_system(folder),
        "quiet": before,
        "disturbed": after,
        "p99_ratio": round(after["p99_ms"] / before["p99_ms"], 2),
        "p99_difference_ms": round(after["p99_ms"] - before["p99_ms"], 3),
        "acknowledged": len(quiet) + len(disturbed),
        "stored": stored,
        "came_back": disturber.done,
        "states_seen": {name: sorted(states) for name, states in disturber.states.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="300 presses, and as many as the children need")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="on the disk to measure")
    arguments = parser.parse_args()
    if not SCENE.exists():
        raise SystemExit(f"{SCENE}: the recorded scene is not made yet. Run: make fixtures")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        result = measure(Path(folder), 300 if arguments.quick else arguments.presses)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()
