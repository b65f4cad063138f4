"""Holes in the heap go back to the system, and what lies between them stays."""

import asyncio
import ctypes

import pytest

from gateway.vision.child.hardening import resident_megabytes
from gateway.vision.child.memory import give_memory_back

_BLOCK = 8_000  # below glibc's threshold for mappings, above Python's own pools


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="malloc_trim is glibc's")
async def test_free_memory_between_things_that_stay_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.vision.child.memory._FIRST_SECONDS", 0.0)
    blocks = [bytearray(_BLOCK) for _ in range(10_000)]
    kept = blocks[::50]
    blocks.clear()
    before = resident_megabytes()
    task = asyncio.create_task(give_memory_back())
    async with asyncio.timeout(10):
        while resident_megabytes() > before - 30:
            await asyncio.sleep(0.01)
    task.cancel()
    assert all(block == bytearray(_BLOCK) for block in kept)
