"""A daemon whose wall clock a test moves, by libfaketime; its monotonic clock stays the machine's."""

from pathlib import Path

import pytest

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
needs_faketime = pytest.mark.skipif(not LIBRARY.exists(), reason="needs libfaketime (Debian: faketime)")


def environment_of(wall: Path) -> dict[str, str]:
    """What lets a process take the content of `wall`, such as ``+3600``, for the offset of its wall clock."""
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(wall),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a step of NTP leaves the monotonic clock alone
    }
