"""Packets of many clients in turns: a flood waits for a press, never a press for a flood."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.alarms.turns import Turns


@dataclass(eq=False)
class Bench:
    """A clock that only work moves."""

    now: float = 0.0
    log: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def turn(self) -> list[str]:
        """What was taken in one turn of the loop."""
        begin = len(self.log)
        await asyncio.sleep(0)
        return self.log[begin:]


@dataclass(eq=False)
class Client:
    """Has so many packets, each of so many seconds."""

    bench: Bench
    name: str
    packets: int = 0
    seconds: float = 0.0001

    def take_packets(self, ends: float) -> bool:
        while self.packets:
            self.packets -= 1
            self.bench.now += self.seconds
            self.bench.log.append(self.name)
            if self.bench.now >= ends:
                break
        return self.packets > 0


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def turns(bench: Bench) -> Turns:
    return Turns(bench.clock)


async def test_who_has_little_to_say_is_heard_at_once(bench: Bench, turns: Turns) -> None:
    assert not turns.ask(Client(bench, "button", 2))
    assert bench.log == ["button"] * 2


async def test_a_flood_gets_a_slice_a_turn_and_is_heard_to_its_end(bench: Bench, turns: Turns) -> None:
    flood = Client(bench, "flood", 40)
    assert turns.ask(flood)
    assert bench.log == ["flood"] * 5
    assert 1 <= len(await bench.turn()) <= 4
    while flood.packets:
        await bench.turn()
    assert bench.log == ["flood"] * 40
    assert not turns.ask(flood)


async def test_a_press_overtakes_the_floods_that_wait(bench: Bench, turns: Turns) -> None:
    floods = [Client(bench, f"flood-{each}", 1000) for each in range(50)]
    for each in floods:
        turns.ask(each)
    while any(each.packets == 1000 for each in floods):
        await bench.turn()
    for number in range(100):
        turns.ask(Client(bench, f"button-{number}", 1))
        await bench.turn()
        assert f"button-{number}" in bench.log


async def test_in_one_turn_of_the_loop_newcomers_share_what_time_it_has(bench: Bench, turns: Turns) -> None:
    newcomers = [Client(bench, str(each), 1) for each in range(100)]
    waiting = [turns.ask(each) for each in newcomers]
    assert waiting.count(False) == 10
    while turns.ask(newcomers[-1]):
        assert len(await bench.turn()) <= 7
    assert bench.log == [each.name for each in newcomers]


async def test_one_that_fails_does_not_stop_the_others(bench: Bench, turns: Turns) -> None:
    class Broken(Client):
        def take_packets(self, ends: float) -> bool:
            raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        turns.ask(Broken(bench, "broken", 1))
    assert not turns.ask(Client(bench, "button", 1))


async def test_asking_again_while_it_is_heard_changes_nothing(bench: Bench, turns: Turns) -> None:
    class Eager(Client):
        def take_packets(self, ends: float) -> bool:
            assert not turns.ask(self)
            return super().take_packets(ends)

    turns.ask(Eager(bench, "eager", 3))
    assert bench.log == ["eager"] * 3
