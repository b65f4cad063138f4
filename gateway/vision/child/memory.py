"""Gives memory that nothing uses back to the system: glibc's heap keeps it otherwise, between things that stay.

What a model leaves behind when it is built, and pictures that came and went among the packets of the last seconds, make
holes; a child's heap grew with them for a quarter of an hour.
"""

import asyncio
import ctypes
from collections.abc import Callable

_FIRST_SECONDS = 10.0
_EVERY_SECONDS = 60.0


async def give_memory_back() -> None:
    """Give back what is free once the child has begun its work, and each minute, for ever; pages in use stay."""
    trim = _trimmer()
    await asyncio.sleep(_FIRST_SECONDS)
    while True:
        await asyncio.to_thread(trim)
        await asyncio.sleep(_EVERY_SECONDS)


def _trimmer() -> Callable[[], object]:
    """malloc_trim(3) with no reserve; nothing where the C library is another one."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return lambda: None
    trim.argtypes = [ctypes.c_size_t]
    return lambda: trim(0)
