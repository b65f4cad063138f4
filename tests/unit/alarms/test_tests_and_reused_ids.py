"""A test takes no press's id: a press that bears it is heard, and the test's own press that comes again is no alarm."""

import json
from datetime import timedelta
from typing import Any

import pytest
from harness.dialects import Bench

from gateway.events import (
    ButtonCleared,
    ButtonEvent,
    ButtonPressed,
    ButtonTampered,
    ButtonTested,
    Event,
    GatewayFault,
    Severity,
    derived_id,
)
from gateway.incidents import is_discreet

OWN = "campus/east/button/btn-01/event"
SOURCE = "/site/east/button/btn-01"


def own() -> Bench:
    return Bench({"entry": {"dialect": "campus"}})


def at(bench: Bench, seconds: float) -> str:
    return (bench.clock.now() + timedelta(seconds=seconds)).isoformat()


async def say(bench: Bench, body: dict[str, Any], *, after: float = 0) -> None:
    await bench.play({"topic": OWN, "payload": json.dumps({"type": "press"} | body), "after_seconds": after})


def kept(bench: Bench, kind: type[ButtonEvent] = ButtonEvent) -> list[ButtonEvent]:
    """What the journal has: each id once."""
    return list({each.id: each for each in reversed(bench.events) if isinstance(each, kind)}.values())[::-1]


def kinds(bench: Bench) -> list[type[Event]]:
    return [type(each) for each in kept(bench)]


def faults(bench: Bench) -> list[str]:
    return [each.fault for each in bench.events if isinstance(each, GatewayFault)]


async def pressed_in_a_test(bench: Bench, body: dict[str, Any], *, trial: str = "walk-1") -> None:
    """A test waits, is pressed, and ends."""
    bench.listener.trials.arm("btn-01", trial, 600)
    await say(bench, body)
    bench.listener.trials.disarm(trial)


def restarted(bench: Bench) -> Bench:
    """The next run of the gateway, with the journal of the one before."""
    after = own()
    after.clock.advance((bench.clock.now() - after.clock.now()).total_seconds())
    after.events += kept(bench)
    after.listener.restore([], [], [each for each in after.events if isinstance(each, ButtonPressed | ButtonTested)])
    return after


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"seq": 10}, {"seq": 11}),
        ({"at": -50}, {"at": 40}),
        ({"at": -1}, {"at": 2}),
        ({"seq": 1, "at": 0}, {"seq": 1, "at": 3}),
    ],
)
async def test_a_press_under_the_id_of_a_test_is_heard_and_said(
    first: dict[str, int], second: dict[str, int], restart: bool
) -> None:
    bench = own()
    said: list[dict[str, Any]] = [
        {"id": "1"} | {name: at(bench, value) if name == "at" else value for name, value in each.items()}
        for each in (first, second)
    ]
    await pressed_in_a_test(bench, said[0])
    if restart:
        bench = restarted(bench)
    for _ in range(2):
        await say(bench, said[1], after=3)
    assert kinds(bench) == [ButtonTested, ButtonPressed]
    assert "press_id_reused" in faults(bench)
    answered = json.loads(bench.answers[-1].payload)["event"]
    assert answered == kept(bench, ButtonPressed)[0].id == derived_id(SOURCE, "press", "1"), "as without the test"


async def test_a_second_press_under_the_id_of_a_test_is_heard_while_the_test_goes_on() -> None:
    bench = own()
    bench.listener.trials.arm("btn-01", "walk-1", 600)
    await say(bench, {"id": "1", "seq": 10})
    await say(bench, {"id": "1", "seq": 11}, after=2)
    assert kinds(bench) == [ButtonTested, ButtonPressed]


async def test_each_of_three_presses_after_a_test_is_heard() -> None:
    bench = own()
    await pressed_in_a_test(bench, {"id": "1", "seq": 10})
    for number in (11, 12, 13):
        await say(bench, {"id": "1", "seq": number}, after=60)
    assert kinds(bench) == [ButtonTested, ButtonPressed, ButtonPressed, ButtonPressed]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("body", [{"id": "1"}, {"id": "1", "seq": 4}, {"seq": 4, "boot": 2}])
async def test_what_cannot_be_told_from_a_copy_is_an_alarm_once_copies_come_no_more(
    body: dict[str, Any], restart: bool
) -> None:
    bench = own()
    await pressed_in_a_test(bench, body)
    if restart:
        bench = restarted(bench)
    for seconds in (50, 50, 19):
        await say(bench, body, after=seconds)
    assert kinds(bench) == [ButtonTested]
    await say(bench, body, after=2)
    assert kinds(bench) == [ButtonTested, ButtonPressed], "two minutes after the test, however often it came again"


