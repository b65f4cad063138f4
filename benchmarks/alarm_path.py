"""Press to PUBACK and press to the guard's screen, beside one fsync of the disk and mosquitto's round trip.

Run:  .venv/bin/python benchmarks/alarm_path.py [--presses 2000] [--quick] [--json] [--folder DIR]

The gateway runs as it ships (embedded endpoint, full sync); its journal lies below --folder, whose file system is
printed. The client is one blocking socket, the same for the gateway and for mosquitto. One press follows the other, in
blocks that alternate between the peers, so that a busy moment of the machine hits all of them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.broker import Mosquitto  # noqa: E402  # the harness is found through the line above
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402
from harness.stream import StreamReader  # noqa: E402

BLOCK = 100
PAUSE_SECONDS = 0.002


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p99 and maximum in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50_ms": round(statistics.median(ordered) * 1e3, 3),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3, 3),
        "max_ms": round(ordered[-1] * 1e3, 3),
        "count": len(ordered),
    }


def file_system(folder: Path) -> str:
    """Device and type of the file system that holds `folder`."""
    answer = subprocess.run(["df", "--output=source,fstype", str(folder)], capture_output=True, text=True, check=True)
    return " ".join(answer.stdout.splitlines()[-1].split())


def sync_once(descriptor: int) -> float:
    """Seconds of one append of 4 KiB with fdatasync."""
    before = time.monotonic()
    os.write(descriptor, bytes(4096))
    os.fdatasync(descriptor)
    return time.monotonic() - before


def measure(folder: Path, presses: int) -> dict[str, object]:
    """All figures from one run."""
    daemon = Daemon(folder / "gateway", extra=BUTTON)
    daemon.start()
    daemon.set_up_administrator()
    descriptor = os.open(folder / "fsync.bin", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    broker_settings = (f"persistence_location {folder}/", "persistence true")
    broker = Mosquitto(folder / "mosquitto", settings=broker_settings).start() if shutil.which("mosquitto") else None
    syncs: list[float] = []
    acks: list[float] = []
    peer: list[float] = []
    sent: dict[str, float] = {}
    try:
        with daemon.client() as client:
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            with StreamReader(daemon.url, cookie) as stream, RawClient(daemon.mqtt_port) as ours:
                theirs = RawClient(broker.port) if broker else None
                for start in range(0, presses, BLOCK):
                    numbers = range(start, min(start + BLOCK, presses))
                    for number in numbers:
                        before, after = ours.press(f"bench-{number}")
                        sent[f"bench-{number}"] = before
                        acks.append(after - before)
                        time.sleep(PAUSE_SECONDS)
                    for number in numbers:
                        syncs.append(sync_once(descriptor))
                        if theirs:
                            before, after = theirs.press(f"bench-{number}")
                            peer.append(after - before)
                        time.sleep(PAUSE_SECONDS)
                seen = stream.wait(presses, "campus.button.pressed", 60)
                if theirs:
                    theirs.close()
        screens = [arrived - sent[event["data"]["press_id"]] for arrived, event in seen]
    finally:
        os.close(descriptor)
        daemon.stop()
        if broker:
            broker.stop()
    result: dict[str, object] = {
        "file_system": file_system(folder),
        "fsync": percentiles(syncs),
        "press_to_puback": percentiles(acks),
        "press_to_stream": percentiles(screens),
    }
    if peer:
        result["mosquitto_qos1"] = percentiles(peer)
        result["puback_to_mosquitto_ratio"] = round(statistics.median(acks) / statistics.median(peer), 2)
    result["puback_less_fsync_ms"] = round((statistics.median(acks) - statistics.median(syncs)) * 1e3, 3)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="300 presses")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="on the disk to measure")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        result = measure(Path(folder), 300 if arguments.quick else arguments.presses)
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"journal on {result['file_system']}")
    for name in ("fsync", "mosquitto_qos1", "press_to_puback", "press_to_stream"):
        row = result.get(name)
        if isinstance(row, dict):
            print(f"{name:18} p50 {row['p50_ms']:8.3f} ms   p99 {row['p99_ms']:8.3f} ms   ({row['count']})")
    print(f"PUBACK less one fsync (p50): {result['puback_less_fsync_ms']} ms")
    if "puback_to_mosquitto_ratio" in result:
        print(f"PUBACK : mosquitto (which promises less), p50: {result['puback_to_mosquitto_ratio']}")


if __name__ == "__main__":
    main()
