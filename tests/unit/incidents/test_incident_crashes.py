"""The process dies at any call of journal or store: what becomes of floods, losses and drills is the same."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from unit.incidents.memory import JournalTime, MemoryJournal, MemoryStore, face, lost, press, restored

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.events import DrillEnded, DrillStarted, Event
from gateway.incidents import IncidentDesk, Policy
from gateway.storage import Incident, Stored

POLICY = Policy(flood_incidents=4, flood_calm=2, inhibitions={"power": frozenset({"cam-1", "cam-2"})})


class CrashError(Exception):
    """The process dies here."""


class FullDiskError(CrashError, TransientError):
    """A write fails for now; the process lives on."""


class Faulty:
    """Both ports of the desk; the nth call fails before or after its work."""

    def __init__(self, clock: ManualClock) -> None:
        self.journal = MemoryJournal(clock)
        self.store = MemoryStore()
        self.calls, self.fail_at, self.after = 0, 0, False
        self.error: type[CrashError] = CrashError

    @property
    def last_position(self) -> int:
        return self.journal.last_position

    async def append_all(self, events: Sequence[Event]) -> list[Stored]:
        """Harder than the real one: it may fail in the middle, and then a part is stored."""
        return [await self.append(event) for event in events]

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        owner: Any = self.journal if name in {"append", "read", "find", "tail"} else self.store

        async def call(*arguments: Any) -> Any:
            self.calls += 1
            failing = self.calls == self.fail_at
            if failing and not self.after:
                raise self.error("no room")
            result = await getattr(owner, name)(*arguments)
            if failing:
                raise self.error("no room")
            return result

        return call


class Life:
    """A desk that is started anew whenever it dies."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ports: Any = Faulty(self.clock)
        self.desk = self._new()

    def _new(self) -> IncidentDesk:
        time = JournalTime(self.clock, self.ports.journal)
        return IncidentDesk(self.ports, self.ports, time, policy=POLICY)

    async def do(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do it; what died does it again in a new process, as a client would."""
        try:
            await work()
        except CrashError as error:
            if not isinstance(error, TransientError):
                self.desk = self._new()
                await self.desk.load()
            await work()

    async def load(self) -> None:
        await self.desk.load()

    async def catch_up(self) -> None:
        """The desk of the day does it: after a death that is another one."""

        async def work() -> None:
            await self.desk.catch_up()

        await self.do(work)

    async def take(self, *events: Event) -> None:
        for event in events:
            self.clock.advance(1)
            await self.ports.journal.append(replace(event, time=self.clock.now()))
        await self.catch_up()

    async def command(self, verb: str, incident: str, **more: Any) -> None:
        name = f"{verb} {incident}"
        await self.do(lambda: getattr(self.desk, verb)(incident, actor="wang", command_id=name, **more))
        await self.catch_up()

    def of(self, trigger: str) -> str:
        known: list[Incident] = list(self.ports.store.incidents.values())
        return next(each.id for each in known if any(one.event == trigger for one in each.triggers))

    def drill(self, kind: type[DrillStarted | DrillEnded], name: str) -> Event:
        common: Any = {"id": name, "source": "/g", "subject": "drill", "time": self.clock.now(), "drill": True}
        if kind is DrillEnded:
            return DrillEnded(**common, drill_id="d")
        return DrillStarted(**common, drill_id="d", actor="chief", until=self.clock.now())

    async def story(self) -> None:
        await self.do(self.load)
        await self.take(lost("cause", "power"), lost("l1", "cam-1"), lost("l2", "cam-2"))
        await self.take(self.drill(DrillStarted, "begin"), press("d1", "btn-1", drill=True), press("p1", "btn-1"))
        await self.command("acknowledge", self.of("cause"))
        await self.take(restored("r2", "cam-2"), restored("back", "power"))
        await self.take(self.drill(DrillEnded, "end"), face("f1"))
        await self.command("shelve", self.of("f1"), seconds=60, reason="workers")
        await self.take(lost("m1", "dev-1"), lost("m2", "dev-2"), lost("m3", "dev-3"), lost("m4", "dev-4"))
        await self.do(lambda: self.desk.end_shelf(self.of("f1")))
        await self.take(press("p2", "btn-1"), restored("s1", "dev-1"))
        await self.command("acknowledge", self.of("m1"))
        await self.catch_up()

    def outcome(self) -> tuple[set[str], list[tuple[Any, ...]]]:
        incidents = [
            (i.id, i.state, i.verdict, i.count, i.active, len(i.hidden), i.level, i.owner, i.key, i.shelf is None)
            for i in self.ports.store.incidents.values()
        ]
        return {each.event.id for each in self.ports.journal.stored}, sorted(incidents)


async def test_the_story_has_all_of_it() -> None:
    life = Life()
    await life.story()
    kinds = {each.event.TYPE for each in life.ports.journal.stored}
    assert {"campus.flood.started", "campus.incident.shelved", "campus.incident.resolved"} <= kinds
    states = {life.of(name): name for name in ("cause", "d1", "p1", "f1", "m1", "l1")}
    ended = {name: life.ports.store.incidents[each].state for each, name in states.items()}
    assert ended == {
        "cause": "resolved",
        "d1": "resolved",
        "p1": "raised",
        "f1": "raised",
        "m1": "resolved",
        "l1": "raised",
    }


@pytest.mark.parametrize(
    ("error", "after"), [(CrashError, False), (CrashError, True), (FullDiskError, False), (FullDiskError, True)]
)
async def test_a_fault_at_any_call_neither_loses_nor_doubles(error: type[CrashError], after: bool) -> None:
    whole = Life()
    await whole.story()
    expected = whole.outcome()
    for number in range(1, whole.ports.calls + 1):
        life = Life()
        life.ports.fail_at, life.ports.after, life.ports.error = number, after, error
        await life.story()
        assert life.ports.calls >= number
        assert life.outcome() == expected, f"call {number}"
