"""A burst of one button: each press counts once, nothing is undone, and a page of them costs one commit."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from unit.incidents.memory import MemoryJournal, MemoryStore, lost, press, restored
from unit.incidents.test_incident_crashes import CrashError, FullDiskError, Life

from gateway.clock import ManualClock
from gateway.events import Event, IncidentEvent, IncidentOpened, IncidentRaisedAgain, derived_id
from gateway.incidents import IncidentDesk
from gateway.storage import Incident, Stored

MANY = 1500  # more than an incident keeps of its timeline


class CountingJournal(MemoryJournal):
    """Notes how many events each append had."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.pages: list[int] = []

    async def append_all(self, events: Sequence[Event]) -> list[Stored]:
        self.pages.append(len(events))
        return await super().append_all(events)


class CountingStore(MemoryStore):
    """Notes how often it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    async def apply(self, position: int, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        self.writes += 1
        await super().apply(position, incidents, command)


class Bench:
    """A desk before which a burst lies."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.journal = CountingJournal(self.clock)
        self.store = CountingStore()
        self.told: list[tuple[Incident, Event]] = []
        self.desk = self.new_desk()

    def new_desk(self) -> IncidentDesk:
        return IncidentDesk(self.journal, self.store, self.clock, lambda *told: self.told.append(told))

    async def burst(self, count: int = MANY, device: str = "btn-1") -> None:
        await self.journal.append_all([press(f"{device} {number}", device) for number in range(count)])
        self.journal.pages.clear()

    def of(self, device: str) -> Incident:
        (found,) = [each for each in self.desk.unresolved() if each.source.endswith(device)]
        return found


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.desk.load()
    await bench.burst()
    await bench.journal.append(press("other", "btn-2"))
    return bench


async def test_each_press_counts_once_and_a_count_never_goes_back(bench: Bench) -> None:
    await bench.desk.catch_up()
    counts = [incident.count for incident, _event in bench.told if incident.source.endswith("btn-1")]
    assert counts == list(range(1, MANY + 1))
    decided = [each.event for each in bench.journal.stored if isinstance(each.event, IncidentEvent)]
    assert isinstance(decided[0], IncidentOpened)
    again = [each for each in decided if isinstance(each, IncidentRaisedAgain)]
    assert [(each.trigger, each.count) for each in again] == [(f"btn-1 {n}", n + 1) for n in range(1, MANY)]
    assert (bench.of("btn-1").count, bench.of("btn-2").count) == (MANY, 1)


async def test_an_acknowledgement_behind_a_burst_stands(bench: Bench) -> None:
    incident = derived_id("incident", "btn-1 0")
    taken = await bench.desk.acknowledge(incident, actor="wang", command_id="c")
    assert (taken.state, taken.count) == ("acknowledged", MANY)
    await bench.desk.catch_up()
    assert bench.of("btn-1") == taken
    assert bench.store.incidents[incident] == taken


async def test_a_restart_and_a_rebuild_behind_a_burst_give_the_same(bench: Bench) -> None:
    await bench.desk.acknowledge(derived_id("incident", "btn-1 0"), actor="wang", command_id="c")
    await bench.desk.catch_up()
    before, length = dict(bench.store.incidents), bench.journal.last_position
    bench.desk = bench.new_desk()
    await bench.desk.load()
    await bench.desk.catch_up()
    assert bench.store.incidents == before
    await bench.desk.rebuild()
    assert (bench.store.incidents, bench.journal.last_position) == (before, length)


