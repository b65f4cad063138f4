import asyncio
from pathlib import Path

import pytest

from gateway.clock import ManualClock, boot_id, wait_at_most


async def ticks(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_wait_ends_with_its_event_or_with_its_time() -> None:
    clock, event = ManualClock(), asyncio.Event()
    timed = asyncio.create_task(wait_at_most(clock, 30, event))
    await ticks()
    clock.advance(29)
    await ticks()
    assert not timed.done()
    clock.advance(1)
    await timed
    told = asyncio.create_task(wait_at_most(clock, 30, event))
    await ticks()
    event.set()
    await told


async def test_a_wait_that_is_cancelled_leaves_no_task() -> None:
    wait = asyncio.create_task(wait_at_most(ManualClock(), 30, asyncio.Event()))
    await ticks()
    wait.cancel()
    await asyncio.wait([wait])
    assert wait.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_a_boot_has_one_id_also_where_proc_does_not_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_BOOT_ID", raising=False)
    by_kernel = boot_id()
    assert by_kernel == boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    monkeypatch.setattr("gateway.clock._BOOT_ID", Path("/proc/hidden"))
    assert boot_id() != boot_id()
    monkeypatch.setenv("GATEWAY_BOOT_ID", by_kernel)
    assert boot_id() == by_kernel
