"""Takes over what can be read of a damaged journal: its newest events, as far as their hash chain proves them whole."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from gateway.storage.chain import GENESIS, chain_hash
from gateway.storage.damage import words_of, wrong_header
from gateway.storage.database import open_reader, open_writer
from gateway.storage.statements import load_statements

MOST = 10_000
_STEPS = (0, 64, 1024)
_SQL = load_statements("journal")
_NO_BOUND = 2**63 - 1
_log = logging.getLogger(__name__)
Row = tuple[Any, ...]


def salvage(damaged: Path, fresh: Path, seen: int) -> tuple[int, int]:
    """Copy the newest events of a damaged journal into a fresh one, under their positions, ids and hashes.

    A destination that has not got them yet gets them, and a button that sends one again is answered with the old one.
    Only an unbroken run of events is taken, at most 10,000; whatever goes wrong, there are fewer of them or none.

    Args:
        damaged: the file, put aside; it is only read.
        fresh: the file that is made in its place.
        seen: the highest position that is known from elsewhere; below it is looked, too, if the end cannot be read.

    Returns:
        the first and the last position that was taken over; 0 and 0 if none was.
    """
    try:
        rows = _newest_whole(damaged, seen)[::-1]
        if not rows:
            return 0, 0
        with closing(open_writer(fresh, "journal")) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_SQL["insert"], rows)
    except Exception as error:  # what a damaged file gives is anybody's guess, and presses wait for this start
        _log.error("nothing of %s is taken over: %s", damaged, error)
        return 0, 0
    return int(rows[0][0]), int(rows[-1][0])


def _newest_whole(damaged: Path, seen: int) -> list[Row]:
    """From new to old; a file without a sound header is not shown to SQLite, which would change it."""
    if wrong_header(damaged):
        return []
    for bound in (_NO_BOUND, *(seen - step for step in _STEPS if seen > step)):
        if run := _run(list(_readable(damaged, bound))):
            return run
    return []


def _readable(damaged: Path, bound: int) -> Iterator[Row]:
    """Rows from new to old, up to the first that cannot be read."""
    try:
        with closing(open_reader(damaged)) as connection:
            yield from connection.execute(_SQL["newest"], (bound, MOST))
    except sqlite3.Error as error:
        _log.warning("%s: %s", damaged.name, words_of(error))


def _run(rows: list[Row]) -> list[Row]:
    """The first unbroken run: each event's hash follows from the event before it."""
    run: list[Row] = []
    for row, before in pairwise([*rows, None]):
        if row is not None and _follows(row, before):
            run.append(row)
        elif run:
            break
    return run


def _follows(row: Row, before: Row | None) -> bool:
    previous = before[-1] if before is not None else GENESIS
    position, identity, *_, salt, body, digest = row
    try:
        return bool(chain_hash(previous, position, identity, salt, body) == digest)
    except (TypeError, AttributeError, OverflowError):  # a value of another kind than was written
        return False
