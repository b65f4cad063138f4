"""What a child logs: its parent reads it, and no library's traceback about a camera's answer stands in it."""

import logging
from collections.abc import Iterator

import pytest

from gateway.vision.child import configure_logs


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("urllib3", "zeep"))]
    handlers, levels = root.handlers[:], [each.level for each in loggers]
    yield
    root.handlers[:] = handlers
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)


@pytest.mark.usefixtures("_as_before")
def test_what_a_library_cannot_read_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("devices-1")

    logging.getLogger("urllib3.connection").warning("Failed to parse headers", exc_info=ValueError("Co"))
    logging.getLogger("zeep.xsd.elements.attribute").error("Error during translation", exc_info=ValueError("180-2"))
    logging.getLogger("gateway.vision").warning("camera cam-01 is lost")

    told = capsys.readouterr().err
    assert "Failed to parse" not in told
    assert "Error during" not in told
    assert "camera cam-01 is lost" in told