async def test_a_counter_that_never_moves_is_heard_two_minutes_after_the_test() -> None:
    bench = own()
    await pressed_in_a_test(bench, {"seq": 1})
    for _ in range(4):
        await say(bench, {"seq": 1}, after=29)
    assert kinds(bench) == [ButtonTested]
    await say(bench, {"seq": 1}, after=29)
    assert kinds(bench) == [ButtonTested, ButtonPressed]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "body", [{"id": "1"}, {"id": "1", "seq": 4, "at": 0}, {"seq": 4, "boot": 2}, {"seq": 4, "at": 0}]
)
async def test_the_press_of_a_test_that_comes_again_is_no_alarm(body: dict[str, Any], restart: bool) -> None:
    bench = own()
    body = {name: at(bench, value) if name == "at" else value for name, value in body.items()}
    bench.listener.trials.arm("btn-01", "walk-1", 600)
    await say(bench, body)
    await say(bench, body, after=30)
    bench.listener.trials.disarm("walk-1")
    await say(bench, body, after=1)
    if restart:
        bench = restarted(bench)
    await say(bench, body, after=80)
    assert kinds(bench) == [ButtonTested]
    assert faults(bench) == []


async def test_it_is_no_test_of_the_next_one_either() -> None:
    bench = own()
    await pressed_in_a_test(bench, {"id": "1", "seq": 4})
    bench.listener.trials.arm("btn-01", "walk-2", 600)
    await say(bench, {"id": "1", "seq": 4}, after=30)
    assert [getattr(each, "trial", "") for each in kept(bench)] == ["walk-1"]
    assert bench.listener.trials.waits_for("btn-01") == "walk-2"


async def test_a_test_under_the_id_of_a_press_is_a_test_with_an_event_of_its_own() -> None:
    bench = own()
    await say(bench, {"id": "9", "seq": 1})
    bench.listener.trials.arm("btn-01", "trip", 600)
    await say(bench, {"id": "9", "seq": 2}, after=200)
    stored = await bench.listener.trials.wait("btn-01", 0.1)
    assert kinds(bench) == [ButtonPressed, ButtonTested]
    assert stored == kept(bench, ButtonTested)[0].id
    assert faults(bench) == ["press_id_reused"]
    bench.listener.trials.disarm("trip")
    await say(bench, {"id": "9", "seq": 2}, after=1)
    assert kinds(bench) == [ButtonPressed, ButtonTested]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_press_that_comes_again_is_no_test(restart: bool) -> None:
    """It was sent before the test waited, so that the button is still to be pressed."""
    bench = own()
    await say(bench, {"id": "1", "seq": 4})
    if restart:
        bench = restarted(bench)
    bench.listener.trials.arm("btn-01", "walk-1", 600)
    await say(bench, {"id": "1", "seq": 4}, after=5)
    assert kinds(bench) == [ButtonPressed]
    assert await bench.listener.trials.wait("btn-01", 0.01) is None
    await say(bench, {"id": "1", "seq": 5}, after=5)
    assert kinds(bench) == [ButtonPressed, ButtonTested]


async def test_a_button_that_has_one_id_only_is_tested_in_each_walk_test() -> None:
    bench = own()
    for number in range(3):
        await pressed_in_a_test(bench, {"id": "1"}, trial=f"walk-{number}")
        bench.clock.advance(3600)
    assert [getattr(each, "trial", "") for each in kept(bench)] == ["walk-0", "walk-1", "walk-2"]


async def test_a_test_that_an_older_gateway_stored_under_the_id_of_its_press_hides_no_press() -> None:
    bench = own()
    old = ButtonTested(
        id=derived_id(SOURCE, "press", "1"),
        source=SOURCE,
        subject="btn-01",
        time=bench.clock.now(),
        device="btn-01",
        press_id="1",
        trial="walk-0",
    )
    bench.events.append(old)
    bench.clock.advance(3600)
    for _ in range(2):
        await say(bench, {"id": "1"}, after=1)
    assert kinds(bench) == [ButtonTested, ButtonPressed]
    assert "press_id_reused" in faults(bench)


