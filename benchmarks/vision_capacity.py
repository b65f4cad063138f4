"""How many cameras two cores carry: the daemon as it ships, cameras over RTSP, presses beside them."""

import os
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import httpx
from harness.camera import served
from harness.daemon import BUTTON, Daemon
from harness.rawmqtt import RawClient
from socket_backlog import SocketBacklog
from vision_bench import built

_APART_SECONDS = 0.27
_TICKS = os.sysconf("SC_CLK_TCK")
PERSON = {"name": "Listed", "category": "barred", "reason": "benchmark", "authority": "office", "valid_until": None}


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes so far."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def cameras(count: int, urls: list[str], sub_url: str = "") -> str:
    """The configuration of `count` cameras at these addresses in turn, with this sub-stream if there is one."""
    sub = f'sub_url = "{sub_url}"\n' if sub_url else ""
    blocks = [
        f'[[cameras]]\nid = "cam-{number:02}"\nurl = "{urls[number % len(urls)]}"\n{sub}watch_faces = true\n'
        for number in range(1, count + 1)
    ]
    return "\n".join([BUTTON, *blocks])


def enrol(http: httpx.Client, portrait: str) -> str:
    """Put the person of a portrait on the watch-list for a day; its id."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    identity = str(http.post("/watchlist/people", json=PERSON | {"valid_until": until}).json()["id"])
    photo = built(f"portraits/{portrait}.jpg").read_bytes()
    until_ready = time.monotonic() + 60
    while True:  # the gallery child may still start
        answer = http.post(f"/watchlist/people/{identity}/photos", files={"photo": ("photo.jpg", photo)})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until_ready:
            break
        time.sleep(0.5)
    answer.raise_for_status()
    return identity


class Presses(threading.Thread):
    """Presses five times a second until ended."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(name="presses")
        self._daemon = daemon
        self.ended = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        """Press."""
        with RawClient(self._daemon.mqtt_port) as client:
            while not self.ended.wait(0.2):
                before, after = client.press(f"capacity-{time.monotonic_ns()}")
                self.seconds.append(after - before)


def wait_until_live(daemon: Daemon, count: int) -> None:
    """Wait until every camera is live."""
    until = time.monotonic() + 60 + count
    while time.monotonic() < until:
        states = list(httpx.get(f"{daemon.url}/readyz", timeout=10).json()["cameras"].values())
        if states.count("live") == count:
            return
        time.sleep(0.5)
    raise SystemExit(f"only {states.count('live')} of {count} cameras got live: {states}")


def measure(
    count: int,
    recording: Path,
    seconds: float,
    *,
    settle: float,
    model: Path | None,
    sources: int = 1,
    sub: Path | None = None,
) -> dict[str, Any]:
    """One gateway with `count` cameras of the recording, after `settle` s, over `seconds`; HOG without a model.

    Cameras of one source show the same picture at the same moment, also their keyframes: people come in before all of
    them at once. `sources` of them began at other moments. With `sub`, that is looked at as each camera's sub-stream,
    and the recording is the main stream.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        served_ones = [stack.enter_context(served(recording)) for _ in range(sources)]
        for each in served_ones[1:]:
            time.sleep(_APART_SECONDS)
            stack.enter_context(_watched(each.url))
        matching = f'[matching]\ndetector_model = "{model}"\n' if model is not None else ""
        small = stack.enter_context(served(sub)) if sub is not None else None
        extra = matching + cameras(count, [each.url for each in served_ones], small.url if small is not None else "")
        served_ones += [small] if small is not None else []
        with Daemon(Path(folder), extra=extra) as daemon:
            daemon.set_up_administrator()
            with daemon.client() as http:
                enrol(http, "obama")
            wait_until_live(daemon, count)
            time.sleep(settle)
            looked_at = [small] if small is not None else served_ones
            backlog = SocketBacklog([each.url for each in looked_at], _bytes_per_second(sub or recording))
            return _observe(daemon, [each.pid for each in served_ones], count, seconds, backlog)


def _bytes_per_second(recording: Path) -> float:
    with av.open(str(recording)) as container:
        return recording.stat().st_size / (float(container.duration or 0) / av.time_base)


def _watched(url: str) -> av.container.InputContainer:
    """A viewer that begins a source's picture, and stays."""
    return av.open(url, options={"rtsp_transport": "tcp"})


def _late_percent(first: dict[str, Any], last: dict[str, Any]) -> float:
    """Of all cameras' looks between the two: under 5 says that the 95th percentile is under 300 ms."""
    late = sum(last[name]["looks_late"] - first[name]["looks_late"] for name in last)
    looks = sum(last[name]["frames"][1] - first[name]["frames"][1] for name in last)
    return round(100 * late / looks, 2) if looks else 0.0


def _observe(daemon: Daemon, servers: list[int], count: int, seconds: float, backlog: SocketBacklog) -> dict[str, Any]:
    process = daemon.process
    assert process is not None
    children = list(daemon.children())
    presses = Presses(daemon)
    presses.start()
    backlog.start()
    before = (cpu_seconds([process.pid]), cpu_seconds(children), cpu_seconds(servers))
    first = httpx.get(f"{daemon.url}/readyz", timeout=10).json()["figures"]
    begun = time.monotonic()
    time.sleep(seconds)
    figures = httpx.get(f"{daemon.url}/readyz", timeout=10).json()["figures"]
    passed = time.monotonic() - begun
    after = (cpu_seconds([process.pid]), cpu_seconds(children), cpu_seconds(servers))
    presses.ended.set()
    backlog.ended.set()
    presses.join()
    backlog.join()
    oldest = max(each["decision_age_p95_ms"] for each in figures.values())
    looks = [(figures[name]["frames"][1] - first[name]["frames"][1]) / passed for name in figures]
    alarm, vision, sending = ((b - a) / passed * 100 for a, b in zip(before, after, strict=True))
    times = sorted(presses.seconds)
    return {
        "cameras": count,
        # A child that was replaced takes its counts along: then rates and CPU of this row mean nothing.
        "children_replaced": len(set(children) - set(daemon.children())),
        "looks_per_second_least": round(min(looks), 2),
        "looks_per_second_median": round(statistics.median(looks), 2),
        "age_at_decision_p95_ms_worst": oldest,
        "waiting_in_sockets_p50_ms": backlog.quantile(0.5),
        "waiting_in_sockets_p95_ms": backlog.quantile(0.95),
        "age_since_sent_p95_ms_worst_at_most": round(oldest + backlog.quantile(0.95), 1),
        "age_at_decision_p95_ms_median": statistics.median(each["decision_age_p95_ms"] for each in figures.values()),
        "looks_older_than_300_ms_percent": _late_percent(first, figures),
        "main_streams_decoded_frames_per_second": round(
            sum(figures[name]["main"][2] - first[name]["main"][2] for name in figures) / passed, 1
        ),
        "resting": sum(each["resting"] for each in figures.values()),
        "vision_cpu_percent": round(vision, 1),
        "vision_cpu_percent_per_camera": round(vision / count, 2),
        "alarm_house_cpu_percent": round(alarm, 1),
        "simulated_cameras_cpu_percent": round(sending, 1),
        "press_p50_ms": round(1e3 * times[len(times) // 2], 2),
        "press_p99_ms": round(1e3 * times[min(len(times) - 1, int(0.99 * len(times)))], 2),
        "presses": len(times),
    }
