"""Cameras over ONVIF: what their set-up costs beside onvif-zeep's, and how long an event takes into the journal.

Run:  .venv/bin/python benchmarks/onvif_cameras.py [--cameras 64] [--seconds 20] [--rate 5] [--quick] [--json]

Set-up: 16 simulated cameras are described and subscribed to by the devices child; its CPU seconds and megabytes are
counted from its start, beside those of a process that makes 16 onvif-zeep cameras as its README shows (device, media,
events and PTZ service). Events: every sound camera's contact changes `--rate` times a second, while of the
cameras ten are frozen, ten lie about their address and ten reject the password (fewer for fewer cameras); the time is
from the change in the camera to the journal's commit, with full sync. Their streams redirect, so that no video is
decoded beside: that has benchmarks of its own. The CPU seconds of those 20 s are told apart: the simulated cameras' are
no part of what a site pays, and on a small machine the time that an event takes holds their share, too.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.clock import SystemClock  # noqa: E402  # the folder is found through the line above
from gateway.events import CameraInputTriggered, Event  # noqa: E402  # likewise
from gateway.settings import CameraSettings, MatchingSettings, StorageSettings, VisionSettings  # noqa: E402  # likewise
from gateway.storage import open_storage  # noqa: E402  # likewise
from gateway.workers import Outfit, WorkerPorts, Workers  # noqa: E402  # likewise

SETUP_CAMERAS = 16
TICKS = 100.0  # of /proc/<pid>/stat on Linux
SWARM = """
import asyncio, json, sys, time
from pathlib import Path
from gateway.simulators.camera import SimulatedCamera, write_test_recording

async def main(plan, folder):
    recording = write_test_recording(Path(folder) / "r.mp4", frames=12)
    cameras = [SimulatedCamera(recording, username="gate", password="secret", quirks=quirks) for quirks in plan]
    for camera in cameras:
        await camera.__aenter__()
    print(json.dumps([camera.onvif_url for camera in cameras]), flush=True)
    loop = asyncio.get_running_loop()
    seconds, rate = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    changed = [[] for _ in cameras]
    begin = time.monotonic()
    for step in range(int(seconds * rate)):
        for number, camera in enumerate(cameras):
            due = begin + (step + number / len(cameras)) / rate
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            changed[number].append(time.monotonic())
            camera.inside.happenings.set("input/1", active=step % 2 == 0)
    print(json.dumps(changed), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    for camera in cameras:
        await camera.__aexit__(None, None, None)

asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2]))
"""
PEER = """
import json, resource, sys
import onvif
for url in json.loads(sys.argv[1]):
    host, port = url.removeprefix("onvif://").split(":")
    camera = onvif.ONVIFCamera(host, int(port), "gate", "secret")
    camera.devicemgmt.GetDeviceInformation()
    media = camera.create_media_service()
    media.GetProfiles()
    camera.create_events_service(), camera.create_ptz_service()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_seconds": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss / 1024}))
"""


class Swarm:
    """Simulated cameras in a process of their own."""

    def __init__(self, plan: list[list[str]], folder: Path) -> None:
        command = [sys.executable, "-c", SWARM, json.dumps(plan), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.urls: list[str] = json.loads(self._line())

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    async def change(self, seconds: float, rate: float) -> list[list[float]]:
        """Let every contact change; the moments of each camera's changes."""
        self._say(json.dumps([seconds, rate]))
        changed: list[list[float]] = json.loads(await asyncio.to_thread(self._line))
        return changed

    def close(self) -> None:
        """End all cameras."""
        self._process.kill()
        self._process.wait()


