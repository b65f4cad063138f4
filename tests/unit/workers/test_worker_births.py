"""Few children start at once, and none waits for one that is ready or dead."""

import asyncio
from typing import Any

from gateway.clock import ManualClock
from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.wire import Hello
from gateway.workers.births import Births, Turn
from gateway.workers.life import LifeRules
from gateway.workers.process import WorkerProcess
from gateway.workers.supervisor import WorkerSupervisor


async def _soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_starts_when_one_is_ready() -> None:
    births, turns = Births(2), list[Turn]()

    async def start() -> None:
        turns.append(await births.turn())

    tasks = [asyncio.create_task(start()) for _ in range(4)]
    await _soon()
    assert len(turns) == 2

    turns[0].over()
    turns[0].over()  # ready, and later dead
    await _soon()
    assert len(turns) == 3

    for turn in turns:
        turn.over()
    await asyncio.gather(*tasks)
    assert len(turns) == 4


class Cradle:
    """Starts no child: it fails when the test says so."""

    def __init__(self) -> None:
        self.starting: list[str] = []
        self.fails = asyncio.Event()

    async def start(self, _role: str, name: str, _clock: Any) -> WorkerProcess:
        self.starting.append(name)
        await self.fails.wait()
        raise OSError("no more processes")


class Owner:
    """Wants to know nothing."""

    async def worker_gone(self, worker: WorkerSupervisor, *, looping: bool) -> None:
        """It is gone."""

    async def worker_over(self, worker: WorkerSupervisor) -> None:
        """It is over."""


def _child(name: str, cradle: Cradle, births: Births) -> WorkerSupervisor:
    hello = Hello(
        role="video",
        worker=name,
        site="east",
        vision=VisionSettings(),
        matching=MatchingSettings(),
        models_directory="",
        people_key=b"",
        evidence=EvidenceSettings(),
    )
    owner: Any = Owner()
    rules = LifeRules(silence_seconds=5.0)
    return WorkerSupervisor(hello, owner, rules, ManualClock(), None, cradle.start, births)


async def test_a_child_that_cannot_start_lets_the_next_try() -> None:
    cradle, births = Cradle(), Births(1)
    tasks = [asyncio.create_task(_child(f"video-{number}", cradle, births).run()) for number in (1, 2, 3)]
    await _soon()
    assert cradle.starting == ["video-1"]

    cradle.fails.set()
    await _soon()
    await _soon()
    assert cradle.starting == ["video-1", "video-2", "video-3"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_that_waits_for_its_turn_ends_without_a_start() -> None:
    cradle, births = Cradle(), Births(1)
    first, second = (_child(name, cradle, births) for name in ("video-1", "video-2"))
    tasks = [asyncio.create_task(each.run()) for each in (first, second)]
    await _soon()
    for each in (first, second):
        each.stop()
    cradle.fails.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert cradle.starting == ["video-1"]
