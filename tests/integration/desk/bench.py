"""The desk over real storage whose calls fail where a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unit.incidents import memory
from unit.incidents.memory import START

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.events import ButtonPressed, Event, PressKind
from gateway.incidents import IncidentDesk
from gateway.settings import StorageSettings
from gateway.storage import Incident, Stores, open_storage


def press(name: str, device: str = "btn-01", kind: PressKind = PressKind.PRESS) -> ButtonPressed:
    return memory.press(name, device, kind)


_OF_THE_JOURNAL = frozenset({"append", "append_all", "read", "find", "tail"})


class CrashError(Exception):
    """The process dies here."""


class FullDiskError(CrashError, TransientError):
    """A write fails for now; the process lives on."""


class Faulty:
    """The ports of the desk on real stores; the nth call fails, before or after it has done its work."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.calls = 0
        self.fail_at = 0
        self.after = False
        self.error: type[Exception] = CrashError

    @property
    def last_position(self) -> int:
        return self._stores.journal.last_position

    def subscribe(self) -> Any:
        return self._stores.journal.subscribe()

    async def _call(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self.calls += 1
        if self.calls == self.fail_at and not self.after:
            raise self.error("no room")
        result = await work(*arguments)
        if self.calls == self.fail_at and self.after:
            raise self.error("no room")
        return result

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        owner: Any = self._stores.journal if name in _OF_THE_JOURNAL else self._stores.incidents
        return lambda *arguments: self._call(getattr(owner, name), *arguments)


@dataclass
class Bench:
    stores: Stores
    clock: ManualClock
    ports: Any  # a Faulty, which is all ports at once
    desk: IncidentDesk
    told: list[tuple[str, Event]]

    async def restart(self) -> None:
        """A new process on the same state folder."""
        self.desk = IncidentDesk(self.ports, self.ports, self.clock, self._tell)
        await self.desk.load()

    def _tell(self, incident: Incident, event: Event) -> None:
        self.told.append((incident.id, event))

    async def press(self, *events: Event) -> None:
        for event in events:
            await self.stores.journal.append(event)
        await self.desk.catch_up()

    async def the_one(self) -> Incident:
        (incident,) = self.desk.unresolved()
        return incident

    async def journal(self) -> list[tuple[int, str, str]]:
        return [(each.position, each.event.TYPE, each.event.id) for each in await self.stores.journal.read(0, 10_000)]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Bench]:
    clock = ManualClock(START)
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), clock)
    ports = Faulty(stores)
    try:
        bench = Bench(stores, clock, ports, None, [])  # type: ignore[arg-type]  # `restart` makes the desk
        await bench.restart()
        yield bench
    finally:
        await stores.close()
