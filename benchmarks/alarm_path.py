"""Press to PUBACK and press to the guard's screen, beside one fsync of the disk and mosquitto's round trip.

Run:  .venv/bin/python benchmarks/alarm_path.py [--presses 2000] [--quick] [--json] [--folder DIR]

The gateway runs as it ships (embedded endpoint, full sync); its journal lies below --folder, whose file system is
printed. The client is one blocking socket, the same for the gateway and for mosquitto. One press follows the other, in
blocks that alternate between the peers, so that a busy moment of the machine hits all of them.
"""

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import file_system, folder_in, options, percentiles  # noqa: E402  # found through the line above
from harness.broker import Mosquitto  # noqa: E402
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402
from harness.stream import StreamReader  # noqa: E402

BLOCK = 100
PAUSE_SECONDS = 0.002


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
    parser = options(__doc__, quick="300 presses")
    parser.add_argument("--presses", type=int, default=2000)
    arguments = parser.parse_args()
    with folder_in(arguments.folder) as folder:
        result = measure(folder, 300 if arguments.quick else arguments.presses)
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
