"""A child's log in the parent's: bounded, at its level, free of secrets."""

import asyncio
import json
import logging

import pytest

from gateway.clock import ManualClock
from gateway.workers.stderr import LineGate, read_line, relay_lines

LOG = logging.getLogger("test.relay")


async def relay(data: bytes, caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    caplog.set_level(logging.DEBUG)
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    await relay_lines(stream, "video-1", LOG, ManualClock())
    return caplog.records


async def test_a_json_line_keeps_its_level_and_loses_its_secret(caplog: pytest.LogCaptureFixture) -> None:
    line = json.dumps({"level": "error", "event": "rtsp://admin:p@ss@10.0.0.5/live is lost"})
    (record,) = await relay(line.encode() + b"\n", caplog)
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "video-1: rtsp://***@10.0.0.5/live is lost"


async def test_what_a_library_writes_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    records = await relay(b"[h264 @ 0x5] error while decoding\n\n\xff\xfe no newline at the end", caplog)
    assert [record.levelno for record in records] == [logging.WARNING, logging.WARNING]


async def test_a_flood_and_an_endless_line_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    records = await relay(b"x" * 1_000_000 + b"\n" + b"line\n" * 5000, caplog)
    assert len(records) == 200
    assert max(len(record.getMessage()) for record in records) < 4100


def test_the_gate_opens_again_and_says_what_it_held_back() -> None:
    clock = ManualClock()
    gate = LineGate(clock)
    passed = sum(gate.passes() for _ in range(300))
    clock.advance(5)
    assert passed == 200
    assert gate.passes()
    assert gate.take_dropped() == 100
    assert gate.take_dropped() == 0


@pytest.mark.parametrize(
    "text", ["[" * 4000, '{"a":' * 800, "[]", "{}", '{"level": "loud", "event": "x"}', '{"level": 3}', "null", "12"]
)
def test_other_json_is_text(text: str) -> None:
    assert read_line(text) == (logging.WARNING, text)
