"""The queries over the journal's rows; what is damaged among them is an `UnreadableEvent`."""

import json
import sqlite3
from collections.abc import Sequence

from gateway.storage.unreadable import COLUMNS, stored_of
from gateway.storage.values import EventFilter, Stored


def find_event(connection: sqlite3.Connection, event_id: str) -> Stored | None:
    """The event of that id."""
    row = connection.execute(f"SELECT {COLUMNS} FROM event WHERE id = ?", (event_id,)).fetchone()  # noqa: S608  # fixed
    return stored_of(row) if row else None


def find_events(connection: sqlite3.Connection, event_ids: Sequence[str]) -> dict[str, Stored]:
    """Those of these ids that are there, by id."""
    query = f"SELECT id, {COLUMNS} FROM event WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608  # fixed
    return {identity: stored_of(tuple(row)) for identity, *row in connection.execute(query, (json.dumps(event_ids),))}


def scan_at(connection: sqlite3.Connection, positions: Sequence[int]) -> list[Stored]:
    """The events at these very positions, in their order; one that is not there is left out."""
    query = f"SELECT {COLUMNS} FROM event WHERE position = ?"  # noqa: S608  # fixed
    rows = (connection.execute(query, (position,)).fetchone() for position in positions)
    return [stored_of(row) for row in rows if row is not None]


def _conditions(wanted: EventFilter | None) -> tuple[str, list[object]]:
    clauses, values = ["1"], list[object]()
    if wanted is None:
        return "1", values
    if wanted.types:
        clauses.append("(" + " OR ".join("type GLOB ?" for _ in wanted.types) + ")")
        values += [each + "*" if each.endswith(".") else each for each in wanted.types]
    if wanted.severities:
        clauses.append(f"severity IN ({', '.join('?' for _ in wanted.severities)})")
        values += [each.value for each in wanted.severities]
    if wanted.source is not None:
        clauses.append("source = ?")
        values.append(wanted.source)
    for bound, operator in ((wanted.since, ">="), (wanted.until, "<=")):
        if bound is not None:
            clauses.append(f"time_us {operator} ?")
            values.append(int(bound.timestamp() * 1e6))
    return " AND ".join(clauses), values


def scan(connection: sqlite3.Connection, after: int, limit: int, wanted: EventFilter | None) -> list[Stored]:
    """Events behind a position whose columns pass the filter, in order."""
    clause, values = _conditions(wanted)
    query = f"SELECT {COLUMNS} FROM event WHERE position > ? AND {clause} ORDER BY position LIMIT ?"  # noqa: S608  # fixed clauses
    return [stored_of(row) for row in connection.execute(query, (after, *values, limit))]


def scan_back(connection: sqlite3.Connection, before: int, limit: int, wanted: EventFilter | None) -> list[Stored]:
    """The newest events before a position whose columns pass the filter, oldest first."""
    clause, values = _conditions(wanted)
    query = f"SELECT {COLUMNS} FROM event WHERE position < ? AND {clause} ORDER BY position DESC LIMIT ?"  # noqa: S608  # fixed clauses
    return [stored_of(row) for row in connection.execute(query, (before, *values, limit))][::-1]
