"""Destinations over a real journal, and a receiver that speaks the protocol."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.forwarding.bench import SECRET, House, opened

from gateway.simulators.office import SimulatedOffice


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path / "state") as house:
        yield house


@pytest.fixture
async def office() -> AsyncIterator[SimulatedOffice]:
    async with SimulatedOffice(secret=SECRET) as office:
        yield office
