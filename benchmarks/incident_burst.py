"""A burst of presses of one button: when another button's incident is open, and when an acknowledgement is answered.

Run:  .venv/bin/python benchmarks/incident_burst.py [--quick] [--json] [--folder DIR] [--gateway DIR]

One client presses btn-01 as fast as PUBACKs come, 20 presses on the way at a time. Behind the last PUBACK another
client presses btn-02 once, and a guard acknowledges the incident of btn-01; both wait for their answer at the same
time, and a third asks for the open incidents until btn-02's is among them. Each burst has a gateway and a journal of
its own; the burst of one press is what the others are compared with. At the end the incident of btn-01 must have
counted every press and still be acknowledged, which the last column says. --gateway names another checkout, to compare
versions with one client.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options  # noqa: E402  # found through the line above
from harness.daemon import BUTTON, Daemon  # noqa: E402
from harness.rawmqtt import RawClient  # noqa: E402

BURSTS = (1, 100, 1000, 5000)
BUTTONS = BUTTON + '\n[[devices]]\nid = "btn-02"\n'
ON_THE_WAY = 20
LONGEST_SECONDS = 120.0
PAUSE_SECONDS, REST_SECONDS = 0.02, 2.0


def press_all(client: RawClient, count: int, run: str) -> float:
    """Press btn-01 so often; seconds until the last PUBACK."""
    began = time.monotonic()
    for first in range(0, count, ON_THE_WAY):
        client.press_at_once([f"{run}-{number}" for number in range(first, min(first + ON_THE_WAY, count))])
    return time.monotonic() - began


def incident_of(client: httpx.Client, device: str) -> dict[str, Any]:
    """The open incident of a button; empty if there is none yet."""
    items = client.get("/incidents", params={"state": "open"}).json()["items"]
    return next((each for each in items if each["source"].endswith(device)), {})


def wait_for(client: httpx.Client, device: str) -> float:
    """Monotonic seconds at which a button's incident was open."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        if incident_of(client, device):
            return time.monotonic()
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(f"{device} has no incident after {LONGEST_SECONDS:.0f} s")


def at_rest(client: httpx.Client, device: str) -> dict[str, Any]:
    """A button's incident once it has not changed for a while."""
    known, since = incident_of(client, device), time.monotonic()
    while time.monotonic() - since < REST_SECONDS:
        time.sleep(PAUSE_SECONDS)
        if (now := incident_of(client, device)) != known:
            known, since = now, time.monotonic()
    return known


def acknowledge(daemon: Daemon, incident: str, took: list[float], ready: threading.Barrier) -> None:
    """Acknowledge; the seconds that the answer took."""
    with daemon.client() as client:
        client.timeout = httpx.Timeout(LONGEST_SECONDS)
        ready.wait()
        began = time.monotonic()
        answer = client.post(f"/incidents/{incident}/acknowledge", json={"command_id": "bench"})
        took.append(time.monotonic() - began)
    assert answer.status_code == httpx.codes.OK, answer.text


def measure(folder: Path, burst: int) -> dict[str, Any]:
    """The figures of one burst."""
    took: list[float] = []
    with Daemon(folder / str(burst), extra=BUTTONS) as daemon:
        daemon.set_up_administrator()
        with daemon.client() as client, RawClient(daemon.mqtt_port, "a") as stuck, RawClient(daemon.mqtt_port) as other:
            stuck.press("first")
            wait_for(client, "btn-01")
            ready = threading.Barrier(2)
            guard = threading.Thread(
                target=acknowledge, args=(daemon, incident_of(client, "btn-01")["id"], took, ready), name="guard"
            )
            guard.start()
            while ready.n_waiting == 0:
                time.sleep(0.01)
            sent = press_all(stuck, burst, "burst")
            before, after = other.press("other", device="btn-02")
            ready.wait()
            opened = wait_for(client, "btn-02")
            guard.join()
            state = at_rest(client, "btn-01")
    return {
        "burst": burst,
        "sent_in_s": round(sent, 3),
        "other_puback_ms": round((after - before) * 1e3, 1),
        "other_incident_ms": round((opened - after) * 1e3, 1),
        "acknowledge_ms": round(took[0] * 1e3, 1),
        "stands": state.get("state") == "acknowledged" and state.get("count") == burst + 1,
    }


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="without the longest burst")
    parser.add_argument("--gateway", type=Path, default=ROOT)
    arguments = parser.parse_args()
    os.chdir(arguments.gateway)
    with folder_in(arguments.folder) as folder:
        found = [measure(folder, burst) for burst in (BURSTS[:-1] if arguments.quick else BURSTS)]
    for each in found:
        for name in ("other_incident_ms", "acknowledge_ms"):
            each[f"{name.removesuffix('_ms')}_ratio"] = round(each[name] / found[0][name], 1)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{'presses':>8} {'sent':>8} {'PUBACK':>9} {'incident':>16} {'acknowledged':>16}  stands")
    for each in found:
        print(
            f"{each['burst']:>8} {each['sent_in_s']:>6.2f} s {each['other_puback_ms']:>6.1f} ms"
            f" {each['other_incident_ms']:>7.0f} ms {each['other_incident_ratio']:>4.1f}x"
            f" {each['acknowledge_ms']:>7.0f} ms {each['acknowledge_ratio']:>4.1f}x  {each['stands']}"
        )


if __name__ == "__main__":
    main()
