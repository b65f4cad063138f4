"""Press to PUBACK and to the event stream at 1, 100 and 1,000 presses a second, beside one fsync and mosquitto.

Run:  .venv/bin/python benchmarks/alarm_rates.py [--seconds 20] [--quick] [--json] [--folder DIR]

The load generator (benchmarks/pressing.py, a process of its own) presses at the rate whatever the answers do: half of
the buttons speak MQTT 3.1.1 and half MQTT 5, QoS 1. mosquitto gets the same load (one subscriber, persistence without
autosave_on_changes: it promises nothing on disk). fsync: appends of 4 KiB to a growing file, and writes of 4 KiB in
place, each with fdatasync, one behind the other before every rate; and in place at the pace of the presses, because a
disk and a processor that had nothing to do answer later. Press to stream: from the event's own `time` to its arrival.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from alarm_path import sync_once  # noqa: E402  # found through the line above
from command_line import file_system, folder_in, options, percentiles  # noqa: E402
from harness.broker import Mosquitto  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.stream import StreamReader  # noqa: E402

RATES = (1.0, 100.0, 1000.0)
CLIENTS = 64


def fsyncs(folder: Path, rate: float, count: int = 200) -> dict[str, dict[str, float]]:
    """One fsync of the disk: growing, in place, and in place `rate` times a second."""
    growing, in_place = folder / "grows.bin", folder / "stays.bin"
    descriptor = os.open(growing, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    grows = [sync_once(descriptor) for _ in range(count)]
    os.close(descriptor)
    in_place.write_bytes(bytes(count * 4096))
    descriptor = os.open(in_place, os.O_WRONLY)
    os.fsync(descriptor)
    stays = [sync_in_place(descriptor, number) for number in range(count)]
    paced = []
    for number in range(max(5, min(count, int(rate * 10)))):
        time.sleep(1 / rate)
        paced.append(sync_in_place(descriptor, number))
    os.close(descriptor)
    kinds = {"fsync_growing": grows, "fsync_in_place": stays, "fsync_at_the_rate": paced}
    return {name: percentiles(taken) for name, taken in kinds.items()}


def sync_in_place(descriptor: int, block: int) -> float:
    """Seconds that one write of 4 KiB in place takes until it is on the disk."""
    before = time.monotonic()
    os.pwrite(descriptor, bytes(4096), block * 4096)
    os.fdatasync(descriptor)
    return time.monotonic() - before


def press(port: int, rate: float, seconds: float, run: str) -> dict[str, Any]:
    """One run of the load generator."""
    command = [sys.executable, str(ROOT / "benchmarks/pressing.py"), "--port", str(port), "--run", run]
    command += ["--clients", str(CLIENTS), "--rate", str(rate), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    answer = json.loads(done.stdout.splitlines()[-1])
    kept = ("p50_ms", "p99_ms", "p999_ms", "all_acknowledged", "pressed", "generator_cpu_share")
    return {name: answer[name] for name in kept}


def to_the_stream(stream: StreamReader, run: str) -> dict[str, float]:
    """From `time` to arrival of the presses of a run."""
    offset = time.time() - time.monotonic()
    took = [
        arrived + offset - datetime.fromisoformat(event["time"]).timestamp()
        for arrived, event in list(stream.arrived.values())
        if str(event["data"].get("press_id", "")).startswith(f"{run}-")
    ]
    return percentiles(took) if took else {}


def measure(folder: Path, seconds: float) -> dict[str, Any]:
    """All figures from one run, our turn and the peer's one behind the other at every rate."""
    devices = "".join(f'[[devices]]\nid = "btn-{n:04}"\n' for n in range(CLIENTS))
    daemon = Daemon(folder / "gateway", extra=devices).start()
    kept = (f"persistence_location {folder}/", "persistence true")
    broker = Mosquitto(folder / "mosquitto", settings=kept).start() if shutil.which("mosquitto") else None
    rows: list[dict[str, Any]] = []
    try:
        daemon.set_up_administrator()
        with daemon.client() as client:
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            with StreamReader(daemon.url, cookie) as stream:
                for rate in RATES:
                    run = f"rate{int(rate)}"
                    row: dict[str, Any] = {"rate": rate} | fsyncs(folder, rate)
                    row["press_to_puback"] = press(daemon.mqtt_port, rate, seconds, run)
                    time.sleep(1)
                    row["press_to_stream"] = to_the_stream(stream, run)
                    if broker:
                        row["mosquitto"] = press(broker.port, rate, seconds, run)
                    rows.append(row | ratios(row))
    finally:
        daemon.stop()
        if broker:
            broker.stop()
    return {"file_system": file_system(folder), "rates": rows}


def ratios(row: dict[str, Any]) -> dict[str, Any]:
    """PUBACK less one fsync of each kind, and that beside mosquitto's round trip."""
    ours = row["press_to_puback"]["p50_ms"]
    found: dict[str, Any] = {}
    for kind in ("fsync_growing", "fsync_in_place", "fsync_at_the_rate"):
        less = round(ours - row[kind]["p50_ms"], 3)
        found[f"puback_less_{kind}_ms"] = less
        if "mosquitto" in row:
            found[f"puback_less_{kind}_to_mosquitto"] = round(less / row["mosquitto"]["p50_ms"], 2)
    return found


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="4 seconds per rate and peer")
    parser.add_argument("--seconds", type=float, default=20, help="per rate and peer")
    arguments = parser.parse_args()
    with folder_in(arguments.folder) as folder:
        result = measure(folder, 4 if arguments.quick else arguments.seconds)
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"journal on {result['file_system']}")
    for row in result["rates"]:
        print(f"{row['rate']:g} presses/s")
        for name, value in row.items():
            if isinstance(value, dict) and value:
                shown = "  ".join(f"{each[:-3]} {value[each]:9.3f}" for each in ("p50_ms", "p99_ms", "p999_ms"))
                print(f"  {name:18} {shown} ms")
            elif name != "rate":
                print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
