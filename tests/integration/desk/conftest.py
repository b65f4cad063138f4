"""The desk over real storage."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.desk.bench import Bench, opened


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path / "state") as bench:
        yield bench
