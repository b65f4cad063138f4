"""Who is not acknowledged in time rises a level: after a restart, after a wall-clock jump, once per raise."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import ManualClock
from gateway.events import Severity
from gateway.incidents import EscalationClock
from gateway.storage import Incident

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LADDER = (30.0, 60.0, 120.0)


def incident(**more: object) -> Incident:
    known = Incident(
        id="i1",
        state="raised",
        severity=Severity.CRITICAL,
        kind="campus.button.pressed",
        source="s",
        subject="b",
        title="t",
        place="p",
        opened=START,
        updated=START,
        raised=START,
    )
    return replace(known, **more)  # type: ignore[arg-type]  # fields of the caller's choice


class Desk:
    """The part of the desk that the clock uses."""

    def __init__(self, *incidents: Incident) -> None:
        self.incidents = {each.id: each for each in incidents}
        self.changed = asyncio.Event()
        self.levels: list[tuple[str, int]] = []

    def unresolved(self) -> tuple[Incident, ...]:
        return tuple(self.incidents.values())

    async def escalate(self, incident: str, level: int, _reason: str) -> None:
        self.levels.append((incident, level))
        self.put(replace(self.incidents[incident], level=level))

    def put(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        self.changed.set()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def ticking(desk: Desk, clock: ManualClock) -> EscalationClock:
    return EscalationClock(desk, LADDER, clock)


async def test_it_rises_at_each_deadline_and_not_before(clock: ManualClock) -> None:
    desk = Desk(incident())
    escalation = ticking(desk, clock)
    for seconds, levels in [(0, 0), (29, 0), (1, 1), (29, 1), (1, 2), (59, 2), (1, 3), (9000, 3)]:
        clock.advance(seconds)
        await escalation.escalate_due()
        assert len(desk.levels) == levels
    assert desk.levels == [("i1", 1), ("i1", 2), ("i1", 3)]


async def test_it_says_when_the_next_one_is_due(clock: ManualClock) -> None:
    escalation = ticking(Desk(incident()), clock)
    clock.advance(12)
    assert await escalation.escalate_due() == pytest.approx(18)
    assert await ticking(Desk(), clock).escalate_due() == pytest.approx(30)


async def test_what_is_acknowledged_does_not_rise(clock: ManualClock) -> None:
    desk = Desk(incident(state="acknowledged"))
    clock.advance(500)
    await ticking(desk, clock).escalate_due()
    assert desk.levels == []


async def test_after_a_restart_the_time_that_passed_counts(clock: ManualClock) -> None:
    desk = Desk(incident(level=1))
    clock.advance(50)
    escalation = ticking(desk, clock)
    assert await escalation.escalate_due() == pytest.approx(10)
    clock.advance(10)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 2)]


async def test_after_a_long_stop_every_level_is_said_once(clock: ManualClock) -> None:
    desk = Desk(incident())
    clock.advance(86_400)
    await ticking(desk, clock).escalate_due()
    assert desk.levels == [("i1", 1), ("i1", 2), ("i1", 3)]


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_a_wall_clock_jump_changes_nothing(clock: ManualClock, jump: float) -> None:
    desk = Desk(incident())
    escalation = ticking(desk, clock)
    await escalation.escalate_due()
    clock.jump(jump)
    clock.advance(29)
    await escalation.escalate_due()
    assert desk.levels == []
    clock.advance(1)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


async def test_a_clock_that_went_back_before_a_restart_delays_by_one_ladder_at_most(clock: ManualClock) -> None:
    clock.jump(-3600)
    desk = Desk(incident())
    escalation = ticking(desk, clock)
    await escalation.escalate_due()
    clock.advance(30)
    await escalation.escalate_due()
    assert desk.levels == [("i1", 1)]


async def test_one_that_is_raised_again_counts_from_there(clock: ManualClock) -> None:
    desk = Desk(incident())
    escalation = ticking(desk, clock)
    await escalation.escalate_due()
    clock.advance(100)
    await escalation.escalate_due()
    desk.put(incident(count=2, raised=START + timedelta(seconds=100)))
    assert await escalation.escalate_due() == pytest.approx(30)
    assert [level for _id, level in desk.levels] == [1, 2]


async def test_it_wakes_for_a_new_incident(clock: ManualClock) -> None:
    desk = Desk()
    running = asyncio.create_task(ticking(desk, clock).run())
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
