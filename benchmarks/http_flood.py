"""Press to PUBACK while HTTP callers flood the gateway, against the quiet run.

Run:  .venv/bin/python benchmarks/http_flood.py [--presses 600] [--quick] [--json] [--folder DIR] [--gateway DIR]

The gateway runs as it ships (plain HTTP on loopback). Blocks of presses alternate, so that what else the machine does
weighs on all alike: a quiet one, then one beside each flood. A flood is one niced process that lives as long as its
block: 20 connections that ask and read in a loop (anonymous, then signed in as a viewer), or 520 that pipeline 40
requests and never read, or wrong sign-ins. A niced process that only computes shows what the machine itself adds.
--gateway names another checkout, to compare versions with one client.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options, percentiles  # noqa: E402  # found through the line above
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402

PAUSE_SECONDS = 0.01
SETTLE_SECONDS = 1.0
FLOODS = ("computing", "openapi", "healthz", "viewer", "never read", "sign-ins")
FLOOD = r"""
import json, socket, sys, time
port, kind, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
while kind == "computing":
    pass
path = {"healthz": "/healthz", "viewer": "/api/v1/events?last=100"}.get(kind, "/api/v1/openapi.json")
head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
if kind == "viewer":
    head += f"Authorization: Bearer {token}\r\n"
request = (head + "\r\n").encode()
number = 0
def wrong():
    global number
    number += 1
    body = json.dumps({"username": f"u{number}", "password": "x" * 1000}).encode()
    start = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body
def opened():
    caller = socket.socket()
    if kind == "never read":
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    caller.settimeout(5)
    caller.connect(("127.0.0.1", port))
    return caller
def ask(caller):
    caller.sendall(request * 40 if kind == "never read" else wrong() if kind == "sign-ins" else request)
callers = [None] * (520 if kind == "never read" else 20)
sys.stdout.write("flooding\n"); sys.stdout.flush()
while True:
    for index in range(len(callers)):
        try:
            if callers[index] is None:
                callers[index] = opened()
                ask(callers[index])
            callers[index].setblocking(False)
            while kind != "never read" and (data := callers[index].recv(1 << 20)) is not None:
                if not data:
                    raise OSError
                if data[-1:] in b"}":
                    callers[index].settimeout(5)
                    ask(callers[index])
                    break
        except BlockingIOError:
            continue
        except OSError:
            if callers[index] is not None:
                callers[index].close()
            callers[index] = None
    time.sleep(0.001)
"""


def press_beside(daemon: Daemon, kind: str, token: str, presses: int, number: int) -> list[float]:
    """Seconds from press to PUBACK of one block beside a flood; quiet if `kind` is empty."""
    flood = None
    if kind:
        command = ["nice", "-n", "10", sys.executable, "-c", FLOOD, str(daemon.http_port), kind, token]
        flood = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        time.sleep(SETTLE_SECONDS)
        with RawClient(daemon.mqtt_port, "bench") as button:
            seconds = []
            for each in range(presses):
                before, after = button.press(f"{kind or 'quiet'}-{number}-{each}")
                seconds.append(after - before)
                time.sleep(PAUSE_SECONDS)
            return seconds
    finally:
        if flood is not None:
            flood.kill()
            flood.wait()


def measure(folder: Path, presses: int, blocks: int) -> dict[str, object]:
    """All figures from one run."""
    found: dict[str, list[float]] = {kind: [] for kind in ("", *FLOODS)}
    with Daemon(folder / "gateway", extra=BUTTON) as daemon:
        daemon.set_up_administrator()
        with daemon.client() as admin:
            token = admin.post("/tokens", json={"name": "bench", "role": "viewer"}).json()["token"]
        assert httpx.get(f"{daemon.url}/healthz").status_code == httpx.codes.OK
        for number in range(blocks):
            for kind in found:
                found[kind] += press_beside(daemon, kind, token, presses // blocks, number)
    quiet = percentiles(found.pop(""))
    figures: dict[str, object] = {"quiet": quiet}
    for kind, seconds in found.items():
        beside = percentiles(seconds)
        figures[kind] = beside | {"p50_ratio": round(beside["p50_ms"] / quiet["p50_ms"], 2)}
    return figures


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="120 presses, one round")
    parser.add_argument("--presses", type=int, default=600)
    parser.add_argument("--gateway", type=Path, default=ROOT)
    arguments = parser.parse_args()
    os.chdir(arguments.gateway)
    with folder_in(arguments.folder) as folder:
        figures = measure(folder, 120 if arguments.quick else arguments.presses, 1 if arguments.quick else 3)
    if arguments.json:
        print(json.dumps(figures))
        return
    for kind, values in figures.items():
        print(f"{kind:>12}: {values}")


if __name__ == "__main__":
    main()
