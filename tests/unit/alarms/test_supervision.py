"""Supervision on clocks that the test holds: deadlines, restarts, flapping, batteries, tests that are due."""

import asyncio
from datetime import timedelta

import pytest
from harness.supervision import Watch
from pydantic import TypeAdapter

from gateway.alarms import DeviceMemory
from gateway.alarms.dialects.said import Health
from gateway.events import (
    BatteryLow,
    ButtonLost,
    ButtonPressed,
    ButtonRestored,
    ButtonTestDue,
    Event,
    GatewayFault,
    PressKind,
    new_id,
)


async def test_a_silent_button_is_lost_within_its_deadline_and_five_seconds() -> None:
    watch = Watch(a={"health_deadline_seconds": 30}, b={"health_deadline_seconds": 60})
    await watch.timer.seen("a")
    await watch.pass_by(29)
    assert watch.events == []
    await watch.pass_by(5)
    assert [(type(each), each.subject) for each in watch.events] == [(ButtonLost, "a")]


async def test_a_lost_button_is_said_once_and_its_return_once() -> None:
    watch = Watch(a={"health_deadline_seconds": 30})
    await watch.pass_by(500, 5)
    await watch.timer.seen("a")
    await watch.timer.seen("a")
    assert watch.kinds() == [ButtonLost, ButtonRestored]


async def test_a_jump_of_the_wall_clock_loses_no_button() -> None:
    watch = Watch(a={"health_deadline_seconds": 30})
    await watch.timer.seen("a")
    for jump in (3600, -7200, 86400 * 3):
        watch.clock.jump(jump)
        await watch.pass_by(5)
    assert watch.events == []


async def test_a_jump_of_the_wall_clock_saves_no_button() -> None:
    watch = Watch(a={"health_deadline_seconds": 30})
    watch.clock.jump(-3600)
    await watch.pass_by(35)
    assert watch.kinds() == [ButtonLost]


async def test_a_restart_says_no_lost_button_again_and_gives_the_others_their_whole_deadline() -> None:
    first = Watch(a={})
    await first.pass_by(200, 10)
    assert first.kinds() == [ButtonLost]
    first.clock.advance(3600)
    second = first.restarted()
    await second.pass_by(1000, 10)
    assert second.events == []
    assert second.timer.statuses()[0].lost
    await second.timer.seen("a")
    assert second.kinds() == [ButtonRestored]


async def test_a_restart_after_a_long_stop_is_no_storm_of_losses() -> None:
    first = Watch(None, **{f"b{n}": {} for n in range(50)})
    for number in range(50):
        await first.timer.seen(f"b{number}")
    first.clock.advance(86400)
    second = Watch(first.clock, **{f"b{n}": {} for n in range(50)})
    second.timer.restore(list(first.timer.memories().values()), [])
    await second.pass_by(170, 10)
    assert second.events == []


async def test_what_was_reported_behind_the_last_writing_is_read_from_the_journal() -> None:
    first = Watch(a={})
    written = list(first.timer.memories().values())
    await first.pass_by(200, 10)
    second = Watch(first.clock, a={})
    second.timer.restore(written, first.events)
    await second.pass_by(1000, 10)
    assert second.events == []
    assert second.timer.statuses()[0].lost


async def test_a_battery_that_is_low_is_said_once_also_across_a_restart() -> None:
    watch = Watch()
    for percent in (25.0, 19.0, 18.0, 21.0, 17.0):
        await watch.timer.health("a", Health(battery=percent))
    again = watch.restarted()
    await again.timer.health("a", Health(battery=16.0))
    assert watch.kinds() + again.kinds() == [BatteryLow]
    await again.timer.health("a", Health(battery=95.0))
    await again.timer.health("a", Health(battery=15.0))
    assert again.kinds() == [BatteryLow]


async def test_a_battery_that_only_says_low_has_no_percentage() -> None:
    watch = Watch()
    await watch.timer.health("a", Health(battery_low=True))
    event = watch.events[0]
    assert isinstance(event, BatteryLow)
    assert event.battery is None


async def test_a_battery_has_a_trend_and_days_left_and_a_new_battery_begins_anew() -> None:
    watch = Watch()
    for day in range(10):
        await watch.timer.health("a", Health(battery=90.0 - 2 * day))
        watch.clock.advance(86400)
    status = watch.timer.statuses()[0]
    assert status.battery_trend == -14.0
    assert status.battery_days_left == 36
    await watch.timer.health("a", Health(battery=100.0))
    assert watch.timer.statuses()[0].battery_trend is None


async def test_flapping_is_one_fault_and_not_a_storm() -> None:
    watch = Watch(a={"health_deadline_seconds": 10})
    for _ in range(60):
        await watch.timer.seen("a")
        await watch.pass_by(15, 5)
    faults = [each for each in watch.events if isinstance(each, GatewayFault)]
    assert [(each.fault, each.cleared) for each in faults] == [("device_flapping", False)]
    assert watch.kinds().count(ButtonLost) <= 5
    assert watch.timer.statuses()[0].flapping


async def test_a_flapping_button_that_stays_away_is_lost() -> None:
    watch = Watch(a={"health_deadline_seconds": 60})
    for _ in range(10):
        await watch.timer.state("a", online=False)
        await watch.timer.seen("a")
        watch.clock.advance(1)
    assert watch.kinds() == [GatewayFault]
    await watch.pass_by(65)
    assert watch.kinds() == [GatewayFault, ButtonLost]


