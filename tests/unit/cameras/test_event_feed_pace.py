"""The feed's pace: a press is heard at once, a broken camera is not asked without end."""

import asyncio

import pytest
from harness.feed_bench import GONE, SILENT, Port, fed

from gateway.cameras.eventing.notices import Notice
from gateway.cameras.soap import FaultError
from gateway.clock import ManualClock


async def test_no_free_slot_is_waited_for_with_growing_pauses() -> None:
    port = Port(ManualClock(), failing_subscribe=[FaultError(("Action",), "too many")] * 100)
    async with fed(port) as (_ends, passes):
        await passes(600)
        assert 8 <= port.calls.count("subscribe") <= 25


async def test_a_camera_that_is_away_for_days_is_heard_again() -> None:
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 1100)
    async with fed(port) as (ends, _passes):
        for _ in range(1200):
            for _ in range(6):
                await asyncio.sleep(0)
            port.clock.advance(100)
        assert not port.failing_subscribe
        assert ends.taken


async def test_an_empty_answer_at_once_is_healthy_and_no_tight_loop() -> None:
    port = Port(ManualClock(), pull_takes=0.0)
    async with fed(port) as (ends, passes):
        await passes(10)
        assert ends.losses == []
        assert port.calls.count("pull") <= 101


async def test_messages_without_end_are_no_tight_loop() -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),)] * 100_000)
    async with fed(port) as (ends, passes):
        await passes(10)
        assert ends.losses == []
        assert 10 <= port.calls.count("pull") <= 201


async def _settled() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


async def test_a_press_right_behind_another_event_waits_for_nothing() -> None:
    port = Port(ManualClock(), pulls=[*[(Notice("motion"),)] * 3, (Notice("press"),)])
    async with fed(port) as (ends, _passes):
        await _settled()
        assert [each.topic for notices in ends.taken for each in notices] == ["motion"] * 3 + ["press"]


async def test_a_camera_that_answers_at_once_for_ever_is_soon_asked_twenty_times_a_second_again() -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),)] * 1000)
    async with fed(port):
        for _ in range(20):
            await _settled()
            port.clock.advance(0.05)
        assert 20 <= port.calls.count("pull") <= 30


@pytest.mark.parametrize(("pulls_before", "at_once"), [(3, True), (0, False)])
async def test_a_subscription_that_had_lived_is_made_anew_at_once(pulls_before: int, at_once: bool) -> None:
    port = Port(ManualClock(), pulls=[*[()] * pulls_before, GONE])
    async with fed(port) as (ends, _passes):
        for _ in range(pulls_before):
            await _settled()
            port.clock.advance(10)
        await _settled()
        assert ends.losses == ["gone"]
        port.clock.advance(0.1)
        await _settled()
        assert (port.calls.count("subscribe") == 2) is at_once


async def test_a_camera_that_forgets_each_subscription_soon_is_not_asked_at_once_for_ever() -> None:
    port = Port(ManualClock(), pulls=[GONE] * 100)
    async with fed(port):
        for _ in range(200):
            await _settled()
            port.clock.advance(0.05)
        assert port.calls.count("subscribe") <= 8


async def test_a_subscription_that_dies_again_and_again_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    port = Port(ManualClock(), pulls=[(Notice("a"),), GONE] * 100)
    async with fed(port) as (ends, passes):
        await passes(60)
        assert len(ends.losses) > 10
        assert [record.getMessage() for record in caplog.records] == ["events of camera: gone"]


async def test_a_camera_that_was_away_for_an_hour_is_heard_seconds_after_it_is_back() -> None:
    """Its contact may close as soon as it is there; what refuses is left in peace for longer."""
    port = Port(ManualClock(), failing_subscribe=[SILENT] * 100_000)
    async with fed(port) as (_ends, passes):
        await passes(3600)
        port.failing_subscribe.clear()
        await passes(5)
        assert port.calls[-1] == "pull"
