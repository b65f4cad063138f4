"""Relays and looks: tried again, undone after their time, and replaced by newer ones."""

import asyncio
from dataclasses import dataclass, field

from gateway.clock import ManualClock
from gateway.errors import TransientError
from gateway.vision.devices.commands import Commands
from gateway.wire import LookAt, SwitchRelay


@dataclass
class Camera:
    """Fails as often as it is told to."""

    failures: int = 0
    done: list[str] = field(default_factory=list)

    async def switch(self, relay: str, *, on: bool) -> None:
        self._do(f"{relay} {'on' if on else 'off'}")

    async def look_at(self, preset: str) -> None:
        self._do(f"look {preset}")

    def _do(self, what: str) -> None:
        if self.failures:
            self.failures -= 1
            raise TransientError("busy")
        self.done.append(what)


async def passes(clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(1)
    for _ in range(5):
        await asyncio.sleep(0)


def relay(*, on: bool = True, seconds: float = 20) -> SwitchRelay:
    return SwitchRelay(camera="c", relay="r1", on=on, seconds=seconds)


async def test_a_relay_goes_off_after_its_time() -> None:
    camera, clock = Camera(), ManualClock()
    commands = Commands(clock)
    commands.switch(camera, relay())
    await passes(clock, 19)
    assert camera.done == ["r1 on"]
    await passes(clock, 2)
    assert camera.done == ["r1 on", "r1 off"]


async def test_a_busy_camera_is_told_again_and_given_up_in_the_end() -> None:
    camera, clock = Camera(failures=3), ManualClock()
    commands = Commands(clock)
    commands.switch(camera, relay(on=False))
    await passes(clock, 10)
    assert camera.done == ["r1 off"]
    camera.failures = 99
    commands.switch(camera, relay(on=False))
    await passes(clock, 60)
    assert camera.failures == 94


async def test_a_newer_command_takes_the_place_of_the_one_before() -> None:
    camera, clock = Camera(), ManualClock()
    commands = Commands(clock)
    commands.switch(camera, relay(seconds=20))
    await passes(clock, 10)
    commands.switch(camera, relay(seconds=20))
    await passes(clock, 15)
    assert camera.done == ["r1 on", "r1 on"], "the first one's end does not switch off the second"
    commands.switch(camera, relay(on=False))
    await passes(clock, 30)
    assert camera.done == ["r1 on", "r1 on", "r1 off"]


async def test_a_look_goes_back_only_where_there_is_a_home() -> None:
    camera, clock = Camera(), ManualClock()
    commands = Commands(clock)
    commands.look(camera, LookAt(camera="c", preset="2", back="1", seconds=30))
    await passes(clock, 31)
    commands.look(camera, LookAt(camera="c", preset="3", back="", seconds=30))
    await passes(clock, 40)
    assert camera.done == ["look 2", "look 1", "look 3"]


async def test_closing_ends_what_is_under_way() -> None:
    camera, clock = Camera(), ManualClock()
    commands = Commands(clock)
    commands.look(camera, LookAt(camera="c", preset="2", back="1", seconds=20))
    await passes(clock, 1)
    await commands.close()
    await passes(clock, 30)
    assert camera.done == ["look 2"]


async def test_what_is_on_is_switched_off_at_the_end() -> None:
    """Nobody else would: its time is kept here."""
    camera, clock = Camera(), ManualClock()
    commands = Commands(clock)
    commands.switch(camera, relay())
    commands.switch(camera, SwitchRelay(camera="d", relay="r2", on=True, seconds=20))
    commands.switch(camera, SwitchRelay(camera="c", relay="r3", on=False, seconds=20))
    await passes(clock, 2)
    await commands.close("c")
    assert camera.done == ["r1 on", "r2 on", "r3 off", "r1 off"]
    await commands.close()
    assert camera.done[4:] == ["r2 off"]
    await commands.close()
    assert len(camera.done) == 5
