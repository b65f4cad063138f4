"""Loop time is shared: who has spent its part waits, others do not."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

import pytest

from gateway.api.budget import Budget, Purse, Share, metered

_SHARE = Share(rate=0.1, burst_seconds=0.3)
_ALL = Share(rate=0.2, burst_seconds=0.6)


class HeldLoop:
    """A loop whose time a test moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.passes = 0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> None:
        heapq.heappush(self._due, (self.now + delay, next(self._order), callback))

    def call_soon(self, callback: Callable[[], None], /) -> None:
        self.call_later(0.0, callback)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _order, callback = heapq.heappop(self._due)
            self.passes += 1
            callback()
        self.now = until


def asking(budget: Budget, payer: str, cost: float, begun: list[str]) -> Callable[[], None]:
    def start() -> None:
        begun.append(payer)
        budget.charge(payer, cost)

    budget.ask(payer, start)
    return start


def test_a_purse_fills_to_its_burst_and_no_further() -> None:
    purse = Purse(_SHARE, 0.0)
    purse.take(0.5, 0.0)
    assert purse.wait(0.0) == pytest.approx(2.0)
    assert purse.left(1.0) == pytest.approx(-0.1)
    assert not purse.is_full(4.9)
    assert purse.left(1000.0) == pytest.approx(0.3)
    assert purse.is_full(1000.0)


def test_in_the_long_run_nobody_has_more_than_its_share() -> None:
    loop, begun = HeldLoop(), list[str]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    for _ in range(5000):
        asking(budget, "flood", 0.001, begun)
    loop.run(10.0)
    assert len(begun) == pytest.approx(10.0 * 0.1 / 0.001 + 0.3 / 0.001, abs=5)


def test_one_start_in_each_pass_leaves_room_for_presses() -> None:
    loop, begun = HeldLoop(), list[str]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    for _ in range(100):
        asking(budget, "burst", 0.001, begun)
    loop.run(0.001)
    assert len(begun) == 100
    assert loop.passes == 100


def test_a_flood_does_not_stand_before_another_address() -> None:
    loop, begun = HeldLoop(), list[str]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    for _ in range(5000):
        asking(budget, "flood", 0.001, begun)
    loop.run(5.0)
    asking(budget, "guard", 0.001, begun)
    loop.run(0.01)
    assert "guard" in begun


def test_many_addresses_have_their_common_share_in_turn() -> None:
    loop, begun = HeldLoop(), list[str]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    addresses = [f"a{number}" for number in range(20)]
    for _ in range(1000):
        for address in addresses:
            asking(budget, address, 0.001, begun)
    loop.run(10.0)
    assert len(begun) == pytest.approx(10.0 * 0.2 / 0.001 + 0.6 / 0.001, abs=5)
    counts = [begun.count(address) for address in addresses]
    assert max(counts) - min(counts) <= 1


def test_starts_of_one_payer_keep_their_order() -> None:
    loop, begun = HeldLoop(), list[int]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    for number in range(10):
        budget.ask("a", lambda number=number: begun.append(number))  # type: ignore[misc]  # bound by its default
    loop.run(1.0)
    assert begun == list(range(10))


def test_what_was_withdrawn_is_not_begun() -> None:
    loop, begun = HeldLoop(), list[str]()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    budget.withdraw("a", asking(budget, "a", 0.001, begun))
    asking(budget, "b", 0.001, begun)
    budget.withdraw("nobody", lambda: None)
    loop.run(1.0)
    assert begun == ["b"]


def test_purses_of_who_went_are_forgotten() -> None:
    loop = HeldLoop()
    budget = Budget(loop, each=_SHARE, together=_ALL)
    for number in range(5000):
        budget.charge(f"a{number}", 1e-6)
        loop.run(0.01)
    assert len(budget._purses) <= 1024


async def test_every_step_of_work_is_charged_and_its_errors_come_through() -> None:
    charges = list[float]()

    async def work() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        await metered(work(), charges.append)
    assert len(charges) == 3
    assert all(each >= 0 for each in charges)


async def test_work_can_be_cancelled_and_may_end_in_order() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.set()

    task = asyncio.create_task(metered(work(), lambda _seconds: None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_work_may_swallow_what_it_is_thrown() -> None:
    async def work() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        await asyncio.sleep(0)

    await metered(work(), lambda _seconds: None)
