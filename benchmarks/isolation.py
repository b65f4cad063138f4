"""Press to PUBACK while every child process is stopped and killed, against the quiet run.

Run:  .venv/bin/python benchmarks/isolation.py [--presses 2000] [--quick] [--json] [--folder DIR]

The gateway runs as it ships, with two cameras: the recorded gate scene, faces watched, and a simulated one over ONVIF,
so that there is a child of each role. Blocks of presses alternate, so that what else the machine does weighs on both
alike: a quiet one, then one in which a child gets SIGSTOP (it is then replaced after its missed heartbeats) or SIGKILL,
until every child had both.
"""

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import file_system, folder_in, options, percentiles  # noqa: E402  # found through the line above
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402

SCENE = ROOT / "fixtures" / "build" / "gate-640x360.mp4"
CAMERA = f"""
[[cameras]]
id = "cam-01"
name = "gate"
url = "file://{SCENE}"
watch_faces = true

[[cameras]]
id = "cam-02"
name = "yard"
url = "{{url}}"
"""
PAUSE_SECONDS = 0.01
STAGE_SECONDS = 40.0
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Stage:
    """One disturbance of one child."""

    worker: str
    how: signal.Signals

    @property
    def role(self) -> str:
        """What its command line says."""
        return self.worker.split("-", maxsplit=1)[0]


class Observer(threading.Thread):
    """Asks for the children's states five times a second until ended; with a stage, hurts that child once first.

    It runs in the quiet blocks, too, so that its own requests weigh on both alike.
    """

    def __init__(self, daemon: Daemon, stage: Stage | None) -> None:
        super().__init__(name="observer")
        self._daemon = daemon
        self._stage = stage
        self.ended = threading.Event()
        self.back = threading.Event()
        self.states: set[str] = set()

    def run(self) -> None:
        """Hurt and look."""
        with httpx.Client(base_url=self._daemon.url, timeout=5) as http:
            before = set(vision_children(self._daemon))
            if self._stage is not None:
                self._hurt(self._stage)
            while not self.ended.wait(0.2):
                workers = http.get("/readyz").json()["workers"]
                if self._stage is not None:
                    self.states.add(workers[self._stage.worker])
                    if workers[self._stage.worker] == "ready" and set(vision_children(self._daemon)) != before:
                        self.back.set()

    def _hurt(self, stage: Stage) -> None:
        children = vision_children(self._daemon)
        pid = next(pid for pid, line in children.items() if f"gateway.vision {stage.role}" in line)
        os.kill(pid, stage.how)


def vision_children(daemon: Daemon) -> dict[int, str]:
    """The running children of the daemon that see: process number to command line."""
    return {pid: line for pid, line in daemon.children().items() if "gateway.vision" in line}


def press(client: RawClient, label: str, count: int, observer: Observer) -> list[float]:
    """Seconds to PUBACK of `count` presses, and of further ones until the child that the observer hurt is back."""
    observer.start()
    times: list[float] = []
    until = time.monotonic() + STAGE_SECONDS
    while len(times) < count or (label != "quiet" and not observer.back.is_set() and time.monotonic() < until):
        before, after = client.press(new_press_id(label))
        times.append(after - before)
        time.sleep(PAUSE_SECONDS)
    observer.ended.set()
    observer.join()
    return times


def new_press_id(label: str) -> str:
    """An id that was not there yet."""
    return f"{label}-{next(_NUMBERS)}"


def wait_until_live(daemon: Daemon) -> None:
    """Wait until both cameras are live and every child ready."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        body = httpx.get(f"{daemon.url}/readyz", timeout=5).json()
        if set(body["cameras"].values()) == {"live"} and set(body["workers"].values()) == {"ready"}:
            return
        time.sleep(0.2)
    raise SystemExit("the cameras did not get live")


@contextmanager
def onvif_camera() -> Iterator[str]:
    """The address of a simulated camera in a process of its own."""
    command = [sys.executable, "-m", "gateway.simulators", "camera", "--exit-with-parent"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as camera:
        assert camera.stdout is not None
        words = camera.stdout.readline().split()
        try:
            yield next(word for word in words if word.startswith("onvif://"))
        finally:
            camera.terminate()


def measure(folder: Path, presses: int, rounds: int) -> dict[str, object]:
    """Quiet and disturbed figures from alternating blocks of one run."""
    quiet: list[float] = []
    disturbed: list[float] = []
    back: list[str] = []
    states: dict[str, set[str]] = {}
    with onvif_camera() as url, Daemon(folder, extra=BUTTON + CAMERA.format(url=url)) as daemon:
        daemon.set_up_administrator()
        wait_until_live(daemon)
        workers = sorted(httpx.get(f"{daemon.url}/readyz", timeout=5).json()["workers"])
        stages = [Stage(name, how) for name in workers for how in (signal.SIGKILL, signal.SIGSTOP)] * rounds
        block = math.ceil(presses / len(stages))
        with RawClient(daemon.mqtt_port) as client:
            press(client, "quiet", 50, Observer(daemon, None))
            for stage in stages:
                wait_until_live(daemon)
                quiet += press(client, "quiet", block, Observer(daemon, None))
                observer = Observer(daemon, stage)
                disturbed += press(client, f"{stage.how.name}-{stage.worker}", block, observer)
                states.setdefault(stage.worker, set()).update(observer.states)
                back += [f"{stage.how.name} {stage.worker}"] if observer.back.is_set() else []
        with daemon.client() as http:
            stored = len(daemon.events(http, type="campus.button.pressed"))
    before, after = percentiles(quiet), percentiles(disturbed)
    return {
        "file_system": file_system(folder),
        "quiet": before,
        "disturbed": after,
        "p99_ratio": round(after["p99_ms"] / before["p99_ms"], 2),
        "p99_difference_ms": round(after["p99_ms"] - before["p99_ms"], 3),
        "acknowledged": 50 + len(quiet) + len(disturbed),
        "stored": stored,
        "disturbances": len(stages),
        "came_back": len(back),
        "states_seen": {name: sorted(seen) for name, seen in states.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="300 presses, and as many as the children need")
    parser.add_argument("--presses", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1, help="how often each child is stopped and killed")
    arguments = parser.parse_args()
    if not SCENE.exists():
        raise SystemExit(f"{SCENE}: the recorded scene is not made yet. Run: make fixtures")
    with folder_in(arguments.folder) as folder:
        result = measure(folder, 300 if arguments.quick else arguments.presses, arguments.rounds)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()
