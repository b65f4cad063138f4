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

    def stop(self) -> None:
        self.stopping.set()

    async def run(self) -> None:
        await self.stopping.wait()


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
