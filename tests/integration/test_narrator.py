"""The log of the running gateway: a press is told at once, of a storm a few lines and how many more there were."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.daemon.narrator import Narrator
from gateway.events import ButtonPressed, new_id
from gateway.settings import StorageSettings
from gateway.storage import Journal


async def test_a_storm_costs_the_log_a_few_lines_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.daemon.narrator")
    clock = ManualClock()
    journal = await Journal.open(tmp_path, clock=clock, settings=StorageSettings(directory=tmp_path))
    telling = asyncio.create_task(Narrator(journal, clock).run())
    await asyncio.sleep(0)

    async def press() -> None:
        source = "/site/east/button/btn-01"
        await journal.append(
            ButtonPressed(id=new_id(), source=source, subject="btn-01", time=clock.now(), device="btn-01")
        )

    async def lines(count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(caplog.records) < count:
                await asyncio.sleep(0.005)
        return [each.getMessage() for each in caplog.records]

    await press()
    told = "button btn-01 was pressed (press)"
    assert await lines(1) == [told]
    for _ in range(50):
        await press()
    assert await lines(1) == [told]
    clock.advance(0.2)
    assert await lines(22) == [*[told] * 21, "and 30 more; the journal has them all"]
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await journal.close()
