"""What a camera is told to do on an alarm: switch a relay, look somewhere and back; one task for each thing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.wire import LookAt, SwitchRelay

_LOG = logging.getLogger(__name__)
_TRIES, _AGAIN_SECONDS = 5, 2.0
_OFF_SECONDS = 1.2


class CommandedCamera(Protocol):
    """What is told to a camera; `gateway.cameras.OnvifCamera` is one."""

    async def switch(self, relay: str, *, on: bool) -> None:
        """Switch a relay, or a GatewayError."""
        ...

    async def look_at(self, preset: str) -> None:
        """Look at a preset, or a GatewayError."""
        ...


class Commands:
    """The commands under way; a newer one for the same thing takes the place of the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._on: dict[tuple[str, str], CommandedCamera] = {}

    def switch(self, camera: CommandedCamera, command: SwitchRelay) -> None:
        """Switch a relay; it goes off by itself after its time, so that a gateway that is gone leaves no siren on."""
        self._start((command.camera, f"relay {command.relay}"), self._switch(camera, command))

    def look(self, camera: CommandedCamera, command: LookAt) -> None:
        """Look at a preset, and back after its time."""
        self._start((command.camera, "look"), self._look(camera, command))

    async def close(self, camera: str | None = None) -> None:
        """End what is under way for a camera, or for all; nobody would switch off later what is on."""
        ended = [task for (name, _), task in self._tasks.items() if camera in (None, name)]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        await asyncio.gather(*(self._switch_off(each) for each in tuple(self._on) if camera in (None, each[0])))

    async def _switch_off(self, key: tuple[str, str]) -> None:
        try:
            async with asyncio.timeout(_OFF_SECONDS):
                await self._on.pop(key).switch(key[1], on=False)
        except (GatewayError, TimeoutError) as error:
            _LOG.error("relay %s of %s may be on still: %s", key[1], key[0], error)

    def _start(self, key: tuple[str, str], work: Coroutine[Any, Any, None]) -> None:
        before = self._tasks.pop(key, None)
        if before is not None:
            before.cancel()
        task = self._tasks[key] = asyncio.create_task(work, name=" ".join(key))
        task.add_done_callback(lambda done: self._settle(key, done))

    def _settle(self, key: tuple[str, str], done: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]

    async def _switch(self, camera: CommandedCamera, command: SwitchRelay) -> None:
        what = f"relay {command.relay} of {command.camera}"
        key = (command.camera, command.relay)
        if command.on:
            self._on[key] = camera
            await self._tried(what, lambda: camera.switch(command.relay, on=True))
            await self._clock.sleep(command.seconds)
        await self._tried(what, lambda: camera.switch(command.relay, on=False))
        self._on.pop(key, None)

    async def _look(self, camera: CommandedCamera, command: LookAt) -> None:
        await self._tried(f"preset {command.preset} of {command.camera}", lambda: camera.look_at(command.preset))
        if command.back:
            await self._clock.sleep(command.seconds)
            await self._tried(f"preset {command.back} of {command.camera}", lambda: camera.look_at(command.back))

    async def _tried(self, what: str, act: Callable[[], Awaitable[None]]) -> None:
        """Some tries: an alarm meets a camera that is busy."""
        for left in reversed(range(_TRIES)):
            try:
                await act()
            except GatewayError as error:
                _LOG.warning("%s: %s", what, error)
                if left:
                    await self._clock.sleep(_AGAIN_SECONDS)
            else:
                return
        _LOG.error("%s was given up", what)
