"""A device that chatters (ISA-18.2) fills no list, and no press is held back with what it chatters of."""

import json
from typing import Any

from harness.dialects import Bench

from gateway.events import ButtonCleared, ButtonPressed, ButtonTampered, Event, GatewayFault

OWN = "campus/east/button/btn-01"


async def say(bench: Bench, number: int, kind: str, after: float = 1) -> None:
    body: dict[str, Any] = {"id": f"n{number}", "type": kind}
    await bench.play({"topic": f"{OWN}/event", "payload": json.dumps(body), "after_seconds": after})


def kinds(bench: Bench) -> list[type[Event]]:
    return [type(each) for each in bench.events]


async def test_messages_of_tampering_without_end_are_two_events_and_one_fault() -> None:
    bench = Bench({"entry": {"dialect": "campus", "health_deadline_seconds": 3600}})
    await say(bench, 0, "clear")
    for number in range(1, 101):
        await say(bench, number, "tamper" if number % 2 else "clear")
    first = [ButtonCleared, ButtonTampered, ButtonCleared, ButtonTampered, ButtonCleared]
    assert kinds(bench) == [*first, GatewayFault]
    assert not bench.supervision.statuses()[0].tampered, "what was not told is known all the same"
    await say(bench, 200, "tamper")
    bench.clock.advance(301)
    await bench.settle()
    assert kinds(bench) == [*first, GatewayFault, ButtonTampered, GatewayFault]
    assert bench.supervision.statuses()[0].tampered


async def test_a_copy_of_a_message_is_no_chattering() -> None:
    bench = Bench({"entry": {"dialect": "campus", "health_deadline_seconds": 3600}})
    for _ in range(5):
        await say(bench, 1, "tamper")
    assert GatewayFault not in kinds(bench)
    assert len({each.id for each in bench.events}) == 1


async def test_no_press_is_held_back_and_its_end_neither() -> None:
    bench = Bench({"entry": {"dialect": "campus", "health_deadline_seconds": 3600}})
    for number in range(20):
        await say(bench, number, "tamper")
    before = len(bench.events)
    for number, kind in enumerate(("press", "silent", "duress") * 20, start=100):
        await say(bench, number, kind)
        await say(bench, 1000 + number, "tamper")
    presses = [each for each in bench.events if isinstance(each, ButtonPressed)]
    assert len({each.id for each in presses}) == 60
    assert len(bench.events) == before + 60
    await say(bench, 5000, "clear")
    assert kinds(bench)[-1] is ButtonCleared
    await say(bench, 5001, "tamper")
    await say(bench, 5002, "clear")
    assert len(bench.events) == before + 61, "the end of what was not told is not told"
