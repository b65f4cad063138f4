"""The contacts of all cameras: a lane for each, taken in turn, with no press left out of a full one."""

import asyncio
import contextlib
from functools import partial

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.workers.contact_queue import ContactQueue


class Bench:
    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.full: list[str] = []
        self.got: list[str] = []
        self.clock = ManualClock()
        self.queue = ContactQueue(self.clock, self.full.append)

    async def take(self, what: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.got.append(what)

    def put(self, camera: str, contact: str, state: str = "") -> None:
        self.queue.put(camera, contact, partial(self.take, f"{camera} {contact} {state}".strip()))

    async def run(self, seconds: int = 0) -> None:
        task = asyncio.create_task(self.queue.run())
        for _ in range(seconds + 1):
            for _ in range(1000):
                await asyncio.sleep(0)
            self.clock.advance(1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_camera_that_floods_holds_up_no_other() -> None:
    bench = Bench()
    for step in range(5000):
        bench.put("flooding", f"input {step % 60}", str(step))
    bench.put("good", "button", "closed")
    await bench.run()
    assert bench.got[1] == "good button closed"
    assert bench.full == ["flooding"]


async def test_of_a_full_lane_each_input_keeps_its_first_two_changes_and_its_last() -> None:
    bench = Bench()
    for step in range(300):
        bench.put("camera", "flapping", str(step))
    bench.put("camera", "button", "closed")
    for step in range(5):
        bench.put("camera", "button", f"open {step}")
    await bench.run()
    assert bench.got[0] == "camera flapping 0"
    assert bench.got[-4:] == [
        "camera flapping 299",
        "camera button closed",
        "camera button open 0",
        "camera button open 4",
    ]
    assert len(bench.got) == 203
    bench.put("camera", "button", "closed")
    await bench.run()
    assert bench.got[-1] == "camera button closed"


async def test_what_fails_for_now_is_tried_again() -> None:
    bench = Bench(TransientError("disk full"), TransientError("disk full"))
    for camera in ("a", "b"):
        bench.put(camera, "button", "closed")
    await bench.run(seconds=3)
    assert sorted(bench.got) == ["a button closed", "b button closed"]
