"""A drill is one at a time, marks only the presses that it waits for, ends by itself, and reports times."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from unit.incidents.memory import MemoryJournal, MemoryStore, lost, press

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.events import ButtonPressed, DrillEnded, Event, IncidentResolved, PressKind
from gateway.incidents import BadCommandError, ConflictError, DrillDesk, IncidentDesk, NotFoundError
from gateway.storage import Stored


class Bench:
    """Drills beside a desk, over memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.journal = MemoryJournal(self.clock)
        self.desk = IncidentDesk(self.journal, MemoryStore(), self.clock)
        self.drills = self.new()

    def new(self) -> DrillDesk:
        names = {"btn-1": ("one", "gate"), "btn-2": ("two", "hall")}
        return DrillDesk(self.journal, self.clock, site="east", source="/site/east/gateway", device=names.get)

    async def press(self, name: str, device: str = "btn-1", kind: PressKind = PressKind.PRESS, **more: object) -> bool:
        """Whether the press was taken for the drill's."""
        event = replace(press(name, device, kind), **more)  # type: ignore[arg-type]  # fields of the caller's choice
        return (await self.drills.report(event, self.journal.append)).event.drill


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_without_a_drill_every_press_is_real(bench: Bench) -> None:
    assert await bench.press("p1") is False


async def test_only_the_first_loud_press_of_a_named_button_is_the_drills(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))
    assert await bench.press("s", kind=PressKind.SILENT) is False
    assert await bench.press("d", kind=PressKind.DURESS) is False
    assert await bench.press("late", late=True) is False
    assert await bench.press("other", "btn-2") is False
    assert await bench.press("p1") is True
    assert await bench.press("p1") is True  # the same press again
    assert await bench.press("p2") is False


async def test_a_drill_that_names_no_button_marks_no_press(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600)
    assert await bench.press("p1") is False


async def test_a_press_from_before_the_drill_stays_real_and_the_drill_waits_on(bench: Bench) -> None:
    assert await bench.press("p1") is False
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))
    assert await bench.press("p1") is False
    assert await bench.press("p2") is True


async def test_a_press_that_could_not_be_stored_is_waited_for_again(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))

    async def full(_event: Event) -> Stored:
        raise TransientError("the disk is full")

    with pytest.raises(TransientError):
        await bench.drills.report(press("p1"), full)
    assert await bench.press("p1") is True


async def test_one_at_a_time_and_who_began_it_is_told(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600)
    with pytest.raises(ConflictError, match="chief"):
        await bench.drills.start(actor="li", seconds=600)
    await bench.drills.end(actor="li")
    for act in (bench.drills.end(actor="li"), bench.drills.press("btn-1", actor="li", command_id="c")):
        with pytest.raises(ConflictError):
            await act


@pytest.mark.parametrize("seconds", [0, -5, 4 * 3600 + 1])
async def test_a_drill_has_an_end_within_hours(bench: Bench, seconds: float) -> None:
    with pytest.raises(BadCommandError):
        await bench.drills.start(actor="chief", seconds=seconds)


