"""Who is woken when the journal grows: who waits for the acknowledgement, then screens, then the other readers."""

import asyncio

import pytest

from gateway.storage.subscription import Subscription, Waiters


class Grown:
    """A journal of numbers."""

    def __init__(self) -> None:
        self.last = 0
        self.waiters = Waiters(lambda: self.last)
        self.told: list[str] = []

    def grow(self) -> None:
        self.last += 1
        self.waiters.wake_soon()

    async def read(self, name: str, *, first: bool = False) -> None:
        reached = await Subscription(self.waiters, lambda: self.last, first=first).wait(self.last)
        self.told.append(f"{name} {reached}")


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_an_acknowledgement_goes_out_before_any_reader_reads() -> None:
    grown = Grown()
    readers = [asyncio.create_task(grown.read("incidents")), asyncio.create_task(grown.read("screens", first=True))]
    await _turns(2)
    stored = asyncio.get_running_loop().create_future()

    def write_out() -> None:
        grown.told.append("acknowledged")

    async def handle() -> None:
        await stored

    handling = asyncio.create_task(handle())
    handling.add_done_callback(lambda _done: asyncio.get_running_loop().call_soon(write_out))
    await _turns(2)
    grown.grow()
    stored.set_result(None)
    await asyncio.gather(*readers)
    assert grown.told == ["acknowledged", "screens 1", "incidents 1"]


async def test_a_reader_that_comes_meanwhile_misses_nothing() -> None:
    grown = Grown()
    grown.grow()
    async with asyncio.timeout(5):
        assert await Subscription(grown.waiters, lambda: grown.last, first=False).wait(0) == 1
        await _turns(3)
        late = asyncio.create_task(grown.read("late"))
        await _turns(1)
        grown.grow()
        await late
    assert grown.told == ["late 2"]


@pytest.mark.parametrize("turns", range(9))
async def test_what_is_stored_at_any_turn_wakes_everybody(turns: int) -> None:
    grown = Grown()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for name in ("a", "b"):
            group.create_task(grown.read(name, first=name == "a"))
        await _turns(2)
        grown.grow()
        await _turns(turns)
        for name in ("c", "d"):
            group.create_task(grown.read(name, first=name == "c"))
        await _turns(2)
        grown.grow()
    assert sorted(each[0] for each in grown.told) == ["a", "b", "c", "d"]


async def test_who_gives_up_waiting_is_forgotten() -> None:
    grown = Grown()
    reader = asyncio.create_task(grown.read("gone"))
    await _turns(2)
    grown.grow()
    reader.cancel()
    await _turns(10)
    assert reader.cancelled()
    grown.grow()
    await _turns(10)


async def test_while_event_follows_event_a_reader_looks_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    grown, looks = Grown(), list[int]()

    async def follow() -> None:
        while True:
            await grown.read("follows")
            looks.append(grown.last)

    following = asyncio.create_task(follow())
    await _turns(2)
    for _ in range(5):
        grown.grow()
        await _turns(12)
    assert looks == [1]
    now[0] += 0.02
    await _turns(3)
    assert looks == [1, 5]
    following.cancel()
