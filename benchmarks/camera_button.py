"""A button that is wired to a camera's input: from the contact's closure to a signed-in guard's screen.

Run:  .venv/bin/python benchmarks/camera_button.py [--presses 200] [--quick] [--json] [--folder DIR]

The gateway runs as it ships, with one simulated ONVIF camera whose video it looks at and keeps. The contact closes and
opens again; the time is from the closure inside the camera to the arrival of `campus.button.pressed` at a client of the
event stream, on one clock. Four scenes: the subscription stands; motion was told just before; the camera forgets every
subscription, as it does when its event service restarts, and the contact closes at once; the process that listens is
killed, and the contact closes at once. A press that came twice, or not at all, ends the run.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from command_line import folder_in, options, percentiles  # noqa: E402  # found through the line above
from harness.camera_process import until  # noqa: E402  # likewise
from harness.daemon import Daemon  # noqa: E402  # likewise
from harness.stream import StreamReader  # noqa: E402  # likewise

from gateway.simulators.camera import SimulatedCamera, write_test_recording  # noqa: E402  # likewise

PRESSED, CLEARED = "campus.button.pressed", "campus.button.cleared"
LOST_SECONDS = 60.0
# Between presses, and before a loss: a subscription is hardly ever lost in the first seconds of its life.
PAUSE_SECONDS, LIFE_SECONDS = 0.3, 6.0
ENTRIES = """
[[cameras]]
id = "cam-01"
url = "{url}"
username = "gate"
password_file = "{secret}"
[[devices]]
id = "booth"
dialect = "onvif"
camera = "cam-01"
input = "1"
"""


class Contact:
    """The camera's input 1, on the loop on which the camera runs."""

    def __init__(self, camera: SimulatedCamera, loop: asyncio.AbstractEventLoop) -> None:
        self.camera, self._loop, self._motion = camera, loop, False

    def set(self, *, active: bool, forget: bool = False, motion: bool = False) -> float:
        """Close or open it; first forget all subscriptions, or tell of motion. Returns the monotonic second."""
        self._motion ^= motion

        async def change() -> float:
            if forget:
                self.camera.inside.subscriptions.forget_all()
            if motion:
                self.camera.inside.happenings.set("motion", active=self._motion)
                await asyncio.sleep(0.01)
            now = time.monotonic()
            self.camera.inside.happenings.set("input/1", active=active)
            return now

        return asyncio.run_coroutine_threadsafe(change(), self._loop).result(30)


@contextmanager
def contact_of_a_camera(folder: Path) -> Iterator[Contact]:
    """A simulated camera in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="camera", daemon=True)
    thread.start()
    camera = SimulatedCamera(write_test_recording(folder / "r.mp4", frames=250), username="gate", password="secret")  # noqa: S106  # of a simulation
    asyncio.run_coroutine_threadsafe(camera.__aenter__(), loop).result(30)
    try:
        yield Contact(camera, loop)
    finally:
        asyncio.run_coroutine_threadsafe(camera.__aexit__(None, None, None), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


class Scene:
    """Presses, one after the other, each seen on the screen and cleared before the next."""

    def __init__(self, contact: Contact, stream: StreamReader) -> None:
        self._contact, self._stream = contact, stream
        self._presses = self._clearings = 0

    def press(self, before: Callable[[], object] | None = None, **beside: bool) -> float:
        """Seconds from the closure to the screen; `beside` as `Contact.set` has it."""
        time.sleep(LIFE_SECONDS if before or "forget" in beside else PAUSE_SECONDS)
        if before is not None:
            before()
        closed = self._contact.set(active=True, **beside)
        self._presses += 1
        arrived = self._stream.wait(self._presses, PRESSED, LOST_SECONDS)
        if len(arrived) != self._presses:
            raise SystemExit(f"{len(arrived)} presses came of {self._presses}")
        self._contact.set(active=False)
        self._clearings += 1
        self._stream.wait(self._clearings, CLEARED, LOST_SECONDS)
        return arrived[-1][0] - closed


def measure(folder: Path, presses: int) -> dict[str, Any]:
    """All figures from one run."""
    secret = folder / "secret"
    secret.write_text("secret")
    with contact_of_a_camera(folder) as contact:
        entries = ENTRIES.format(url=contact.camera.onvif_url, secret=secret)
        with Daemon(folder / "gateway", extra=entries) as daemon:
            daemon.set_up_administrator()
            with daemon.client() as client:
                cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
                until(lambda: client.get("/devices/booth").json()["status"]["last_seen"], "a sign of life")
                with StreamReader(daemon.url, cookie) as stream:
                    scene = Scene(contact, stream)
                    stands = [scene.press() for _ in range(presses)]
                    behind = [scene.press(motion=True) for _ in range(presses)]
                    forgotten = [scene.press(forget=True) for _ in range(max(5, presses // 10))]
                    killed = [scene.press(lambda: _kill_listener(daemon)) for _ in range(5)]
    return {
        "subscription_stands": percentiles(stands),
        "behind_motion": percentiles(behind),
        "subscription_forgotten": percentiles(forgotten),
        "listener_killed": percentiles(killed),
    }


def _kill_listener(daemon: Daemon) -> None:
    (child,) = [pid for pid, command in daemon.children().items() if " devices " in f"{command} "]
    os.kill(child, signal.SIGKILL)


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, quick="30 presses")
    parser.add_argument("--presses", type=int, default=200)
    arguments = parser.parse_args()
    with folder_in(arguments.folder) as folder:
        result = measure(folder, 30 if arguments.quick else arguments.presses)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, row in result.items():
        print(f"{name:24} p50 {row['p50_ms']:9.1f} ms   p99 {row['p99_ms']:9.1f} ms   ({row['count']})")


if __name__ == "__main__":
    main()
