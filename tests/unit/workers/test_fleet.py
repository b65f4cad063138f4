"""Children that are asked for while the fleet ends do not keep it from ending."""

import asyncio
from typing import Any

from gateway.workers.book import CameraBook
from gateway.workers.fleet import Fleet
from gateway.workers.outfit import VIDEO


class Child:
    """A supervisor that lives until it is told to stop."""

    looping = False

    def __init__(self, role: str, name: str) -> None:
        self.role = role
        self.name = name
        self.stopping = asyncio.Event()
        self.ended = asyncio.Event()
        self.slow = False

    def stop(self) -> None:
        self.stopping.set()

    async def run(self) -> None:
        await self.stopping.wait()
        if self.slow:
            await self.ended.wait()


async def test_a_camera_that_is_added_while_the_gateway_stops_does_not_hold_it_up() -> None:
    """A request that was under way, or a crash loop that parts, may still ask for a child."""
    make: Any = Child
    fleet = Fleet(make, CameraBook("east"), cameras_per_worker=4, cores=2)
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as children:
            fleet.start(children)
            fleet.ensure(VIDEO, "video-1")
            fleet.stop()
            fleet.open_video()


async def test_a_name_is_free_again_when_the_process_that_had_it_is_gone() -> None:
    """What it says until then would be taken for a word of its successor."""
    make: Any = Child
    fleet = Fleet(make, CameraBook("east"), cameras_per_worker=4, cores=2)
    async with asyncio.timeout(5), asyncio.TaskGroup() as children:
        fleet.start(children)
        old: Any = fleet.open_video()
        old.slow = True
        assert fleet.release(old)
        assert fleet.named("video-1") is None
        assert fleet.open_video().name == "video-2"
        old.ended.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert fleet.open_video().name == "video-1"
        assert not fleet.release(old), "another one has its name"
        fleet.stop()
