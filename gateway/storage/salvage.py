"""Takes over what can be read of a damaged journal: its newest events, as far as their hash chain proves them whole."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gateway.storage.chain import GENESIS, chain_hash
from gateway.storage.damage import words_of, wrong_header
from gateway.storage.database import open_reader, open_writer
from gateway.storage.patched_copy import FIRST_PAGE, HEADER, patched_copy
from gateway.storage.statements import load_statements

MOST = 10_000
_STEPS = (0, 64, 1024)
_SQL = load_statements("journal")
_NO_BOUND = 2**63 - 1
_log = logging.getLogger(__name__)
Row = tuple[Any, ...]
Run = tuple[list[Row], bytes]  # from old to new, and the hash before


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken over of a damaged journal; the first and the last position are 0 if nothing was.

    Attributes:
        before: the hash of the event before the first.
    """

    first: int = 0
    last: int = 0
    before: bytes = GENESIS


def salvage(damaged: Path, fresh: Path, seen: int) -> Taken:
    """Copy the newest events of a damaged journal into a fresh one, under their positions, ids and hashes.

    A destination that has not got them yet gets them, and a button that sends one again is answered with the old one.
    Only an unbroken run of events is taken, at most 10,000; whatever goes wrong, there are fewer of them or none.

    Args:
        damaged: the file, put aside; it is only read.
        fresh: the file that is made in its place.
        seen: the highest position that is known from elsewhere; below it is looked, too, if the end cannot be read.

    """
    try:
        rows, before = _newest_whole(damaged, seen)
        if not rows:
            return Taken()
        with closing(open_writer(fresh, "journal")) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_SQL["insert"], rows)
    except Exception as error:  # what a damaged file gives is anybody's guess, and presses wait for this start
        _log.error("nothing of %s is taken over: %s", damaged, error)
        return Taken()
    return Taken(int(rows[0][0]), int(rows[-1][0]), before)


def _newest_whole(damaged: Path, seen: int) -> Run:
    """A file without a sound header is not shown to SQLite, which would change it: a patched copy is."""
    wrong = wrong_header(damaged)
    if not wrong and (found := _newest_of(damaged, seen))[0]:
        return found
    for length in (HEADER, FIRST_PAGE) if wrong else (FIRST_PAGE,):
        with patched_copy(damaged, "journal", length) as copy:
            if copy is not None and (found := _newest_of(copy, seen))[0]:
                return found
    return [], GENESIS


def _newest_of(file: Path, seen: int) -> Run:
    for bound in (_NO_BOUND, *(seen - step for step in _STEPS if seen > step)):
        if (found := _run(list(_readable(file, bound))))[0]:
            return found
    return [], GENESIS


def _readable(damaged: Path, bound: int) -> Iterator[Row]:
    """Rows from new to old, up to the first that cannot be read."""
    try:
        with closing(open_reader(damaged)) as connection:
            yield from connection.execute(_SQL["newest"], (bound, MOST))
    except sqlite3.Error as error:
        _log.warning("%s: %s", damaged.name, words_of(error))


def _run(rows: list[Row]) -> Run:
    """The first unbroken run of rows from new to old: each event's hash follows from the event before it."""
    run: list[Row] = []
    for row, before in pairwise([*rows, None]):
        if row is not None and _follows(row, before):
            run.append(row)
        elif run:
            return run[::-1], row[-1] if row is not None else GENESIS
    return run[::-1], GENESIS


def _follows(row: Row, before: Row | None) -> bool:
    previous = before[-1] if before is not None else GENESIS
    position, identity, *_, salt, body, digest = row
    try:
        return bool(chain_hash(previous, position, identity, salt, body) == digest)
    except (TypeError, AttributeError, OverflowError):  # a value of another kind than was written
        return False
