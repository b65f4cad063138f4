"""An event that is damaged on disk: who reads the journal passes over it, and what comes behind it goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.bitflip import flip

from gateway.api.hub import EventHub
from gateway.clock import ManualClock, SystemClock
from gateway.daemon.unreadable import UnreadableTeller
from gateway.events import ButtonPressed, GatewayFault, IncidentOpened, Severity
from gateway.forwarding import Forwarder, Outcome, Verdict
from gateway.incidents import IncidentDesk
from gateway.settings import DestinationSettings, ForwardingSettings, StorageSettings
from gateway.storage import Stored, Stores, UnreadableEvent, open_storage

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def press(name: str, device: str = "btn-01") -> ButtonPressed:
    source = f"/site/east/button/{device}"
    return ButtonPressed(id=name, source=source, subject=device, time=START, severity=Severity.CRITICAL, device=device)


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Stores]:
    stores = await open_storage(StorageSettings(directory=directory, reserve_megabytes=1), SystemClock())
    try:
        yield stores
    finally:
        await stores.close()


async def tell(stores: Stores) -> None:
    """Let the teller tell what was met so far."""
    teller = asyncio.create_task(UnreadableTeller(stores.journal, "/site/east/gateway", ManualClock(START)).run())
    await asyncio.sleep(0.2)
    teller.cancel()
    await asyncio.gather(teller, return_exceptions=True)


async def faults(stores: Stores) -> list[GatewayFault]:
    return [each.event for each in await stores.journal.read(0, 1000) if isinstance(each.event, GatewayFault)]


def desk_on(stores: Stores) -> IncidentDesk:
    return IncidentDesk(stores.journal, stores.incidents, ManualClock(START), lambda _incident, _event: None)


async def test_a_press_that_nobody_decided_about_opens_the_incident_of_its_damage(tmp_path: Path) -> None:
    async with opened(tmp_path) as stores:
        await stores.journal.append(press("p1"))
        await stores.journal.append(press("p2", "btn-02"))
    flip(tmp_path, 1)
    for _start in range(2):
        async with opened(tmp_path) as stores:
            desk = desk_on(stores)
            await desk.load()
            await desk.catch_up()
            await tell(stores)
            await desk.catch_up()
            found = await faults(stores)
            kinds = sorted(each.kind for each in desk.unresolved())
    assert kinds == [ButtonPressed.TYPE, GatewayFault.TYPE]
    (fault,) = found
    assert (fault.fault, fault.severity) == ("event_unreadable", Severity.CRITICAL)
    assert "position 1 " in fault.detail


@pytest.mark.parametrize("kind", [ButtonPressed, IncidentOpened])
async def test_incidents_are_made_anew_beside_a_damaged_event(tmp_path: Path, kind: type) -> None:
    async with opened(tmp_path) as stores:
        desk = desk_on(stores)
        await desk.load()
        for number in range(3):
            await stores.journal.append(press(f"p{number}", f"btn-{number}"))
            await desk.catch_up()
        (place, *_) = [each.position for each in await stores.journal.read() if type(each.event) is kind]
    flip(tmp_path, place)
    async with opened(tmp_path) as stores:
        desk = desk_on(stores)
        await desk.load()
        await desk.rebuild()
        await stores.journal.append(press("new", "btn-9"))
        await desk.catch_up()
        sources = {each.source.rsplit("/")[-1] for each in desk.unresolved()}
        assert stores.journal.unreadable == {place}
    assert {"btn-1", "btn-2", "btn-9"} <= sources


class Taking:
    """A sink that takes everything."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def deliver(self, stored: Stored) -> Outcome:
        self.taken.append(stored.event.id)
        return Outcome(Verdict.ACCEPTED)

    async def close(self) -> None:
        return


@pytest.mark.parametrize("position", [1, 3, 5])
async def test_a_destination_gets_everything_but_the_damaged_event(tmp_path: Path, position: int) -> None:
    async with opened(tmp_path) as stores:
        await stores.journal.append_all([press(f"p{number}") for number in range(1, 6)])
    flip(tmp_path, position)
    sink = Taking()
    async with opened(tmp_path) as stores:
        forwarder = Forwarder(
            DestinationSettings(id="office", url="http://office.test/"),
            site="east",
            journal=stores.journal,
            outbox=stores.outbox,
            sink=sink,
            report=stores.journal.append,
            clock=SystemClock(),
            settings=ForwardingSettings(),
            start=0,
        )
        running = asyncio.create_task(forwarder.run())
        await stores.journal.append(press("new"))
        async with asyncio.timeout(20):
            while len(sink.taken) < 5 or forwarder.status.backlog:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sink.taken == [f"p{number}" for number in range(1, 6) if number != position] + ["new"]


async def test_a_stream_shows_the_damage_but_not_to_who_may_see_no_silent_press(tmp_path: Path) -> None:
    async with opened(tmp_path) as stores:
        await stores.journal.append_all([press(f"p{number}") for number in range(1, 4)])
    flip(tmp_path, 2)
    async with opened(tmp_path) as stores:
        hub = EventHub(stores.journal, SystemClock())
        _, told = await hub.frames_after(0, None)
        cursor, hidden = await hub.frames_after(0, None, discreet=False)
        damaged = (await stores.journal.read(1, 1))[0]
    assert told.count(b"event: campus.gateway.unreadable\n") == 1
    assert cursor == 3
    assert hidden.count(b"\nevent: ") == 2
    assert isinstance(damaged.event, UnreadableEvent)
