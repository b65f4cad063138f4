"""Watches one life of a child: what it says, that it speaks at all, and how it ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.wire import Channel, ChannelClosedError, Hello, Ready, Received, WireError
from gateway.workers.process import WorkerProcess

_EXIT_SECONDS = 2.0
_TICKS_PER_TIMEOUT = 4
_STOP_REASON = "it was asked to end"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRules:
    """Times in seconds.

    Attributes:
        silence_seconds: the longest silence of a child that is ready.
        start_seconds: the longest until a child is ready.
        stop_seconds: how long it may take to end when asked, before it is killed.
    """

    silence_seconds: float
    start_seconds: float = 45.0
    stop_seconds: float = 4.0


class LifeEndedError(PermanentError):
    """One life of a child is over; the text says why."""


class WorkerLife:
    """One life.

    Args:
        process: the child that was just started.
        rules: the time limits.
        clock: the gateway's.
        hear: takes every message of the child, from both channels, each channel in order.
    """

    def __init__(
        self, process: WorkerProcess, rules: LifeRules, clock: Clock, hear: Callable[[Received], Awaitable[None]]
    ) -> None:
        self.process = process
        self.silent_seconds = 0.0
        self._rules = rules
        self._clock = clock
        self._hear = hear
        self._ready = False
        self._unready_seconds = 0.0
        self._heard_all = asyncio.Event()

    async def run(self, hello: Hello, stopping: asyncio.Event) -> None:
        """Greet the child and watch it until it ends or `stopping` is set.

        Raises:
            ExceptionGroup: always; it holds a LifeEndedError, or what went wrong in `hear`.
        """
        await self.process.channel.send(hello)
        tasks: list[tuple[str, Awaitable[None]]] = [
            ("messages", self._take(self.process.channel)),
            ("pictures", self._take(self.process.pictures)),
            ("exit", self._until_exit()),
            ("heartbeat", self._until_silent()),
            ("stop", self._until_stopped(stopping)),
        ]
        async with asyncio.TaskGroup() as group:
            for name, task in tasks:
                group.create_task(_ensure(task), name=f"{self.process.name} {name}")

    async def _take(self, channel: Channel) -> None:
        try:
            while True:
                received = await channel.receive()
                self.silent_seconds = 0.0
                self._ready = self._ready or isinstance(received.message, Ready)
                await self._hear(received)
        except ChannelClosedError:
            if channel is self.process.channel:
                self._heard_all.set()
            # The exit says more than the closed channel, if it follows at once.
            await asyncio.sleep(_EXIT_SECONDS)
            raise LifeEndedError("it closed its channel") from None
        except WireError as error:
            raise LifeEndedError(f"it sent what is no message ({error})") from None

    async def _until_exit(self) -> None:
        status = await self.process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._heard_all.wait(), _EXIT_SECONDS)
        raise LifeEndedError(f"it ended with status {status}" if status >= 0 else f"it was ended by signal {-status}")

    async def _until_silent(self) -> None:
        """Count silence in ticks of our own: a pause of this process is not the child's."""
        tick = self._rules.silence_seconds / _TICKS_PER_TIMEOUT
        while True:
            await self._clock.sleep(tick)
            self.silent_seconds += tick
            self._unready_seconds += 0.0 if self._ready else tick
            if self._unready_seconds > self._rules.start_seconds:
                raise LifeEndedError(f"it was not ready after {self._unready_seconds:.0f} s")
            if self._ready and self.silent_seconds > self._rules.silence_seconds:
                raise LifeEndedError(f"it was silent for {self.silent_seconds:.1f} s")

    async def _until_stopped(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        await self.process.stop(self._rules.stop_seconds)
        raise LifeEndedError(_STOP_REASON)


async def _ensure(task: Awaitable[None]) -> None:
    await task
