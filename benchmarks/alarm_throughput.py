"""Presses a second with full durability and everything on, beside mosquitto with autosave_on_changes.

Run:  .venv/bin/python benchmarks/alarm_throughput.py [--seconds 10] [--clients 64] [--qos 1] [--quick] [--json]

The gateway runs as it ships, with incidents, feedback to each button, one stream client and one destination. Half of
the buttons speak MQTT 3.1.1 and half MQTT 5, each with up to 8 presses unacknowledged. With --qos 2 their sessions
last, and PUBREC acknowledges. The load generator
(benchmarks/pressing.py) is a process of its own on the same machine; its share of a core is stated. mosquitto gets the
same load with one durable subscriber (mosquitto_sub) that acknowledges, persistence and autosave_on_changes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options  # noqa: E402  # found through the line above
from harness.broker import Mosquitto  # noqa: E402
from harness.daemon import Daemon  # noqa: E402

SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
TICKS = os.sysconf("SC_CLK_TCK")


class Office(BaseHTTPRequestHandler):
    """Takes everything that is posted."""

    protocol_version = "HTTP/1.1"
    received = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Office.received += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def devices(count: int, port: int) -> str:
    """Configuration of the buttons and the destination."""
    entries = "".join(f'[[devices]]\nid = "btn-{n:04}"\nplace = "gate {n}"\n' for n in range(count))
    return entries + (
        f'[[destinations]]\nid = "office"\nkind = "webhook"\nurl = "http://127.0.0.1:{port}/"\nsecret = "{SECRET}"\n'
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def commits(url: str) -> int:
    """Commits of the journal's file so far."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return int(float(next(line.split()[-1] for line in lines if "journal_commits_total " in line and line[0] != "#")))


def press(port: int, arguments: argparse.Namespace, run: str) -> dict[str, Any]:
    """One run of the load generator."""
    command = [sys.executable, str(ROOT / "benchmarks/pressing.py"), "--port", str(port), "--run", run]
    command += ["--clients", str(arguments.clients), "--window", "8", "--seconds", str(arguments.seconds)]
    command += ["--qos", str(arguments.qos)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def drain(url: str, cookie: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A stream client that reads as fast as it comes, in a process of its own."""
    output = Path(tempfile.mkstemp()[1])
    command = ["curl", "-sN", "-H", f"Cookie: {cookie}", f"{url}/api/v1/events/stream?after=0"]
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file), output


def of_the_gateway(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Ours."""
    office = ThreadingHTTPServer(("127.0.0.1", 0), Office)
    threading.Thread(target=office.serve_forever, daemon=True).start()
    daemon = Daemon(folder / "gateway", extra=devices(arguments.clients, office.server_address[1]))
    daemon.start()
    daemon.set_up_administrator()
    assert daemon.process is not None
    try:
        with daemon.client() as client:
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            stream, output = drain(daemon.url, cookie)
            press(daemon.mqtt_port, argparse.Namespace(**vars(arguments) | {"seconds": 1}), "warm")
            before, began, first = cpu_seconds(daemon.process.pid), time.monotonic(), commits(daemon.url)
            result = press(daemon.mqtt_port, arguments, "run")
            used, seconds = cpu_seconds(daemon.process.pid) - before, time.monotonic() - began
            result["commits_per_press"] = round((commits(daemon.url) - first) / max(1, result["all_acknowledged"]), 3)
            until = time.monotonic() + 30
            while time.monotonic() < until and output.read_bytes().count(b'"run-') < result["all_acknowledged"]:
                time.sleep(0.5)
            result["on_the_stream"] = output.read_bytes().count(b"event: campus.button.pressed")
            stream.terminate()
            stream.wait()
            output.unlink()
        result["gateway_cpu_share"] = round(used / seconds, 3)
        result["cpu_ms_per_press"] = round(used / max(1, result["all_acknowledged"]) * 1e3, 3)
        result["forwarded_meanwhile"] = Office.received
    finally:
        daemon.stop()
        office.shutdown()
    return result


def of_mosquitto(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The peer's."""
    folder.mkdir(parents=True)
    settings = (
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_on_changes true",
        "autosave_interval 1",
    )
    with Mosquitto(folder, settings=(*settings, "max_queued_messages 0", "max_inflight_messages 0")) as broker:
        command = ["mosquitto_sub", "-p", str(broker.port), "-q", "1", "-c", "-i", "gateway", "-t", "campus/#"]
        subscriber = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            return press(broker.port, arguments, "run")
        finally:
            subscriber.terminate()
            subscriber.wait()


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="4 seconds")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--qos", type=int, choices=(1, 2), default=1)
    arguments = parser.parse_args()
    arguments.seconds = 4 if arguments.quick else arguments.seconds
    with folder_in(arguments.folder) as folder:
        result = {"gateway": of_the_gateway(folder, arguments)}
        if shutil.which("mosquitto"):
            result["mosquitto"] = of_mosquitto(folder / "mosquitto", arguments)
            result["ratio"] = round(result["gateway"]["per_second"] / result["mosquitto"]["per_second"], 3)
    if arguments.json:
        print(json.dumps(result))
        return
    for name in ("gateway", "mosquitto"):
        if name in result:
            row = result[name]
            print(
                f"{name:10} {row['per_second']:8.0f} presses/s   PUBACK p50 {row['p50_ms']} p99 {row['p99_ms']} ms   "
                f"generator {row['generator_cpu_share']:.2f} of a core"
            )
    row = result["gateway"]
    print(f"gateway: {row['gateway_cpu_share']} of a core, {row['cpu_ms_per_press']} ms of CPU per press,")
    print(f"{row['commits_per_press']} commits per press,")
    print(f"feedback {row['feedback']}, on the stream {row['on_the_stream']}")
    print(f"forwarded meanwhile {row['forwarded_meanwhile']}")
    print(f"ratio: {result.get('ratio')}")


if __name__ == "__main__":
    main()
