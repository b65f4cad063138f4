"""Finds cameras again whose address has changed: by endpoint reference or hardware address, proved by serial number."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from gateway.cameras import Announcement, CameraDescription, FoundCamera
from gateway.clock import Clock, doubled, wait_at_most
from gateway.vision.devices.finder import Finder, is_same
from gateway.vision.devices.watch import DeviceWatch
from gateway.wire import CameraAssigned

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 3.0
_LEAST_PAUSE_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 600.0

Move = Callable[[DeviceWatch, str], Awaitable[bool]]
"""Asks the camera at another address and takes that if it is the same; whether it was, or somebody was told."""


def may_follow(assigned: CameraAssigned, *, always: bool) -> bool:
    """Whether a camera is taken to another address by itself, which is then told its password.

    A camera proves nothing to us but its certificate: what announces itself there may only pretend to be it.
    """
    return always or bool(assigned.tls_fingerprint) or not assigned.username


def is_the_same(before: CameraDescription | None, said: CameraDescription) -> bool:
    """Whether it tells the serial number, or hardware address, that it told before; what tells none is nobody."""
    return before is not None and before.identity != "" and said.identity == before.identity


class Returning:
    """Looks for cameras that are away, with growing pauses; soon when one says Hello, as anybody can.

    Args:
        finder: searches.
        watches: all cameras by id.
        move: takes a camera to another address.
        clock: for pauses.
    """

    def __init__(
        self, finder: Finder, watches: Callable[[], Mapping[str, DeviceWatch]], move: Move, clock: Clock
    ) -> None:
        self._finder = finder
        self._watches = watches
        self._move = move
        self._clock = clock
        self._hello = asyncio.Event()
        self._fruitless = 0

    def heard(self, said: Announcement, sender: str) -> None:
        """A Hello or a Bye: the camera is asked at once, and if it is away it is looked for."""
        for watch in self._watches().values():
            if watch.described is not None and said.endpoint == watch.described.endpoint:
                _LOG.info("camera %s says %s from %s", watch.assigned.camera, said.said.value, sender)
                watch.ask_again()
                self._fruitless = min(self._fruitless, 1)
                self._hello.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._wait()
            await self._clock.sleep(_LEAST_PAUSE_SECONDS if self._fruitless else 0.0)
            try:
                await self._look()
            except Exception:
                self._fruitless += 1
                _LOG.exception("the search for cameras that moved")

    async def _look(self) -> None:
        away = [watch for watch in self._watches().values() if watch.is_away]
        if not away:
            self._fruitless = 0
            return
        found = await self._finder.look(_LOOK_SECONDS)
        moved = [await self._take(watch, found) for watch in away]
        self._fruitless = 0 if all(moved) else self._fruitless + 1

    async def _wait(self) -> None:
        pause = doubled(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, self._fruitless)
        await wait_at_most(self._clock, pause, self._hello)
        self._hello.clear()

    async def _take(self, watch: DeviceWatch, found: Iterable[FoundCamera]) -> bool:
        described = watch.described
        for each in found:
            if described is not None and each.url != watch.assigned.url and is_same(each, described):
                return await self._move(watch, each.url)
        return False