async def test_it_ends_by_itself_and_a_press_behind_its_time_is_real(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=60, devices=("btn-1",))
    running = asyncio.create_task(bench.drills.run())
    try:
        await asyncio.sleep(0)
        bench.clock.advance(60)
        assert await bench.press("p1") is False
        async with asyncio.timeout(5):
            while bench.drills.current is not None:
                await asyncio.sleep(0)
                bench.clock.advance(1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    ended = bench.journal.stored[-1].event
    assert isinstance(ended, DrillEnded)
    assert (ended.actor, ended.reason) == ("", "its time was over")


@pytest.mark.parametrize("jump", [0.0, 3600.0, -3600.0])
async def test_a_restart_goes_on_with_it_and_never_for_longer_than_it_was_to_be(bench: Bench, jump: float) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1", "btn-2"))
    await bench.press("p1")
    bench.clock.jump(jump)
    bench.drills = bench.new()
    await bench.drills.load()
    assert bench.drills.current is not None
    assert bench.drills.current.pressed == {"btn-1"}
    assert await bench.press("p2") is False
    assert await bench.press("p3", "btn-2") is (jump <= 0)
    bench.clock.advance(600)
    assert await bench.press("p4", "btn-2") is False


async def test_one_that_ended_does_not_come_back(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600)
    await bench.drills.end(actor="chief")
    bench.drills = bench.new()
    await bench.drills.load()
    assert bench.drills.current is None


async def test_the_report_tells_after_how_long_who_did_what(bench: Bench) -> None:
    drill = await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",), note="fire")
    await bench.press("p1")
    await bench.desk.catch_up()
    (incident,) = bench.desk.unresolved()
    for seconds, verb, more in [(4, "acknowledge", {}), (5, "dispatch", {"to": "patrol"})]:
        bench.clock.advance(seconds)
        await getattr(bench.desk, verb)(incident.id, actor="wang", command_id=verb, **more)
    await bench.press("r1", "btn-2")
    await bench.press("s1", "btn-2", PressKind.SILENT)
    await bench.desk.catch_up()
    ended = await bench.drills.end(actor="chief")
    await bench.desk.catch_up()
    drilled, real = await bench.drills.times(ended)
    assert (drilled["acknowledged"], drilled["dispatched"]) == (
        {"seconds": 4.0, "by": "wang"},
        {"seconds": 9.0, "by": "wang"},
    )
    assert (drilled["resolved"], real["resolved"]) == ({"seconds": 9.0, "by": ""}, None)  # it ended with the drill
    assert (drilled["drill"], real["drill"], drilled["name"]) == (True, False, "btn-1")
    (past,) = await bench.drills.past(5)
    assert (past.id, past.note, past.reason) == (drill.id, "fire", "ended by chief")
    assert past.until - past.started == timedelta(minutes=10)


async def test_a_press_that_turns_out_to_be_real_is_told_anew_once(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))
    await bench.press("p1")
    first, again = [await bench.drills.make_real("p1") for _ in range(2)]
    assert first == again
    assert isinstance(first.event, ButtonPressed)
    assert (first.event.drill, first.event.device, first.event.id != "p1") == (False, "btn-1", True)
    for wrong in (first.event.id, "nothing"):
        with pytest.raises(BadCommandError):
            await bench.drills.make_real(wrong)


async def test_a_drill_that_somebody_ends_at_its_last_moment_ends_no_task(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=60)
    append, go_on = bench.journal.append, asyncio.Event()

    async def slow(event: Event) -> Stored:
        await go_on.wait()
        return await append(event)

    bench.journal.append = slow  # type: ignore[method-assign]  # a disk that takes its time
    ending = asyncio.create_task(bench.drills.end(actor="chief"))
    await asyncio.sleep(0)
    bench.clock.advance(60)
    running = asyncio.create_task(bench.drills.run())
    await asyncio.sleep(0)
    go_on.set()
    await ending
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sum(isinstance(each.event, DrillEnded) for each in bench.journal.stored) == 1


async def test_faults_of_a_drills_time_are_no_alarms_in_its_report(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))
    await bench.journal.append(lost("l1", "btn-2"))
    await bench.press("p1")
    await bench.desk.catch_up()
    ended = await bench.drills.end(actor="chief")
    assert len(bench.desk.unresolved()) == 2
    assert [each["device"] for each in await bench.drills.times(ended)] == ["btn-1"]
    assert (await bench.drills.get(ended.id)).id == ended.id
    with pytest.raises(NotFoundError):
        await bench.drills.get("another")


async def test_what_ends_with_a_drill_ends_when_it_does(bench: Bench) -> None:
    await bench.drills.start(actor="chief", seconds=600, devices=("btn-1",))
    await bench.press("p1")
    await bench.desk.catch_up()
    bench.clock.advance(5)
    await bench.drills.end(actor="chief")
    await bench.desk.catch_up()
    over, resolved = (each.event for each in bench.journal.stored[-2:])
    assert isinstance(over, DrillEnded)
    assert isinstance(resolved, IncidentResolved)
    assert resolved.time == over.recorded