async def test_a_flapping_button_that_stays_is_said_to_be_well_again() -> None:
    watch = Watch(a={"health_deadline_seconds": 60})
    for _ in range(5):
        await watch.timer.state("a", online=False)
        await watch.timer.seen("a")
    for _ in range(40):
        await watch.timer.seen("a")
        await watch.pass_by(10, 5)
    told = [(each.fault, each.cleared) for each in watch.events if isinstance(each, GatewayFault)]
    assert told == [("device_flapping", False), ("device_flapping", True)]
    assert not watch.timer.statuses()[0].flapping
    assert not watch.timer.statuses()[0].lost


async def test_flapping_that_a_restart_fell_into_is_cleared_too() -> None:
    watch = Watch(a={})
    for _ in range(5):
        await watch.timer.state("a", online=False)
    again = watch.restarted()
    assert again.timer.statuses()[0].flapping
    for _ in range(40):
        await again.timer.seen("a")
        await again.pass_by(10, 5)
    assert [each.cleared for each in again.events if isinstance(each, GatewayFault)] == [True]


async def test_a_press_test_is_due_once_until_somebody_presses() -> None:
    day = 86400.0
    watch = Watch(a={"press_test_days": 7, "health_deadline_seconds": 31 * day})
    await watch.pass_by(6.9 * day, day / 10)
    assert ButtonTestDue not in watch.kinds()
    await watch.pass_by(3 * day, day / 4)
    assert watch.kinds().count(ButtonTestDue) == 1
    assert watch.timer.statuses()[0].test_due
    press = ButtonPressed(id=new_id(), source="s", subject="a", time=watch.clock.now(), device="a")
    watch.timer.told(press)
    assert not watch.timer.statuses()[0].test_due
    await watch.pass_by(6 * day, day / 4)
    assert watch.kinds().count(ButtonTestDue) == 1


def pressed(watch: Watch, kind: PressKind) -> ButtonPressed:
    return ButtonPressed(id=new_id(), source="s", subject="a", time=watch.clock.now(), device="a", kind=kind)


@pytest.mark.parametrize("kind", [PressKind.SILENT, PressKind.DURESS])
async def test_a_discreet_press_leaves_what_every_screen_shows_as_it_was(kind: PressKind) -> None:
    day = 86400.0
    watch = Watch(a={"press_test_days": 7, "health_deadline_seconds": 31 * day})
    watch.timer.told(pressed(watch, PressKind.PRESS))
    loud = watch.clock.now()
    await watch.pass_by(6 * day, day / 4)
    watch.timer.told(pressed(watch, kind))
    status = watch.timer.statuses()[0]
    assert (status.last_press, status.last_loud_press) == (watch.clock.now(), loud)
    await watch.pass_by(2 * day, day / 4)
    assert watch.kinds().count(ButtonTestDue) == 1
    watch.timer.told(pressed(watch, kind))
    assert watch.timer.statuses()[0].test_due


@pytest.mark.parametrize("kind", list(PressKind))
def test_a_restart_recalls_of_a_press_what_each_may_know(kind: PressKind) -> None:
    watch = Watch()
    press = pressed(watch, kind)
    watch.timer.restore([], [press])
    (status,) = watch.timer.statuses()
    assert status.last_press == press.time
    assert status.last_loud_press == (press.time if kind is PressKind.PRESS else None)


async def test_a_button_that_speaks_while_its_loss_is_stored_is_not_left_lost() -> None:
    watch = Watch(a={"health_deadline_seconds": 10})
    gate = asyncio.Event()

    async def slow(event: Event) -> None:
        if isinstance(event, ButtonLost):
            await gate.wait()
        watch.events.append(event)

    watch.timer._report = slow
    task = asyncio.create_task(watch.timer.run(), name="supervision")
    await watch._settle()
    watch.clock.advance(11)
    await watch._settle()
    await watch.timer.seen("a")
    gate.set()
    await watch._settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watch.kinds() == [ButtonLost, ButtonRestored]
    assert not watch.timer.statuses()[0].lost


async def test_a_bridge_that_is_back_says_nothing_of_the_button() -> None:
    watch = Watch(a={"health_deadline_seconds": 60})
    await watch.timer.seen("a")
    await watch.timer.state("a", online=False, bridge=True)
    await watch.timer.state("a", online=True, bridge=True)
    await watch.pass_by(30)
    assert watch.events == []
    await watch.timer.state("a", online=False, bridge=True)
    await watch.pass_by(5)
    lost = watch.events[0]
    assert isinstance(lost, ButtonLost)
    assert lost.reason == "bridge"
    await watch.timer.state("a", online=True, bridge=True)
    assert watch.timer.statuses()[0].lost


async def test_a_sleeper_that_is_offline_is_not_lost() -> None:
    watch = Watch(a={"sleeps": True, "health_deadline_seconds": 3600})
    await watch.timer.seen("a")
    await watch.timer.state("a", online=False)
    await watch.pass_by(60, 5)
    assert watch.events == []


async def test_heard_for_counts_from_the_last_gap() -> None:
    watch = Watch(a={"health_deadline_seconds": 30})
    assert watch.timer.heard_for("a") == 0
    await watch.timer.seen("a")
    await watch.pass_by(20)
    assert watch.timer.heard_for("a") == 20
    await watch.pass_by(20)
    assert watch.timer.heard_for("a") == 0
    await watch.timer.seen("a")
    await watch.pass_by(5)
    assert watch.timer.heard_for("a") == 5


def test_a_memory_outlives_its_json() -> None:
    watch = Watch()
    memory = next(iter(watch.timer.memories().values()))
    adapter = TypeAdapter(DeviceMemory)
    assert adapter.validate_json(adapter.dump_json(memory)) == memory
    assert watch.clock.now() - memory.since < timedelta(seconds=1)
