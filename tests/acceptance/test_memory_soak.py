"""An hour of looped video, warnings, clips and presses: no process grows. GATEWAY_SOAK_MINUTES makes it shorter."""

import os
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from harness.camera import served
from harness.daemon import BUTTON, Daemon
from harness.memory import Curve, after, anonymous_megabytes, growth_megabytes, slope_megabytes_per_hour
from harness.rawmqtt import RawClient
from harness.watching import person, upload, with_models
from vision_bench import built

MINUTES = float(os.environ.get("GATEWAY_SOAK_MINUTES", "60"))
# Packets in memory reach their bound after 150 s at the scenes' bit rates; allocators settle with them.
WARM_SECONDS = max(200.0, MINUTES * 60 / 6)
SAMPLE_SECONDS = 10.0
# So many of the newest events are kept in memory, by the journal and by the streams: they are there from the start.
NEWEST_EVENTS = 4096
_LEAST_POINTS = 10
# An hour of a leak of one picture of 640x360 a minute would be 40 MB, of one crop a passage 60 MB.
MOST_GROWTH_MB = 6.0
CAMERA = '[[cameras]]\nid = "{id}"\nurl = "{url}"\nwatch_faces = true\nloop = true\n'
SHORT = "[matching]\ncooldown_seconds = 5\n[evidence]\nclip_before_seconds = 5\nclip_after_seconds = 5\n"
pytestmark = [pytest.mark.long, pytest.mark.timeout(MINUTES * 60 + WARM_SECONDS + 600)]


def test_no_process_grows_over_an_hour_of_video(tmp_path: Path) -> None:
    with served(built("gate-1280x720.mp4")) as served_camera:
        recorded = CAMERA.format(id="cam-01", url=f"file://{built('gate-640x360.mp4')}")
        daemon = with_models(
            Daemon(tmp_path, extra=BUTTON + SHORT + recorded + CAMERA.format(id="cam-02", url=served_camera.url))
        )
        with daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                curves = watch(daemon, client)
                assert len(daemon.events(client, type="campus.face.matched")) >= 2 * MINUTES
    sys.stdout.write("\n".join(["", *(told(name, curve) for name, curve in curves.items()), ""]))  # pytest -s shows it
    assert len(curves) == 4, (
        f"a child was replaced: {sorted(curves)}"
    )  # gateway, gallery, a video child for each camera
    growths = {name: growth_megabytes(after(curve, WARM_SECONDS)) for name, curve in curves.items()}
    assert {name: round(grown, 1) for name, grown in growths.items() if grown > MOST_GROWTH_MB} == {}


def watch(daemon: Daemon, client: httpx.Client) -> dict[str, Curve]:
    """Enrol one person, press all the time, and note each process's memory; a child that is replaced is another."""
    identity = client.post("/watchlist/people", json=person()).json()["id"]
    assert upload(client, identity, built("portraits/obama.jpg").read_bytes()).status_code == 201
    curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
    begun = time.monotonic()
    assert daemon.process is not None
    button = RawClient(daemon.mqtt_port)
    for number in range(NEWEST_EVENTS):
        button.press(f"fill-{number}")
    try:
        while (passed := time.monotonic() - begun) < WARM_SECONDS + MINUTES * 60:
            button.press(f"soak-{time.monotonic_ns()}")
            processes = {daemon.process.pid: "gateway"} | daemon.children()
            for pid, command in processes.items():
                with suppress(FileNotFoundError, ProcessLookupError):  # it ended since
                    curves[f"{pid} {role(command)}"].append((passed, anonymous_megabytes(pid)))
            time.sleep(SAMPLE_SECONDS)
    finally:
        button.close()
    return {name: curve for name, curve in curves.items() if len(curve) > 1}


def role(command: str) -> str:
    """A child's, which stands behind the program in its command line."""
    words = command.split()
    return words[words.index("gateway.vision") + 1] if "gateway.vision" in words else command


def told(name: str, curve: Curve) -> str:
    """The curve in a line: a point for each twelfth, then what it comes to."""
    steady = after(curve, WARM_SECONDS)
    points = " ".join(f"{seconds / 60:.0f}min:{y:.1f}" for seconds, y in curve[:: max(1, len(curve) // 12)])
    if len(steady) < _LEAST_POINTS:
        return f"{name}: {points}; too short for its growth"
    grown, slope = growth_megabytes(steady), slope_megabytes_per_hour(steady)
    return f"{name}: {points}; grown {grown:+.1f} MB, {slope:+.2f} MB an hour"


def test_the_measure_sees_a_slow_leak_and_no_peaks() -> None:
    flat = [(10.0 * n, 150.0 + (40 if n % 17 == 0 else 0) + n % 3) for n in range(360)]
    leaking = [(x, y + 12 * x / 3600) for x, y in flat]
    assert abs(growth_megabytes(flat)) < 1
    assert growth_megabytes(leaking) > MOST_GROWTH_MB
    assert slope_megabytes_per_hour(leaking) == pytest.approx(12, abs=1)