class Site:
    """The vision house over a real journal; notes when each contact's change was committed."""

    def __init__(self, append_all: Any) -> None:
        self._append_all = append_all
        self.described: set[str] = set()
        self.heard: set[str] = set()
        self.committed: dict[str, list[float]] = defaultdict(list)

    async def report(self, events: Sequence[Event]) -> None:
        await self._append_all(events)
        now = time.monotonic()
        for event in events:
            if isinstance(event, CameraInputTriggered):
                self.committed[event.camera].append(now)

    async def ignore(self, *_said: object) -> None:
        """Nothing."""

    async def describe(self, message: Any) -> None:
        self.described.add(message.camera)

    async def hear(self, message: Any) -> None:
        (self.heard.add if message.heard else self.heard.discard)(message.camera)

    def workers(self, folder: Path) -> Workers:
        ports = WorkerPorts(
            on_report=self.report,
            on_evidence=self.ignore,
            on_clip=lambda _piece: None,
            on_passage=self.ignore,
            on_statistics=self.ignore,
            on_described=self.describe,
            on_contact=self.ignore,
            on_heard=self.hear,
        )
        outfit = Outfit(
            site="bench",
            vision=VisionSettings(),
            matching=MatchingSettings(),
            models_directory=folder,
            people_key=b"k" * 32,
        )

        async def rows() -> tuple[int, tuple[()]]:
            return 0, ()

        return Workers(outfit, rows, ports)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def devices_child() -> dict[str, float]:
    """CPU seconds and megabytes of our devices child."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if b"devices" in words and b"gateway.vision" in words and int(fields[1]) == _own_pid():
                status = (folder / "status").read_text()
                peak = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
                return {"cpu_seconds": (int(fields[11]) + int(fields[12])) / TICKS, "megabytes": int(peak) / 1024}
        except (OSError, StopIteration):
            continue
    return {"cpu_seconds": 0.0, "megabytes": 0.0}


def _own_pid() -> int:
    return os.getpid()


async def until(so: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:  # noqa: ASYNC110  # what is waited for is many things
        await asyncio.sleep(0.05)


def shares(swarm: Swarm) -> dict[str, float]:
    """CPU seconds so far: the simulated cameras share the machine with what is measured."""
    return {
        "simulated_cameras": cpu_of(swarm.pid),
        "devices_child": devices_child()["cpu_seconds"],
        "alarm_house": cpu_of(os.getpid()),
    }


def plan_of(count: int, bad: int) -> list[list[str]]:
    """Which camera has which quirk: `bad` are frozen, as many have a wrong host."""
    return [
        ["frozen"] if number < bad else ["wrong-host", "redirects"] if number < 2 * bad else ["redirects"]
        for number in range(count)
    ]


async def measure(count: int, seconds: float, rate: float, folder: Path) -> dict[str, Any]:
    bad = min(10, count // 6) if rate else 0
    plan = plan_of(count, bad)
    async with AsyncExitStack() as stack:
        swarm = Swarm(plan, folder)
        stack.callback(swarm.close)
        stores = await open_storage(StorageSettings(directory=folder / "state"), SystemClock())
        stack.push_async_callback(stores.close)
        site = Site(stores.journal.append_all)
        workers = site.workers(folder)
        running = asyncio.create_task(workers.run(), name="workers")
        for number, url in enumerate(swarm.urls):
            rejected = 2 * bad <= number < 3 * bad
            await workers.assign(
                CameraSettings(id=f"c{number}", url=url, username="gate", password="no" if rejected else "secret")
            )
        sound = {f"c{number}" for number in range(count) if number >= bad and not 2 * bad <= number < 3 * bad}
        await until(lambda: sound <= site.heard, 120)
        cost = devices_child()
        before = shares(swarm)
        changed = await swarm.change(seconds, rate) if rate else []
        busy = {name: round(used - before[name], 2) for name, used in shares(swarm).items()}
        expected = sum(len(changed[int(name[1:])]) for name in sound) if changed else 0
        await until(lambda: sum(len(each) for each in site.committed.values()) >= expected, 15)
        workers.stop()
        await running
    delays = sorted(
        (came - went) * 1000
        for name in sound
        if changed and len(site.committed[name]) == len(changed[int(name[1:])])
        for went, came in zip(changed[int(name[1:])], site.committed[name], strict=True)
    )
    return {
        "heard": len(sound & site.heard),
        "sound": len(sound),
        "cost": cost,
        "events": expected,
        "delays": delays,
        "cpu_seconds": busy,
    }


def peer(folder: Path) -> dict[str, float] | None:
    swarm = Swarm([[] for _ in range(SETUP_CAMERAS)], folder)
    try:
        command = [sys.executable, "-c", PEER, json.dumps(swarm.urls)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    finally:
        swarm.close()
    if done.returncode:
        print(f"onvif-zeep: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout)
    return found


def at(delays: list[float], share: float) -> float:
    return delays[min(len(delays) - 1, int(share * len(delays)))] if delays else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--quick", action="store_true", help="12 cameras, 5 s")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    count, seconds = (12, 5.0) if chosen.quick else (chosen.cameras, chosen.seconds)
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as two,
        tempfile.TemporaryDirectory() as three,
    ):
        setup = asyncio.run(measure(SETUP_CAMERAS, 0, 0, Path(one)))
        theirs = peer(Path(two))
        storm = asyncio.run(measure(count, seconds, chosen.rate, Path(three)))
    result = {
        "setup": {"cameras": setup["heard"], "ours": setup["cost"], "onvif-zeep": theirs},
        "events": {
            "cameras": count,
            "heard": storm["heard"],
            "sound": storm["sound"],
            "events": storm["events"],
            "committed": len(storm["delays"]),
            **{f"p{share}_ms": round(at(storm["delays"], share / 100), 1) for share in (50, 95, 99)},
            "cpu_seconds": storm["cpu_seconds"],
        },
    }
    print(json.dumps(result) if chosen.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
