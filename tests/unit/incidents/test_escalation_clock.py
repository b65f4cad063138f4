"""Who waits too long rises: after a restart, after a wall-clock jump, once per raise; at once where nobody hears."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from unit.incidents.memory import START, incident

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.events import Severity
from gateway.incidents import EscalationClock, Patience
from gateway.storage import Deadline, Incident, Shelf

PATIENCE = Patience(emergency=(30.0, 60.0, 120.0), warning=(60.0, 180.0), acknowledged=180.0, unattended_level=2)


class Desk:
    """The part of the desk that the clock uses."""

    def __init__(self, *incidents: Incident) -> None:
        self.incidents = {each.id: each for each in incidents}
        self.changed = asyncio.Event()
        self.levels: list[tuple[str, int]] = []
        self.reasons: list[tuple[str, bool]] = []
        self.ended: list[str] = []

    def unresolved(self) -> tuple[Incident, ...]:
        return tuple(self.incidents.values())

    async def escalate(self, incident: str, level: int, reason: str, *, unattended: bool = False) -> None:
        self.levels.append((incident, level))
        self.reasons.append((reason, unattended))
        self.put(replace(self.incidents[incident], level=level))

    async def time_out(self, incident: str) -> None:
        self.ended.append(f"{incident} timed out")

    async def end_shelf(self, incident: str) -> None:
        self.ended.append(f"{incident} unshelved")

    async def end_flood(self) -> None:
        pass

    def put(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self.changed.set()


class Store:
    """Keeps deadlines in memory, as the store does over restarts."""

    def __init__(self) -> None:
        self.kept: dict[str, Deadline] = {}
        self.full = False

    async def deadlines(self) -> list[Deadline]:
        return list(self.kept.values())

    async def keep_deadlines(self, begun: Sequence[Deadline], over: Sequence[str]) -> None:
        if self.full:
            raise TransientError("no room")
        self.kept |= {each.incident: each for each in begun}
        for each in over:
            self.kept.pop(each, None)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def store() -> Store:
    return Store()


Start = Callable[..., EscalationClock]


@pytest.fixture
def start(clock: ManualClock, store: Store) -> Start:
    def make(desk: Desk, **more: Any) -> EscalationClock:
        patience = more.pop("patience", PATIENCE)
        return EscalationClock(desk, store, clock, patience, boot=more.pop("boot", "boot-1"), **more)

    return make


async def test_it_rises_at_each_deadline_and_not_before(start: Start, clock: ManualClock) -> None:
    desk = Desk(incident())
    escalation = start(desk)
    for seconds, levels in [(0, 0), (29, 0), (1, 1), (29, 1), (1, 2), (59, 2), (1, 3), (9000, 3)]:
        clock.advance(seconds)
        await escalation.escalate_due()
        assert len(desk.levels) == levels
    assert desk.levels == [("i1", 1), ("i1", 2), ("i1", 3)]
    assert [unattended for _reason, unattended in desk.reasons] == [False, True, True]


async def test_a_warning_has_a_ladder_of_its_own(start: Start, clock: ManualClock) -> None:
    desk = Desk(incident(severity=Severity.HIGH, kind="campus.face.matched"))
    escalation = start(desk)
    for seconds, levels in [(0, 0), (59, 0), (1, 1), (119, 1), (1, 2), (9000, 2)]:
        clock.advance(seconds)
        await escalation.escalate_due()
        assert len(desk.levels) == levels


async def test_it_says_when_the_next_look_is_due(start: Start, clock: ManualClock) -> None:
    clock.advance(12)
    assert await start(Desk(incident(level=2)), patience=replace(PATIENCE, emergency=(1, 2, 30))).escalate_due() == 18
    assert await start(Desk()).escalate_due() == 30


@pytest.mark.parametrize("state", ["acknowledged", "dispatched"])
async def test_what_is_taken_does_not_rise(start: Start, clock: ManualClock, state: str) -> None:
    desk = Desk(incident(state=state))
    clock.advance(500)
    await start(desk).escalate_due()
    assert desk.levels == []


async def test_a_loss_that_is_over_does_not_rise(start: Start, clock: ManualClock) -> None:
    desk = Desk(incident(severity=Severity.HIGH, kind="campus.button.lost", active=False))
    clock.advance(500)
    await start(desk).escalate_due()
    assert desk.levels == []


async def test_acknowledged_and_nobody_sent_times_out(start: Start, clock: ManualClock) -> None:
    desk = Desk(incident(state="acknowledged", acknowledged=START))
    escalation = start(desk)
    for seconds, ended in [(0, 0), (179, 0), (1, 1)]:
        clock.advance(seconds)
        await escalation.escalate_due()
        assert len(desk.ended) == ended
    clock.advance(9000)
    never = Desk(incident(state="acknowledged", acknowledged=START))
    await start(never, patience=replace(PATIENCE, acknowledged=0.0)).escalate_due()
    assert never.ended == []


async def test_what_is_shelved_comes_back_at_its_time_and_does_not_rise(start: Start, clock: ManualClock) -> None:
    shelf = Shelf(START + timedelta(hours=2), START, "wang", "workers")
    desk = Desk(incident(severity=Severity.HIGH, shelf=shelf))
    escalation = start(desk)
    for seconds, ended in [(0, 0), (7199, 0), (1, 1)]:
        clock.advance(seconds)
        await escalation.escalate_due()
        assert len(desk.ended) == ended
    assert desk.levels == []


# --- who hears


async def test_an_emergency_that_no_post_can_hear_is_unattended_at_once(start: Start) -> None:
    desk = Desk(incident(), incident(id="i2", discreet=True), incident(id="w", severity=Severity.HIGH))
    await start(desk, attended=lambda _incident: False).escalate_due()
    assert desk.levels == [("i1", 2), ("i2", 2)], "one event each, which tells the level that it reached"
    assert desk.reasons == [("no live post with sound", True), ("no live post that may show it", True)]


async def test_the_last_post_that_leaves_is_noticed_within_seconds(start: Start, clock: ManualClock) -> None:
    there = True
    desk = Desk(incident())
    escalation = start(desk, attended=lambda _incident: there)
    assert await escalation.escalate_due() <= 2
    there = False
    clock.advance(2)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 2)]


@pytest.mark.parametrize(("waited", "level", "reason"), [(60, 2, "no live post with sound"), (120, 3, "not ack")])
async def test_what_waited_and_is_heard_by_nobody_rises_once(
    start: Start, clock: ManualClock, waited: float, level: int, reason: str
) -> None:
    clock.advance(waited)
    desk = Desk(incident())
    await start(desk, attended=lambda _incident: False).escalate_due()
    assert desk.levels == [("i1", level)]
    assert desk.reasons[0][0].startswith(reason)


async def test_what_has_risen_by_its_wait_already_rises_by_what_is_missing(start: Start, clock: ManualClock) -> None:
    clock.advance(40)
    desk = Desk(incident(level=1))
    escalation = start(desk, attended=lambda _incident: False)
    assert await escalation.escalate_due() == 30
    assert desk.levels == [("i1", 2)]
    clock.advance(80)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 2), ("i1", 3)]


async def test_a_site_can_do_without(start: Start) -> None:
    desk = Desk(incident())
    patience = replace(PATIENCE, unattended_level=0)
    await start(desk, attended=lambda _incident: False, patience=patience).escalate_due()
    assert desk.levels == []


# --- restarts and clocks that jump


async def test_after_a_restart_the_time_that_passed_counts(start: Start, clock: ManualClock) -> None:
    await start(Desk(incident())).escalate_due()
    clock.advance(50)
    desk = Desk(incident(level=1))
    escalation = start(desk)
    assert await escalation.escalate_due() <= 10
    clock.advance(10)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 2)]


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_a_wall_clock_jump_changes_nothing(start: Start, clock: ManualClock, jump: float) -> None:
    desk = Desk(incident())
    escalation = start(desk)
    await escalation.escalate_due()
    clock.jump(jump)
    clock.advance(29)
    await escalation.escalate_due()
    assert desk.levels == []
    clock.advance(1)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_nor_does_it_while_the_gateway_is_down(start: Start, clock: ManualClock, jump: float) -> None:
    await start(Desk(incident())).escalate_due()
    clock.jump(jump)
    clock.advance(20)
    desk = Desk(incident())
    escalation = start(desk)
    await escalation.escalate_due()
    assert desk.levels == []
    clock.advance(10)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_what_is_new_after_a_jump_waits_its_whole_time(start: Start, clock: ManualClock, jump: float) -> None:
    """The journal's moment and the wall clock are of two times; the clock cannot have waited longer than it runs."""
    desk = Desk()
    escalation = start(desk)
    await escalation.escalate_due()
    clock.advance(5)
    desk.put(incident(raised=clock.now()))
    clock.jump(jump)
    await escalation.escalate_due()
    clock.advance(24)
    await escalation.escalate_due()
    assert desk.levels == []
    clock.advance(6)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