@pytest.mark.parametrize("restart", [False, True])
async def test_a_counter_that_is_said_again_and_again_after_a_test_is_no_alarm(restart: bool) -> None:
    """Shelly Gen1 publishes its inputs anew every half minute."""
    topic, body = "shellies/btn-01/input_event/0", '{"event": "S", "event_cnt": 7}'
    bench = Bench({"entry": {"dialect": "shelly1"}})
    bench.listener.trials.arm("btn-01", "walk-1", 600)
    await bench.play({"topic": topic, "payload": body})
    bench.listener.trials.disarm("walk-1")
    if restart:
        before, bench = bench, Bench({"entry": {"dialect": "shelly1"}})
        bench.events += before.events
        bench.listener.restore([], [], before.events)
    for _ in range(10):
        await bench.play({"topic": topic, "payload": body, "after_seconds": 30})
    assert kinds(bench) == [ButtonTested]
    await bench.play({"topic": topic, "payload": '{"event": "S", "event_cnt": 8}', "after_seconds": 1})
    assert kinds(bench) == [ButtonTested, ButtonPressed]


async def test_another_input_and_another_kind_of_press_are_heard() -> None:
    bench = Bench({"entry": {"dialect": "tasmota"}})
    bench.listener.trials.arm("btn-01", "walk-1", 600)
    for number in (1, 2):
        body = json.dumps({f"Button{number}": {"Action": "SINGLE"}})
        await bench.play({"topic": "stat/btn-01/RESULT", "payload": body})
    assert kinds(bench) == [ButtonTested, ButtonPressed]
    bench = own()
    await pressed_in_a_test(bench, {"id": "1"})
    await say(bench, {"id": "1", "type": "duress"}, after=1)
    assert kinds(bench) == [ButtonTested, ButtonPressed]


@pytest.mark.parametrize(
    ("name", "kind"), [("clear", ButtonCleared), ("tamper", ButtonTampered), ("test", ButtonTested)]
)
@pytest.mark.parametrize(
    ("first", "second"),
    [({"seq": 1}, {"seq": 2}), ({"at": -300}, {"at": 0}), ({"seq": 1, "at": -3}, {"seq": 2, "at": 0})],
)
async def test_an_id_that_comes_again_hides_no_clear_no_tampering_and_no_test(
    name: str, kind: type[ButtonEvent], first: dict[str, int], second: dict[str, int]
) -> None:
    bench = own()
    for each in (first, second, second):
        fields = {field: at(bench, value) if field == "at" else value for field, value in each.items()}
        await say(bench, {"type": name, "id": "1"} | fields)
    assert kinds(bench) == [kind, kind]
    assert "press_id_reused" in faults(bench)


async def test_a_clear_that_comes_again_is_one() -> None:
    bench = own()
    for _ in range(2):
        await say(bench, {"type": "clear", "id": "1", "seq": 4, "at": "2026-11-23T08:00:00Z"}, after=30)
    assert kinds(bench) == [ButtonCleared]
    assert faults(bench) == []


async def test_a_counter_that_begins_anew_under_one_id_hides_no_press_of_the_next_day() -> None:
    """Without `at`, the second day's counts are those of the first; its ids are known to be used again."""
    bench = own()
    for day in range(3):
        for number in (1, 2, 2):
            await say(bench, {"id": "1", "seq": number}, after=5)
        assert len(kept(bench, ButtonPressed)) == 2 * (day + 1)
        bench.clock.advance(86_400)


async def test_the_newest_press_under_a_reused_id_that_comes_again_late_is_the_same_and_that_is_said() -> None:
    bench = own()
    for number, seconds in ((1, 0), (2, 5), (2, 700)):
        await say(bench, {"id": "1", "seq": number}, after=seconds)
    assert kinds(bench) == [ButtonPressed, ButtonPressed]
    last = bench.events[-1]
    assert isinstance(last, GatewayFault)
    assert (last.reason, last.severity) == ("press_id_repeated", Severity.HIGH)


async def test_an_end_is_silent_only_if_every_press_before_it_was() -> None:
    bench = own()
    ends = []
    for kinds_pressed in (["silent"], ["silent", "press"], ["press", "duress"], ["press"], ["duress", "silent"], []):
        for kind in kinds_pressed:
            await say(bench, {"type": kind}, after=5)
        await say(bench, {"type": "clear"}, after=5)
        ends.append(is_discreet(kept(bench, ButtonCleared)[-1]))
    assert ends == [True, False, False, False, True, True]


@pytest.mark.parametrize("kind", ["silent", "duress"])
async def test_the_end_of_a_silent_press_is_answered_at_the_place_no_more_than_the_press(kind: str) -> None:
    bench = own()
    for body in ({"type": kind}, {"type": "clear"}, {"type": "clear"}):
        await say(bench, body, after=5)
    assert bench.answers == []
    await say(bench, {"type": "press"}, after=5)
    await say(bench, {"type": "clear"}, after=5)
    assert len(bench.answers) == 2
