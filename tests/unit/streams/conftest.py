"""Recordings that the tests of streams share."""

from pathlib import Path

import pytest
from fixtures_recordings import write_recording


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("streams") / "plain.mp4")


@pytest.fixture(scope="session")
def with_b_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("streams") / "b-frames.mp4", b_frames=2)


@pytest.fixture(scope="session")
def with_slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("streams") / "slices.mp4", slices=3)
