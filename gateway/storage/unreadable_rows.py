"""Rows of ``state.db`` that bit rot made unreadable: dropped and counted at the start, because presses do not wait."""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import TransientError
from gateway.storage.state import State, moment_of

_TABLES = ("user", "session", "api_token", "one_time", "entry", "device", "deadline", "post")
_MOMENTS = frozenset({"created", "seen", "ends", "used", "wall"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Row:
    """One that cannot be read, by the bytes of its key."""

    table: str
    key: dict[str, bytes]


async def drop_unreadable(state: State) -> dict[str, int]:
    """Drop the rows that no store could read; how many there were, by table.

    What is read only when somebody asks for it (the audit trail, the watch-list, evidence) is left: bytes that are no
    UTF-8 are replaced there, and nothing sealed is lost. On a full disk the rows stay, and a later start drops them.
    """
    found = await state.read(lambda connection: list(_unreadable(connection)))
    if not found:
        return {}

    def work(connection: sqlite3.Connection) -> None:
        for row in found:
            same = " AND ".join(f"CAST({name} AS BLOB) = ?" for name in row.key)
            connection.execute(f"DELETE FROM {row.table} WHERE {same}", tuple(row.key.values()))  # noqa: S608  # fixed names

    counts = {table: sum(row.table == table for row in found) for table in _TABLES}
    try:
        await state.write(work)
    except TransientError as error:
        _log.error("rows that cannot be read are not dropped: %s", error)
    return {table: count for table, count in counts.items() if count}


def _unreadable(connection: sqlite3.Connection) -> Iterator[_Row]:
    for table in _TABLES:
        columns = [row for row in connection.execute(f"PRAGMA table_info({table})") if row[2] == "TEXT"]
        keys = {str(row[1]) for row in columns if row[5]}
        names = [str(row[1]) for row in columns]
        listed = ", ".join(f"CAST({name} AS BLOB)" for name in names)
        for values in connection.execute(f"SELECT {listed} FROM {table}"):  # noqa: S608  # fixed names
            row = dict(zip(names, values, strict=True))
            if not all(value is None or _is_readable(name, value) for name, value in row.items()):
                yield _Row(table, {name: row[name] for name in names if name in keys})


def _is_readable(name: str, value: bytes) -> bool:
    try:
        text = value.decode()
        return name not in _MOMENTS or moment_of(text).tzinfo is not None
    except ValueError:
        return False
