"""2,000 connected idle buttons: memory and CPU; 500 lost at once, and a press in the middle of it.

Run:  .venv/bin/python benchmarks/alarm_idle.py [--buttons 2000] [--seconds 60] [--quick] [--json] [--folder DIR]

Each button has a keepalive of 30 s, a last will and a filter on its feedback, and pings when it must. Then 500
connections are cut at once; while their wills are handled one more button presses ten times a second.
"""

import json
import os
import resource
import selectors
import socket
import statistics
import struct
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options  # noqa: E402  # found through the line above
from harness.daemon import Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402

KEEPALIVE, LOST = 30, 500
PING = b"\xc0\x00"
TICKS = os.sysconf("SC_CLK_TCK")


def text(value: str) -> bytes:
    """A string of MQTT."""
    return struct.pack(">H", len(value)) + value.encode()


def button(port: int, number: int) -> socket.socket:
    """One button: connected, with a will, subscribed to its feedback."""
    device = f"btn-{number:04}"
    base = f"campus/east/button/{device}"
    body = text("MQTT") + bytes([4, 0x2E]) + struct.pack(">H", KEEPALIVE) + text(device)
    body += text(f"{base}/state") + text('{"online": false}')
    line = socket.create_connection(("127.0.0.1", port), timeout=60)
    line.sendall(b"\x10" + length(len(body)) + body)
    assert line.recv(4)[:1] == b"\x20"
    body = b"\x00\x01" + text(f"{base}/feedback") + b"\x01"
    line.sendall(b"\x82" + length(len(body)) + body)
    assert line.recv(5)[:1] == b"\x90"
    return line


def length(size: int) -> bytes:
    """A remaining length of up to two bytes."""
    return bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])


def figures(pid: int) -> tuple[float, float]:
    """Resident memory in MiB and CPU seconds of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return resident, (int(fields[11]) + int(fields[12])) / TICKS


def idle(lines: list[socket.socket], seconds: float) -> None:
    """Ping every 20 s, spread over time, and read what comes."""
    selector = selectors.DefaultSelector()
    for line in lines:
        line.setblocking(False)
        selector.register(line, selectors.EVENT_READ)
    began, turn = time.monotonic(), 0
    each = 20 / len(lines)
    while (now := time.monotonic() - began) < seconds:
        while turn * each < now:
            lines[turn % len(lines)].send(PING)
            turn += 1
        for key, _events in selector.select(0.05):
            assert key.fileobj.recv(4096), "a button was disconnected"  # type: ignore[union-attr]  # a socket
    selector.close()


def presses(port: int, count: int, run: str) -> list[float]:
    """Seconds from press to PUBACK of single presses."""
    took = []
    with RawClient(port, client_id="presser") as client:
        for number in range(count):
            before, after = client.press(f"{run}-{number}", device="btn-0000")
            took.append(after - before)
            time.sleep(0.1)
    return took


def measure(folder: Path, buttons: int, seconds: float) -> dict[str, Any]:
    """All figures from one run."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, buttons + 500)), hard))
    devices = "".join(f'[[devices]]\nid = "btn-{n:04}"\nhealth_deadline_seconds = 3600\n' for n in range(buttons))
    daemon = Daemon(folder, extra=devices, settings=("mqtt.max_connections_per_address=10000",))
    daemon.start()
    assert daemon.process is not None
    pid = daemon.process.pid
    try:
        daemon.set_up_administrator()
        empty, _cpu = figures(pid)
        began = time.monotonic()
        lines = [button(daemon.mqtt_port, number) for number in range(buttons)]
        connected_in = time.monotonic() - began
        time.sleep(2)
        full, before = figures(pid)
        idle(lines, seconds)
        _resident, after = figures(pid)
        quiet = presses(daemon.mqtt_port, 20, "quiet")
        lost = min(LOST, buttons // 2)
        for line in lines[-lost:]:
            line.close()
        storm = presses(daemon.mqtt_port, 20, "storm")
        with daemon.client() as client:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                events = daemon.events(client, type="campus.button.lost")
                if len(events) >= lost:
                    break
                time.sleep(0.5)
        for line in lines[:-lost]:
            line.close()
    finally:
        daemon.stop()
    return {
        "buttons": buttons,
        "connects_per_second": round(buttons / connected_in),
        "kib_per_button": round((full - empty) * 1024 / buttons, 1),
        "idle_cpu_share": round((after - before) / seconds, 4),
        "cut_at_once": lost,
        "lost_devices": len(events),
        "puback_quiet_p50_ms": round(statistics.median(quiet) * 1e3, 3),
        "puback_quiet_max_ms": round(max(quiet) * 1e3, 3),
        "puback_in_the_storm_p50_ms": round(statistics.median(storm) * 1e3, 3),
        "puback_in_the_storm_max_ms": round(max(storm) * 1e3, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="10 seconds of rest")
    parser.add_argument("--buttons", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with folder_in(arguments.folder) as folder:
        result = measure(folder, arguments.buttons, 10 if arguments.quick else arguments.seconds)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name.replace('_', ' '):32} {value}")


if __name__ == "__main__":
    main()
