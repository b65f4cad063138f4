"""Walks through the journal's hash chain, and compares the columns that are asked for with what is hashed."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from gateway.storage.chain import GENESIS, chain_hash
from gateway.storage.statements import load_statements

_SQL = load_statements("journal")
_SCAN = 2000


def first_broken_event(
    connection: sqlite3.Connection, starts: Mapping[int, bytes | None] = MappingProxyType({})
) -> int | None:
    """Position of the first event whose link of the chain is broken, or whose columns belie it; None if all is well.

    Args:
        connection: to the journal.
        starts: positions that may follow upon a gap; with the hash before if the journal may begin there.
    """
    previous, after = GENESIS, 0
    while rows := connection.execute(_SQL["chain"], (after, _SCAN)).fetchall():
        for position, identity, salt, body, digest, *columns in rows:
            if position != after + 1 and position not in starts:
                return int(position)
            if after == 0:
                previous = starts.get(position) or GENESIS
            if chain_hash(previous, position, identity.decode("utf-8", "replace"), salt, body) != digest:
                return int(position)
            if not _agree(body, columns):
                return int(position)
            previous, after = digest, position
    return None


def _agree(body: bytes, columns: list[object]) -> bool:
    """Whether type, source, severity and time in their columns are those of the event: readers ask for them there."""
    try:
        cloud = json.loads(body)
        moment = int(datetime.fromisoformat(cloud["time"]).timestamp() * 1e6)
        said = [cloud[name].encode() for name in ("type", "source", "severity")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return columns == [*said, moment]
