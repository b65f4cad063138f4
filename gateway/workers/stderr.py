"""Carries a child's log lines into the parent's log: bounded in length and rate, free of secrets."""

import asyncio
import json
import logging

from gateway.clock import Clock
from gateway.errors import redact

_LONGEST_LINE = 4000
_READ_BYTES = 64 * 1024
_LINES_PER_SECOND = 20.0
_BURST = 200.0


class LineGate:
    """Lets `_BURST` lines through at once and then `_LINES_PER_SECOND`; counts the others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowance = _BURST
        self._last = clock.monotonic()
        self._dropped = 0

    def passes(self) -> bool:
        """Whether one more line may pass now."""
        now = self._clock.monotonic()
        self._allowance = min(_BURST, self._allowance + (now - self._last) * _LINES_PER_SECOND)
        self._last = now
        if self._allowance < 1:
            self._dropped += 1
            return False
        self._allowance -= 1
        return True

    def take_dropped(self) -> int:
        """How many lines were held back since this was last asked."""
        dropped, self._dropped = self._dropped, 0
        return dropped


async def relay_lines(stream: asyncio.StreamReader, worker: str, log: logging.Logger, clock: Clock) -> None:
    """Log each line of `stream` under the child's name until it ends."""
    gate = LineGate(clock)
    rest = b""
    while data := await stream.read(_READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            _relay(line, worker, log, gate)
        rest = rest[:_LONGEST_LINE]
    if rest:
        _relay(rest, worker, log, gate)


def _relay(line: bytes, worker: str, log: logging.Logger, gate: LineGate) -> None:
    text = line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip()
    if not text or not gate.passes():
        return
    if dropped := gate.take_dropped():
        log.warning("%s: %d lines of its log were left out: too many", worker, dropped)
    level, message = read_line(text)
    log.log(level, "%s: %s", worker, redact(message))


def read_line(text: str) -> tuple[int, str]:
    """Level and text of one line: those of a JSON object with `level` and `event`, else a warning as it stands.

    What libraries write on stderr themselves is no JSON; it is a warning because it is never expected.
    """
    try:
        entry = json.loads(text)
        level = logging.getLevelNamesMapping()[str(entry["level"]).upper()]
        message = str(entry["event"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return logging.WARNING, text
    trace = entry.get("exception")
    return level, f"{message}\n{trace}" if trace else message
