"""Appends to the journal's table: those of one commit in a few statements, as each one gives the interpreter away."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from gateway.events import Event
from gateway.storage.chain import chain_hash
from gateway.storage.faults import StorageFailedError
from gateway.storage.passing import type_of
from gateway.storage.scan import find_event, find_events
from gateway.storage.statements import load_statements
from gateway.storage.values import Stored

_SALT_BYTES = 16
_INSERT = load_statements("journal")["insert"].rstrip().rstrip(";")
_COLUMNS = _INSERT.count("?")
_ROW = f", ({', '.join('?' * _COLUMNS)})"
# Each has its prepared statement; 64 rows have 576 parameters, and SQLite takes 32,766 (§9 of its limits).
_AT_ONCE = {rows: _INSERT + _ROW * (rows - 1) for rows in (64, 16, 4, 1)}
_CHECK = "Run `campus-gateway audit verify`, and restore a backup."
_UNLESS_KNOWN = " ON CONFLICT (id) DO NOTHING"
_Values = tuple[object, ...]


@dataclass(slots=True)
class Head:
    """The newest event's position and hash."""

    position: int
    hash: bytes


class Appended(NamedTuple):
    """An event that is in the table, and whether it is so only now."""

    stored: Stored
    is_new: bool


class AppendedAll(list[Appended]):
    """What was appended together."""


class Insertion:
    """One append, run in the writer's thread; keeps the head in step.

    Args:
        head: moved behind what was inserted.
        event: as it is stored.
        body: it as JSON.
    """

    __slots__ = ("body", "event", "head")

    def __init__(self, head: Head, event: Event, body: bytes) -> None:
        self.head = head
        self.event = event
        self.body = body

    def __call__(self, connection: sqlite3.Connection) -> Appended:
        """Append it by itself; else as `together`."""
        reached = replace(self.head)
        row = _next_row(reached, self)
        if not _insert(connection, [row], _UNLESS_KNOWN):
            old = find_event(connection, self.event.id)
            if (
                old is None
            ):  # its index names a row that is not there: nothing was stored, and nothing may be said to be
                raise StorageFailedError("the journal knows an event that it does not have", remedy=_CHECK)
            return Appended(old, False)
        self.head.position, self.head.hash = reached.position, reached.hash
        return Appended(Stored(reached.position, self.event, self.body), True)

    @staticmethod
    def together(connection: sqlite3.Connection, insertions: Sequence["Insertion"]) -> list[Appended]:
        """Append in order; an event whose id is there already is not stored again, the old one is given.

        Raises:
            StorageFailedError: another program wrote to the table.
            sqlite3.Error: the file's; the head stays where it was, what was inserted is for the caller to undo.
        """
        if len(insertions) == 1:
            return [insertions[0](connection)]
        head = insertions[0].head
        known = find_events(connection, [each.event.id for each in insertions])
        reached, appended, rows = replace(head), list[Appended](), list[_Values]()
        for each in insertions:
            if (old := known.get(each.event.id)) is not None:
                appended.append(Appended(old, False))
                continue
            rows.append(_next_row(reached, each))
            stored = known[each.event.id] = Stored(reached.position, each.event, each.body)
            appended.append(Appended(stored, True))
        _insert(connection, rows)
        head.position, head.hash = reached.position, reached.hash
        return appended


class InsertionOfAll:
    """Several appends as one work."""

    __slots__ = ("_insertions",)

    def __init__(self, insertions: Sequence[Insertion]) -> None:
        self._insertions = insertions

    def __call__(self, connection: sqlite3.Connection) -> AppendedAll:
        """Append them in order, or none of them."""
        return AppendedAll(Insertion.together(connection, self._insertions) if self._insertions else ())


def _next_row(head: Head, insertion: Insertion) -> _Values:
    """The row of an event behind the head, which moves there."""
    event, body, salt = insertion.event, insertion.body, os.urandom(_SALT_BYTES)
    head.position += 1
    head.hash = chain_hash(head.hash, head.position, event.id, salt, body)
    time_us = int(event.time.timestamp() * 1e6)
    kind, severity = type_of(event), event.severity.value
    return head.position, event.id, kind, event.source, severity, time_us, salt, body, head.hash


def _insert(connection: sqlite3.Connection, rows: Sequence[_Values], unless: str = "") -> int:
    """Insert rows; how many there are more."""
    begun = inserted = 0
    try:
        for size, statement in _AT_ONCE.items():
            while len(rows) - begun >= size:
                values = tuple(chain.from_iterable(rows[begun : begun + size]))
                inserted += connection.execute(statement + unless, values).rowcount
                begun += size
    except sqlite3.IntegrityError:
        remedy = "Let one gateway alone have the state folder."
        raise StorageFailedError("another program wrote to the journal", remedy=remedy) from None
    return inserted
