"""From a face's first good look in front of a camera to its warning on a guard's screen: the daemon as it ships."""

import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.camera import ServedCamera, served
from harness.daemon import Daemon
from harness.stream import StreamReader
from vision_bench import built
from vision_capacity import cameras, enrol, wait_until_live

PEOPLE = ("obama", "biden", "astronaut")
FPS = 25
# The policy's own heights: from the first on it decides at a tighter threshold, from the second on at the usual one.
LEAST_PX, FULL_PX = 32.0, 40.0
_LATE_SECONDS = 2.0
# Not 5: the scenes last a whole number of fifths of a second, so each round would be looked at in the same pictures.
_LOOKS_PER_SECOND = 4.9
_MATCHED = "campus.face.matched"


@dataclass
class Found:
    """What came of the passages.

    Attributes:
        shown: passages that were over while it was measured.
        since_full, since_least: milliseconds from the first frame with a face of that height to the event.
        looks: of each decision.
        false: warnings that named somebody who was not there.
        repeated: warnings of a passage that had been warned of.
        deciders: detector, model and threshold of each decision.
    """

    shown: int = 0
    since_full: list[float] = field(default_factory=list)
    since_least: list[float] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    false: int = 0
    repeated: int = 0
    deciders: set[str] = field(default_factory=set)


def measure(scene_name: str, loops: int, model: Path) -> dict[str, Any]:
    """Play a scene over RTSP so many times with all three people listed; each passage is to be warned of once."""
    with tempfile.TemporaryDirectory() as folder, served(built(f"{scene_name}.mp4")) as camera:
        matching = f'[matching]\ndetector_model = "{model}"\ncooldown_seconds = 0\n'
        extra = matching + cameras(1, [camera.url]) + f"looks_per_second = {_LOOKS_PER_SECOND}\n"
        with Daemon(Path(folder), extra=extra) as daemon:
            daemon.set_up_administrator()
            with daemon.client() as http:
                names = {enrol(http, person): person for person in PEOPLE}
                wait_until_live(daemon, 1)
                cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
            with StreamReader(daemon.url, cookie) as stream:
                return _row(scene_name, _play(scene_name, camera, stream, names, loops))


def _play(scene_name: str, camera: ServedCamera, stream: StreamReader, names: dict[str, str], loops: int) -> Found:
    truth = json.loads(built(f"{scene_name}.json").read_text())
    seconds, began = truth["frames"] / FPS, camera.began[-1]
    first = int((time.monotonic() - began) / seconds) + 1  # whole rounds only
    time.sleep(max(0.0, began + (first + loops) * seconds + _LATE_SECONDS - time.monotonic()))
    if camera.began[-1] != began:
        raise SystemExit("the camera was connected to anew: its frames cannot be told apart")
    found = Found(shown=loops * len(truth["passages"]))
    seen: set[tuple[int, int]] = set()
    events = sorted((at, event) for at, event in stream.arrived.values() if event["type"] == _MATCHED)
    for at, event in events:
        place = _passage(at - began, names[event["data"]["person"]], truth, seconds)
        if place is None:
            found.false += 1
        elif place in seen:
            found.repeated += 1
        elif first <= place[0] < first + loops:
            seen.add(place)
            _note(found, at - began - place[0] * seconds, truth["passages"][place[1]], event)
    return found


def _passage(at: float, person: str, truth: dict[str, Any], seconds: float) -> tuple[int, int] | None:
    """The round and the passage of `person` during which, or shortly after which, an event came."""
    for number, each in enumerate(truth["passages"]):
        for turn in (int(at // seconds), int(at // seconds) - 1):
            begin, end = (turn * seconds + each[key] / FPS for key in ("first_frame", "last_frame"))
            if each["person"] == person and begin <= at <= end + _LATE_SECONDS:
                return turn, number
    return None


def _note(found: Found, at: float, passage: dict[str, Any], event: dict[str, Any]) -> None:
    for height, into in ((FULL_PX, found.since_full), (LEAST_PX, found.since_least)):
        first = min(int(frame) for frame, box in passage["boxes"].items() if box[3] >= height)
        into.append(1e3 * (at - first / FPS))
    data = event["data"]
    found.looks.append(data["looks"])
    found.deciders.add(f"{data['detector']}, {data['model']}, {data['threshold_basis']} {data['threshold']:.3f}")


def _row(scene: str, found: Found) -> dict[str, Any]:
    def spread(values: list[float]) -> dict[str, int]:
        ordered = sorted(values)
        last = len(ordered) - 1
        return {"p50": round(statistics.median(ordered)), "p95": round(ordered[round(0.95 * last)])} if ordered else {}

    return {
        "scene": scene,
        "passages_shown": found.shown,
        "passages_warned_of": len(found.looks),
        f"ms_since_{FULL_PX:.0f}_px": spread(found.since_full),
        f"ms_since_{LEAST_PX:.0f}_px": spread(found.since_least),
        "looks_of_a_decision": {str(count): found.looks.count(count) for count in sorted(set(found.looks))},
        "false_identities": found.false,
        "repeated_warnings": found.repeated,
        "decided_by": sorted(found.deciders),
        "looks_per_second": _LOOKS_PER_SECOND,
    }