class CrowdedJournal(MemoryJournal):
    """Stores what else came in just before what is appended next."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.before: list[Event] = []

    async def append(self, event: Event) -> Stored:
        waiting, self.before = self.before, []
        for each in waiting:
            await super().append(each)
        return await super().append(event)


async def test_a_rebuild_agrees_on_what_came_in_just_before_a_command() -> None:
    clock = ManualClock()
    journal, store = CrowdedJournal(clock), MemoryStore()
    desk = IncidentDesk(journal, store, clock, lambda *_told: None)
    await desk.load()
    await journal.append(lost("gone", "cam-1"))
    await desk.catch_up()
    incident = derived_id("incident", "gone")
    journal.before = [restored("back", "cam-1")]
    await desk.acknowledge(incident, actor="wang", command_id="a")
    await desk.catch_up()
    before = dict(store.incidents)
    assert (before[incident].state, before[incident].active) == ("resolved", False)
    await desk.rebuild()
    assert store.incidents == before


async def test_a_rebuild_agrees_on_a_clearing_just_before_the_end() -> None:
    clock = ManualClock()
    journal, store = CrowdedJournal(clock), MemoryStore()
    desk = IncidentDesk(journal, store, clock, lambda *_told: None)
    await desk.load()
    await journal.append(lost("gone", "cam-1"))
    await desk.catch_up()
    incident = derived_id("incident", "gone")
    journal.before = [restored("back", "cam-1")]
    await desk.resolve(incident, actor="wang", command_id="r", verdict="genuine", force=True, reason="seen")
    await desk.catch_up()
    before = dict(store.incidents)
    await desk.rebuild()
    assert store.incidents == before


async def test_a_page_is_one_append_and_one_write_of_the_store(bench: Bench) -> None:
    await bench.desk.catch_up()
    assert sum(bench.journal.pages) == MANY + 1
    assert max(bench.journal.pages) <= 64
    assert len(bench.journal.pages) <= MANY // 64 + 1
    assert bench.store.writes <= MANY // 64 + 4


# --- the process dies in the middle of a page


async def _story(life: Life) -> None:
    """A page that opens, joins, hides, clears and begins a flood, and a second one behind it."""
    await life.do(life.load)
    await life.take(lost("cause", "power"))
    stuck = [press(f"u{number}", "btn-1") for number in range(12)]
    await life.take(*stuck[:6], lost("l1", "cam-1"), press("p1", "btn-2"), *stuck[6:], restored("r1", "cam-1"))
    losses = [lost(f"m{number}", f"dev-{number}") for number in range(7)]
    await life.take(*losses, press("p2", "btn-2"), restored("s1", "dev-1"), lost("l2", "cam-2"), press("p3", "btn-3"))
    await life.command("acknowledge", life.of("u0"))
    await life.take(*(press(f"t{number}", "btn-1") for number in range(5)))
    await life.catch_up()


def _meanings(life: Life) -> dict[str, tuple[Any, ...]]:
    """What was decided about each trigger."""
    return {
        each.event.trigger: (each.event.TYPE, each.event.incident, getattr(each.event, "count", 1))
        for each in life.ports.journal.stored
        if isinstance(each.event, IncidentOpened | IncidentRaisedAgain)
    }


@pytest.mark.parametrize(
    ("error", "after"), [(CrashError, False), (CrashError, True), (FullDiskError, False), (FullDiskError, True)]
)
async def test_a_fault_in_the_middle_of_a_page_neither_loses_nor_doubles(error: type[CrashError], after: bool) -> None:
    whole = Life()
    await _story(whole)
    expected, meanings = whole.outcome(), _meanings(whole)
    assert len(meanings) == 1 + 12 + 1 + 1 + 7 + 1 + 1 + 1 + 5
    for number in range(1, whole.ports.calls + 1):
        life = Life()
        life.ports.fail_at, life.ports.after, life.ports.error = number, after, error
        await _story(life)
        assert life.outcome() == expected, f"call {number}"
        assert _meanings(life) == meanings, f"call {number}"


async def test_a_page_that_was_stored_in_part_is_decided_to_its_end() -> None:
    """As an older gateway may have left it: it stored decisions one by one."""
    bench = Bench()
    await bench.desk.load()
    await bench.burst(40)
    _dies_after(bench.journal, 17)
    with pytest.raises(CrashError):
        await bench.desk.catch_up()
    assert bench.journal.last_position == 40 + 17
    bench.desk = bench.new_desk()
    await bench.desk.load()
    await bench.burst(1, "btn-2")
    await bench.desk.catch_up()
    again = [each.event for each in bench.journal.stored if isinstance(each.event, IncidentRaisedAgain)]
    assert [each.count for each in again] == list(range(2, 41))
    assert (bench.of("btn-1").count, bench.of("btn-2").count) == (40, 1)


def _dies_after(journal: MemoryJournal, count: int) -> None:
    """Let the next page be stored in part."""
    append: Callable[[Event], Awaitable[Stored]] = journal.append
    left = [count]

    async def dying(event: Event) -> Stored:
        left[0] -= 1
        if left[0] == -1:
            raise CrashError
        return await append(event)

    journal.append = dying  # type: ignore[method-assign]  # the process dies in the middle of its page
