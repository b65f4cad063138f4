"""A journal, an outbox and destinations on real files, and sinks that answer as a test decides."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.clock import SystemClock
from gateway.events import ButtonPressed, ButtonTested, DestinationFailing, DestinationRecovered, Event, Severity
from gateway.forwarding import DestinationStatus, Forwarder, Forwarders, Outcome, Sink, Verdict, WebhookSink
from gateway.settings import DestinationSettings, ForwardingSettings, StorageSettings
from gateway.simulators.office import SimulatedOffice
from gateway.storage import Stored, Stores, open_storage

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
QUICK = ForwardingSettings(retry_seconds=(0.0, 0.01, 0.02, 0.05), failing_after_tries=3)
SLOW = ForwardingSettings(retry_seconds=(0.0, 300.0), failing_after_tries=3)


def press(name: str, device: str = "btn-01") -> ButtonPressed:
    source = f"/site/east/button/{device}"
    return ButtonPressed(id=name, source=source, subject=device, time=START, severity=Severity.CRITICAL, device=device)


def lesser(name: str, device: str = "btn-01") -> ButtonTested:
    return ButtonTested(id=name, source=f"/site/east/button/{device}", subject=device, time=START, device=device)


@dataclass
class Picky:
    """A sink that answers as a test decides, and keeps what it was asked."""

    answer: Callable[[Stored], Outcome] = lambda _stored: Outcome(Verdict.ACCEPTED)
    asked: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    stalled: set[str] = field(default_factory=set)
    closed: bool = False

    async def deliver(self, stored: Stored) -> Outcome:
        self.asked.append(stored.event.id)
        if stored.event.id in self.stalled:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        outcome = self.answer(stored)
        if outcome.verdict is Verdict.ACCEPTED:
            self.taken.append(stored.event.id)
        return outcome

    async def close(self) -> None:
        self.closed = True


class House:
    """A journal, an outbox, and destinations."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.settings = QUICK
        self.outbox: Any = stores.outbox
        self.sinks: dict[str, Sink] = {}
        self.forwarders = Forwarders(self.make)

    def make(self, destination: DestinationSettings) -> Forwarder:
        return Forwarder(
            destination,
            site="east",
            journal=self.stores.journal,
            outbox=self.outbox,
            sink=self.sinks.get(destination.id) or WebhookSink(destination.url, secrets=[SECRET], timeout_seconds=2),
            report=self.stores.journal.append,
            clock=SystemClock(),
            settings=self.settings,
        )

    async def start(self, name: str = "office", *, url: str = "http://127.0.0.1:9/", **entry: Any) -> None:
        await self.forwarders.put(DestinationSettings(id=name, url=url, **entry))

    async def append(self, *events: Event) -> None:
        await self.stores.journal.append_all(events)

    def status(self, name: str = "office") -> DestinationStatus:
        return self.forwarders.get(name).status

    async def said(self) -> list[Event]:
        kinds = (DestinationFailing, DestinationRecovered)
        return [each.event for each in await self.stores.journal.read(0, 10_000) if isinstance(each.event, kinds)]


async def until(true: Callable[[], object], what: str = "") -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[House]:
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), SystemClock())
    house = House(stores)
    try:
        yield house
    finally:
        await house.forwarders.close()
        await stores.close()


def names(office: SimulatedOffice) -> list[str]:
    return [each["id"] for each in office.unique.values()]
