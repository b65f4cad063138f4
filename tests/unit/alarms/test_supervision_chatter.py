"""A device that chatters: one fault, and what still stands is told again once it is quiet (ISA-18.2)."""

import pytest
from harness.supervision import Watch

from gateway.alarms.dialects.said import Health
from gateway.errors import TransientError
from gateway.events import BatteryLow, ButtonTampered, Cause, Event, GatewayFault

HOURLY = {"health_deadline_seconds": 3600}
_QUIET_LOOKS = 81


async def pass_quietly(watch: Watch) -> None:
    """More than five minutes in which the device lives and nothing comes."""
    for _ in range(_QUIET_LOOKS):
        await watch.timer.seen("a")
        await watch.pass_by(5, 5)


def faults(watch: Watch) -> list[tuple[str, bool]]:
    return [(each.fault, each.cleared) for each in watch.events if isinstance(each, GatewayFault)]


async def test_a_tamper_contact_that_chatters_is_one_fault_and_is_told_again_once_it_is_quiet() -> None:
    watch = Watch(a={"health_deadline_seconds": 3600})
    for number in range(101):
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
        watch.clock.advance(2)
    assert watch.kinds() == [ButtonTampered, ButtonTampered, GatewayFault]
    assert watch.timer.statuses()[0].troubles == ("device_chattering",)
    await watch.pass_by(290, 10)
    assert len(watch.events) == 3
    await watch.pass_by(20, 1)
    assert watch.kinds() == [ButtonTampered, ButtonTampered, GatewayFault, ButtonTampered, GatewayFault]
    assert faults(watch) == [("device_chattering", False), ("device_chattering", True)]
    last = watch.events[-1]
    assert isinstance(last, GatewayFault)
    assert last.figures == {"count": 49}
    assert watch.timer.statuses()[0].troubles == ()
    await watch.timer.health("a", Health(tamper=False))
    await watch.timer.health("a", Health(tamper=True))
    assert watch.kinds()[-1] is ButtonTampered


async def test_what_chattered_and_ended_well_is_not_told_again() -> None:
    watch = Watch(a={"health_deadline_seconds": 3600})
    for number in range(20):
        await watch.timer.health("a", Health(battery_low=number % 2 == 0))
    await watch.pass_by(310, 5)
    assert watch.kinds() == [BatteryLow, BatteryLow, GatewayFault, GatewayFault]


async def test_two_things_that_chatter_are_one_fault_and_a_trouble_counts_as_one() -> None:
    watch = Watch(a={"health_deadline_seconds": 3600})
    cause = Cause("stuck", "in the device's own words")
    for number in range(20):
        await watch.timer.trouble("a", cause, active=number % 2 == 0)
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
    told = [each for each in faults(watch) if each[0] != "stuck"]
    assert told == [("device_chattering", False)]
    assert faults(watch).count(("stuck", False)) == 2
    await watch.pass_by(310, 5)
    assert watch.timer.statuses()[0].troubles == ()
    assert faults(watch)[-1] == ("device_chattering", True)


async def test_a_device_that_told_twice_is_not_said_to_chatter() -> None:
    watch = Watch(a={"health_deadline_seconds": 3600})
    for number in range(8):
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
        watch.clock.advance(100)
    assert watch.kinds() == [ButtonTampered] * 4


async def test_chattering_that_a_restart_fell_into_ends_too() -> None:
    watch = Watch(a={})
    for number in range(9):
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
    again = watch.restarted()
    await again.timer.health("a", Health(tamper=False))
    await again.timer.health("a", Health(tamper=True))
    assert again.events == []
    for _ in range(62):
        await again.timer.seen("a")
        await again.pass_by(5, 5)
    assert again.kinds() == [ButtonTampered, GatewayFault]
    assert faults(again) == [("device_chattering", True)]


async def test_a_device_that_makes_up_troubles_is_no_storm() -> None:
    watch = Watch()
    for number in range(200):
        await watch.timer.trouble("a", Cause(f"alert/{number}", "made up"), active=True)
    for _ in range(100):
        await watch.timer.trouble("a", Cause("alert/0", "on and off"), active=False)
        await watch.timer.trouble("a", Cause("alert/0", "on and off"), active=True)
        await watch.timer.health("a", Health(tamper=True))
        await watch.timer.health("a", Health(tamper=False))
    assert [each for each in faults(watch) if not each[0].startswith("alert/")] == [("device_chattering", False)]
    assert len(watch.events) == 20 + 1
    assert len(watch.timer.statuses()[0].troubles) <= 16 + 1
    watch.clock.advance(61)
    await watch.timer.trouble("a", Cause("alert/1", "over"), active=False)
    assert len(watch.events) == 22


async def test_behind_a_restart_what_did_not_chatter_is_told_at_once() -> None:
    watch = Watch(a=HOURLY)
    for number in range(20):
        await watch.timer.health("a", Health(battery_low=number % 2 == 0))
        watch.clock.advance(1)
    again = watch.restarted()
    await again.timer.health("a", Health(tamper=True))
    assert again.kinds() == [ButtonTampered]
    await pass_quietly(again)
    assert [type(each) for each in again.events[1:]] == [GatewayFault], "that the battery is quiet"


async def test_tampering_that_was_not_told_and_stands_is_told_behind_a_restart() -> None:
    watch = Watch(a=HOURLY)
    for number in range(21):
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
        watch.clock.advance(1)
    again = watch.restarted()
    await pass_quietly(again)
    assert again.kinds() == [ButtonTampered, GatewayFault]


async def test_what_could_not_be_stored_when_it_grew_quiet_is_told_later() -> None:
    watch = Watch(a=HOURLY)
    for number in range(21):
        await watch.timer.health("a", Health(tamper=number % 2 == 0))
        watch.clock.advance(1)
    told = len(watch.events)
    report, full = watch.timer._report, [True]

    async def refuse_once(event: Event) -> None:
        if full.pop() if full else False:
            raise TransientError("the disk is full")
        await report(event)

    watch.timer._report = refuse_once
    watch.clock.advance(301)
    with pytest.raises(TransientError):
        await watch.timer.run()
    await watch.pass_by(10)
    assert watch.kinds()[told:] == [ButtonTampered, GatewayFault]
