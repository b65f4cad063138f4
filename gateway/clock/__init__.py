"""Time as a value that tests can hold in their hands."""

import asyncio
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from gateway.clock.pauses import doubled as doubled

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What every room asks for time: the wall for people, the monotonic one for intervals."""

    def now(self) -> datetime:
        """The wall clock's time, aware, in UTC; it may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back and ignores wall-clock jumps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of the monotonic clock."""
        ...


async def wait_at_most(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    """Wait until `event` is set, or for `seconds` of the clock if that is sooner."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    change = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        change.cancel()
        await asyncio.gather(timer, change, return_exceptions=True)


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall clock's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that moves only when told: `advance` moves both clocks, `jump` the wall alone."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        """The wall time that was set."""
        return self._now

    def monotonic(self) -> float:
        """The monotonic time that was reached."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed `seconds` from now."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.Event()
        self._sleepers.append((self._monotonic + seconds, wake))
        await wake.wait()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks and wake who slept that long."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        due = [wake for at, wake in self._sleepers if at <= self._monotonic]
        self._sleepers = [(at, wake) for at, wake in self._sleepers if at > self._monotonic]
        for wake in due:
            wake.set()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an NTP step or an operator does."""
        self._now += timedelta(seconds=seconds)


def boot_id() -> str:
    """Which start of the machine this is: within one, monotonic moments compare.

    The kernel tells (Linux `random(4)`, ``boot_id``), or systemd where the unit hides its files (``GATEWAY_BOOT_ID``).
    Where neither does, every start of the process counts as one.
    """
    if told := os.environ.get("GATEWAY_BOOT_ID"):
        return told
    try:
        return _BOOT_ID.read_text("ascii").strip().replace("-", "")
    except (OSError, UnicodeDecodeError):
        return secrets.token_hex(16)
