"""Old objects are searched in a quiet moment, and at the latest after an hour; never while presses come in."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from gateway.clock import ManualClock
from gateway.daemon.garbage import Garbage, set_aside, tame


class Searches:
    """Counts the collector's searches through the old objects."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        self.count += phase == "start" and info["generation"] == 2


@pytest.fixture
def searches() -> Iterator[Searches]:
    seen, before = Searches(), gc.get_threshold()
    tame()
    gc.collect()
    gc.callbacks.append(seen)
    try:
        yield seen
    finally:
        gc.callbacks.remove(seen)
        gc.set_threshold(*before)
        gc.unfreeze()


async def _pass(clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1.0)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_it_searches_in_the_first_quiet_moment(searches: Searches) -> None:
    clock, events = ManualClock(), [0]

    def position() -> int:
        events[0] += noisy
        return events[0]

    noisy = True
    task = asyncio.create_task(Garbage(clock, position).run())
    await _pass(clock, 700)
    assert searches.count == 0
    noisy = False
    await _pass(clock, 5)
    assert searches.count == 1
    task.cancel()


async def test_after_an_hour_without_quiet_it_searches_all_the_same(searches: Searches) -> None:
    clock, events = ManualClock(), iter(range(10**6))
    task = asyncio.create_task(Garbage(clock, lambda: next(events)).run())
    await _pass(clock, 600 + 3600 - 10)
    assert searches.count == 0
    await _pass(clock, 20)
    assert searches.count == 1
    task.cancel()


def test_the_young_only_are_searched_by_themselves(searches: Searches) -> None:
    kept = [[number] for number in range(500_000)]
    assert searches.count == 0
    assert kept


def test_what_was_set_aside_is_searched_no_more(searches: Searches) -> None:
    kept = [[number] for number in range(1000)]
    set_aside()
    assert gc.get_freeze_count() > len(kept)