async def test_after_a_restart_of_the_machine_the_wall_clock_is_asked(start: Start, clock: ManualClock) -> None:
    await start(Desk(incident())).escalate_due()
    clock.advance(45)
    desk = Desk(incident())
    await start(desk, boot="boot-2").escalate_due()
    assert desk.levels == [("i1", 1)]


@pytest.mark.parametrize(("jump", "levels"), [(-3600.0, 0), (86_400.0, 3)])
async def test_but_never_believed_for_more_than_one_wait(
    start: Start, clock: ManualClock, jump: float, levels: int
) -> None:
    await start(Desk(incident())).escalate_due()
    clock.jump(jump)
    desk = Desk(incident())
    escalation = start(desk, boot="boot-2")
    await escalation.escalate_due()
    assert desk.levels == ([("i1", levels)] if levels else [])
    clock.advance(120)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 3)]


async def test_since_when_it_waits_is_kept_later_if_the_disk_is_full(
    start: Start, clock: ManualClock, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.full = True
    desk = Desk(incident())
    escalation = start(desk)
    await escalation.escalate_due()
    assert "not kept" in caplog.text
    store.full = False
    clock.advance(1)
    await escalation.escalate_due()
    assert store.kept["i1"].monotonic == clock.monotonic() - 1
    desk.incidents.clear()
    await escalation.escalate_due()
    assert store.kept == {}


async def test_one_that_is_raised_again_counts_from_there(start: Start, clock: ManualClock) -> None:
    desk = Desk(incident(level=3))
    escalation = start(desk)
    await escalation.escalate_due()
    clock.advance(100)
    await escalation.escalate_due()
    desk.put(incident(count=2, raised=START + timedelta(seconds=100)))
    await escalation.escalate_due()
    clock.advance(29)
    await escalation.escalate_due()
    assert desk.levels == []
    clock.advance(1)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


async def test_it_wakes_for_a_new_incident(start: Start, clock: ManualClock) -> None:
    desk = Desk()
    running = asyncio.create_task(start(desk).run())
    try:
        await asyncio.sleep(0)
        desk.put(incident())
        async with asyncio.timeout(5):
            while not desk.levels:
                clock.advance(10)
                for _ in range(5):
                    await asyncio.sleep(0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert desk.levels[0] == ("i1", 1)
