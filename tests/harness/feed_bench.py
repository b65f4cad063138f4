"""A camera for the event feed that does what it is told to, on a clock that the test moves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway.cameras.eventing.feed import EventFeed, FeedEnds
from gateway.cameras.eventing.notices import Notice
from gateway.cameras.eventing.subscription import Subscription
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraState, camera_error
from gateway.clock import ManualClock

GONE = FaultError(("ResourceUnknownFault",), "gone")
SILENT = camera_error(CameraState.UNREACHABLE, "silent", where="x")


@dataclass
class Port:
    """A camera that does what it is told to, and counts."""

    clock: ManualClock
    grants: Callable[[bool], float | None] = lambda _absolute: 600.0
    failing_subscribe: list[Exception] = field(default_factory=list)
    pulls: list[Exception | tuple[Notice, ...]] = field(default_factory=list)
    failing_renew: Exception | None = None
    calls: list[str] = field(default_factory=list)
    pull_takes: float = 10.0
    subscribe_takes: float = 0.0
    renew_takes: float = 0.0
    failing_unsubscribe: Exception | None = None
    failing_push: Exception | None = None
    metadata: Exception | list[tuple[Notice, ...]] = camera_error(CameraState.NO_EVENTS, "no track", where="x")  # noqa: RUF009

    async def subscribe(self, *, absolute: bool = False) -> Subscription:
        self.calls.append("subscribe at" if absolute else "subscribe")
        if self.failing_subscribe:
            raise self.failing_subscribe.pop(0)
        await self.clock.sleep(self.subscribe_takes)
        return Subscription("http://x", granted_seconds=self.grants(absolute))

    async def subscribe_push(self, consumer: str) -> Subscription:
        self.calls.append(f"push to {consumer}")
        if self.failing_push is not None:
            raise self.failing_push
        return Subscription("http://x", is_push=True)

    async def synchronize(self, subscription: Subscription) -> None:
        self.calls.append("synchronize")
        raise FaultError(("ActionNotSupported",), "no")

    async def renew(self, subscription: Subscription, *, absolute: bool = False) -> float | None:
        self.calls.append("renew at" if absolute else "renew")
        if self.failing_renew is not None:
            raise self.failing_renew
        await self.clock.sleep(self.renew_takes)
        return self.grants(absolute)

    async def unsubscribe(self, subscription: Subscription) -> None:
        self.calls.append("unsubscribe")
        if self.failing_unsubscribe is not None:
            raise self.failing_unsubscribe

    async def pull(self, subscription: Subscription) -> tuple[Notice, ...]:
        self.calls.append("pull")
        answer = self.pulls.pop(0) if self.pulls else ()
        if isinstance(answer, Exception):
            raise answer
        if not answer:
            await self.clock.sleep(self.pull_takes)
        return answer

    async def open_metadata(self) -> "Track":
        self.calls.append("metadata")
        if isinstance(self.metadata, Exception):
            raise self.metadata
        return Track(self, list(self.metadata))


@dataclass
class Track:
    """Tells what it has, and then that its connection broke."""

    port: Port
    waiting: list[tuple[Notice, ...]]

    async def next(self) -> tuple[Notice, ...]:
        await self.port.clock.sleep(5)
        if not self.waiting:
            raise camera_error(CameraState.STREAM_DEAD, "the track broke", where="x")
        return self.waiting.pop(0)

    async def close(self) -> None:
        self.port.calls.append("close")


@dataclass
class Ends:
    taken: list[tuple[Notice, ...]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    consumer: str | None = None

    async def take(self, notices: tuple[Notice, ...]) -> None:
        self.taken.append(notices)

    async def lost(self, reason: str) -> None:
        self.losses.append(reason)

    async def address(self) -> str | None:
        return self.consumer


Passes = Callable[[float], Coroutine[Any, Any, None]]


@asynccontextmanager
async def fed(port: Port, ends: Ends | None = None) -> AsyncIterator[tuple[Ends, Passes]]:
    ends = ends or Ends()
    feed = EventFeed(port, FeedEnds(ends.take, ends.lost, ends.address), port.clock, "camera")
    task = asyncio.create_task(feed.run(), name="feed")

    async def passes(seconds: float) -> None:
        for _ in range(int(seconds)):
            for _ in range(6):
                await asyncio.sleep(0)
            port.clock.advance(1)
        for _ in range(8):
            await asyncio.sleep(0)

    try:
        yield ends, passes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
