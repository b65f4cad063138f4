"""Journal and store in memory, with the promises of the real ones, for many short runs of the desk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.clock import ManualClock
from gateway.events import ButtonLost, ButtonPressed, ButtonRestored, Event, FaceMatched, PressKind, Severity, encode
from gateway.storage import EventFilter, Incident, Stored, type_of

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class MemoryJournal:
    """Append-only, each id once; every event is recorded a moment after the one before."""

    def __init__(self, clock: ManualClock) -> None:
        self.stored: list[Stored] = []
        self._by_id: dict[str, Stored] = {}
        self._clock = clock

    @property
    def last_position(self) -> int:
        return len(self.stored)

    async def append(self, event: Event) -> Stored:
        if event.id in self._by_id:
            return self._by_id[event.id]
        position = len(self.stored) + 1
        moment = self._clock.now() + timedelta(microseconds=position)
        kept = replace(event, recorded=moment)
        stored = self._by_id[event.id] = Stored(position, kept, encode(kept))
        self.stored.append(stored)
        return stored

    async def append_all(self, events: Sequence[Event]) -> list[Stored]:
        return [await self.append(event) for event in events]

    async def read(self, after: int = 0, limit: int = 500, filter: EventFilter | None = None) -> list[Stored]:
        return [each for each in self.stored[after:] if _passes(each, filter)][:limit]

    async def tail(self, limit: int, filter: EventFilter | None = None) -> list[Stored]:
        return [each for each in self.stored if _passes(each, filter)][-limit:]

    async def find(self, event_id: str) -> Stored | None:
        return self._by_id.get(event_id)

    @contextmanager
    def subscribe(self) -> Iterator[Any]:
        yield None


class JournalTime:
    """The time at which a journal in memory recorded its newest event: what is stored next comes later."""

    def __init__(self, clock: ManualClock, journal: MemoryJournal) -> None:
        self._clock = clock
        self._journal = journal
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep

    def now(self) -> datetime:
        return self._clock.now() + timedelta(microseconds=self._journal.last_position)


def _passes(stored: Stored, wanted: EventFilter | None) -> bool:
    return wanted is None or wanted.matches(stored.event, type_of(stored.event))


class MemoryStore:
    """The projection of incidents."""

    def __init__(self) -> None:
        self.reached = 0
        self.incidents: dict[str, Incident] = {}
        self.commands: dict[str, str] = {}

    async def position(self) -> int:
        return self.reached

    async def apply(self, position: int, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        self.reached = max(self.reached, position)
        self.incidents |= {each.id: each for each in incidents}
        if command is not None:
            self.commands.setdefault(*command)

    async def get(self, incident: str) -> Incident | None:
        return self.incidents.get(incident)

    async def unresolved(self) -> list[Incident]:
        return [each for each in self.incidents.values() if each.state != "resolved"]

    async def command(self, command_id: str) -> str | None:
        return self.commands.get(command_id)

    async def clear(self) -> None:
        self.incidents.clear()
        self.reached = 0


def press(name: str, device: str = "btn-1", kind: PressKind = PressKind.PRESS, **more: Any) -> ButtonPressed:
    event = ButtonPressed(
        id=name,
        source=f"/site/east/button/{device}",
        subject=device,
        time=START,
        severity=Severity.CRITICAL,
        device=device,
        place="gate",
        kind=kind,
    )
    return replace(event, **more)


def face(name: str, person: str = "p1", **more: Any) -> FaceMatched:
    event = FaceMatched(
        id=name,
        source="/site/east/camera/cam-1",
        subject="cam-1",
        time=START,
        severity=Severity.HIGH,
        camera="cam-1",
        place="gate",
        person=person,
        distance=0.4,
        threshold=0.5,
        looks=4,
        face_height=80,
        quality=0.9,
        model="m",
        detector="d",
        passage=name,
    )
    return replace(event, **more)


def lost(name: str, device: str = "btn-1", **more: Any) -> ButtonLost:
    source = f"/site/east/button/{device}"
    event = ButtonLost(
        id=name, source=source, subject=device, time=START, severity=Severity.HIGH, device=device, place="hall"
    )
    return replace(event, **more)


def restored(name: str, device: str = "btn-1") -> ButtonRestored:
    source = f"/site/east/button/{device}"
    return ButtonRestored(id=name, source=source, subject=device, time=START, device=device, place="hall")


def incident(name: str = "i1", **more: Any) -> Incident:
    """A raised incident of a button."""
    known = Incident(
        id=name,
        state="raised",
        severity=Severity.CRITICAL,
        kind="campus.button.pressed",
        source="/site/east/button/btn-01",
        subject=name,
        title="t",
        place="East gate",
        opened=START,
        updated=START,
        raised=START,
    )
    return replace(known, **more)
