"""A simulated camera with quirks, and the client that asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from harness.onvif_bench import PASSWORD, Bench, Opened

from gateway.cameras import Login, OnvifCamera, OnvifLibrary, Timeouts
from gateway.clock import Clock
from gateway.simulators.camera import SimulatedCamera, write_test_recording


@pytest.fixture(scope="session")
def library() -> OnvifLibrary:
    return OnvifLibrary()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("items")
    main = write_test_recording(folder / "main.mp4", frames=12)
    return main, write_test_recording(folder / "sub.mp4", width=160, height=90, frames=12)


@pytest.fixture
def bench(recordings: tuple[Path, Path], library: OnvifLibrary) -> Bench:
    @asynccontextmanager
    async def opened(
        *quirks: str,
        username: str = "gate",
        password: str = PASSWORD,
        owner: str = "gate",
        fingerprint: str = "",
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
    ) -> AsyncIterator[Opened]:
        main, sub = recordings
        async with SimulatedCamera(main, sub=sub, username=owner, password=PASSWORD, quirks=quirks) as simulated:
            trusted = simulated.inside.fingerprint if fingerprint == "right" else fingerprint
            client = OnvifCamera(
                simulated.onvif_url,
                Login(username, password, trusted),
                library=library,
                clock=clock,
                timeouts=timeouts or Timeouts(2.0, 3.0 if "frozen" in quirks else 5.0, 20.0),
            )
            try:
                yield Opened(simulated, client)
            finally:
                await client.close()

    return opened
