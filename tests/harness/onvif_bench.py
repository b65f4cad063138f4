"""What the tests of the ONVIF acceptance items share."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from gateway.cameras import (
    CameraError,
    CameraState,
    EventFeed,
    FeedEnds,
    Finding,
    FindingBook,
    Kind,
    Notice,
    OnvifCamera,
    PushReceiver,
    Timeouts,
)
from gateway.clock import Clock, SystemClock
from gateway.simulators.camera import SimulatedCamera

PASSWORD = "p@ss:w/rd#1"
JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Opened:
    """One simulated camera and the client that asks it."""

    simulated: SimulatedCamera
    client: OnvifCamera


class Bench(Protocol):
    """Opens a camera with quirks and a client with credentials."""

    def __call__(
        self,
        *quirks: str,
        username: str = "gate",
        password: str = PASSWORD,
        owner: str = "gate",
        fingerprint: str = "",
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
    ) -> AbstractAsyncContextManager[Opened]: ...


async def state_of(client: OnvifCamera) -> CameraState:
    """The state after one probe; an error must name its remedy and no password."""
    try:
        return (await client.probe()).state
    except CameraError as error:
        return checked(error).state


def checked(error: CameraError) -> CameraError:
    """The error, whose text holds the remedy of its state and no password."""
    told = str(error)
    if PASSWORD in told or error.state.remedy not in told:
        raise AssertionError(told) from None
    return error


class Hearing:
    """Hears one camera's events, as the devices child does.

    Attributes:
        findings: what changed, in order.
        losses: why subscriptions ended.
    """

    def __init__(self, client: OnvifCamera, push: PushReceiver | None = None) -> None:
        self._client = client
        self._push = push
        self._clock = SystemClock()
        self._task: asyncio.Task[None] | None = None
        self._something = asyncio.Event()
        self._feed: EventFeed | None = None
        self.book = FindingBook()
        self.findings: list[Finding] = []
        self.losses: list[str] = []
        self.pulls = 0

    async def __aenter__(self) -> Self:
        await self._client.probe()
        feed = self._feed = EventFeed(
            self._client.events, FeedEnds(self._take, self._lost, self._consumer), self._clock, "camera"
        )
        self._task = asyncio.create_task(feed.run(), name="feed")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def way(self) -> str:
        """By what way it is heard."""
        return self._feed.way if self._feed is not None else ""

    async def until(self, so: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not so():
                self._something.clear()
                await self._something.wait()

    async def ready(self) -> None:
        """Wait until the states were told."""
        await self.until(lambda: bool(self.findings))

    def inputs(self) -> list[tuple[str, bool, bool]]:
        """Token, active, initial of each finding of a contact."""
        return [(each.token, each.active, each.initial) for each in self.findings if each.kind is Kind.INPUT]

    def closed(self, *, initial: bool = False) -> bool:
        """Whether input 1 is known to have closed."""
        return any(active and was_initial is initial for token, active, was_initial in self.inputs())

    async def _take(self, notices: tuple[Notice, ...]) -> None:
        self.pulls += 1
        clock = self._clock
        self.findings += self.book.take(notices, self._client.events.clock_offset, clock.now(), clock.monotonic())
        self._something.set()

    async def _lost(self, reason: str) -> None:
        self.losses.append(reason)
        self.book.lost()
        self._something.set()

    async def _consumer(self) -> str | None:
        return await self._push.add(self._client.address.host, self._take) if self._push is not None else None
