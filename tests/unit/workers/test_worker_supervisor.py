"""What keeps a child alive must outlive every fault of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from gateway.clock import Clock, ManualClock
from gateway.events import Event, GatewayFault
from gateway.settings import MatchingSettings, VisionSettings
from gateway.wire import Heartbeat, Hello, Received
from gateway.workers import GalleryFeed, LifeRules, RestartBudget, WorkerPorts, WorkerProcess, WorkerSupervisor
from gateway.workers.book import CameraBook
from gateway.workers.exchange import Exchange
from gateway.workers.supervisor import WorkerOwner

HELLO = Hello(
    role="video", worker="video-1", site="east", vision=VisionSettings(), matching=MatchingSettings(),
    models_directory="",
)  # fmt: skip


class Owner:
    """Cannot be told of an end."""

    async def worker_ready(self, worker: WorkerSupervisor) -> None:
        pass

    async def worker_said(self, worker: WorkerSupervisor, received: Received) -> None:
        pass

    async def worker_beat(self, worker: WorkerSupervisor, heartbeat: Heartbeat) -> None:
        pass

    async def worker_gone(self, worker: WorkerSupervisor, *, looping: bool) -> None:
        raise ValueError("what nobody foresaw")

    async def worker_over(self, worker: WorkerSupervisor) -> None:
        pass


def _supervisor(owner: WorkerOwner, clock: ManualClock, starts: list[str]) -> WorkerSupervisor:
    async def start(_role: str, name: str, _clock: Clock) -> WorkerProcess:
        starts.append(name)
        raise OSError("no room for another process")

    budget = RestartBudget(jitter=lambda: 0.5)
    return WorkerSupervisor(HELLO, owner, LifeRules(silence_seconds=1.0), clock, budget, start)


async def _lives(supervisor: WorkerSupervisor, clock: ManualClock, seconds: int) -> None:
    task = asyncio.create_task(supervisor.run(), name="video-1")
    for _ in range(seconds):
        for _ in range(20):
            await asyncio.sleep(0)
        clock.advance(1)
    assert not task.done()
    supervisor.stop()
    await task


async def test_a_child_whose_end_cannot_be_told_is_started_anew(caplog: pytest.LogCaptureFixture) -> None:
    clock, starts = ManualClock(), list[str]()
    await _lives(_supervisor(Owner(), clock, starts), clock, 10)
    assert len(starts) > 2
    assert "what nobody foresaw" in caplog.text


async def test_a_crash_loop_is_told_also_of_a_child_that_has_the_name_of_another() -> None:
    reported: list[Event] = []

    async def on_report(events: Sequence[Event]) -> None:
        reported.extend(events)

    async def nothing(*_: object) -> None:
        pass

    async def rows() -> tuple[int, list[object]]:
        return 0, []

    ports = WorkerPorts(
        on_report=on_report, on_evidence=nothing, on_clip=lambda _piece: None, on_passage=nothing,
        on_statistics=nothing, on_described=nothing, on_contact=nothing, on_heard=nothing,
    )  # fmt: skip
    for_rows: Callable[[], Awaitable[object]] = rows
    clock = ManualClock()
    exchange = Exchange("east", CameraBook("east"), GalleryFeed(for_rows, clock), ports, clock)  # type: ignore[arg-type]  # an empty list
    for _ in range(2):
        await _lives(_supervisor(exchange, clock, []), clock, 60)
    await exchange.reports.drain()
    assert [each.subject for each in reported if isinstance(each, GatewayFault)] == ["video-1"] * 2
