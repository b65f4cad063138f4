"""Supervision of alarm devices on a clock that the test holds."""

import asyncio
from typing import Any

from gateway.alarms import SupervisionTimer
from gateway.clock import ManualClock
from gateway.events import Event
from gateway.settings import DeviceSettings


class Watch:
    """Supervision with its clock; `pass_by` runs it while time passes."""

    def __init__(self, clock: ManualClock | None = None, /, **devices: dict[str, Any]) -> None:
        self.clock = clock or ManualClock()
        self.events: list[Event] = []
        self.timer = SupervisionTimer("east", self._report, self.clock)
        for identity, entry in (devices or {"a": {}}).items():
            self.timer.watch(DeviceSettings(id=identity, **entry))

    async def _report(self, event: Event) -> None:
        await asyncio.sleep(0)
        self.events.append(event)

    async def pass_by(self, seconds: float, step: float = 1.0) -> None:
        task = asyncio.create_task(self.timer.run(), name="supervision")
        for _ in range(int(seconds / step)):
            await self._settle()
            self.clock.advance(step)
        await self._settle()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    @staticmethod
    async def _settle() -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    def kinds(self) -> list[type[Event]]:
        return [type(each) for each in self.events]

    def restarted(self) -> "Watch":
        """A new process with what the former one wrote down."""
        again = Watch(self.clock, **{"a": {}})
        again.timer.restore(list(self.timer.memories().values()), [])
        return again
