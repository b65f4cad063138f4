"""What a child logs: its parent reads it, and no library's traceback about a camera's answer stands in it."""

import logging
from collections.abc import Iterator

import pytest

from gateway.vision.child import configure_logs


@pytest.fixture
def _as_before() -> Iterator[None]:
    root, library = logging.getLogger(), logging.getLogger("urllib3")
    handlers, levels = root.handlers[:], (root.level, library.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    library.setLevel(levels[1])


@pytest.mark.usefixtures("_as_before")
def test_a_header_that_the_library_cannot_read_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("devices-1")

    logging.getLogger("urllib3.connection").warning("Failed to parse headers", exc_info=ValueError("Co"))
    logging.getLogger("gateway.vision").warning("camera cam-01 is lost")

    told = capsys.readouterr().err
    assert "Failed to parse" not in told
    assert "camera cam-01 is lost" in told
