"""Who did what: appended, chained, listed and verified; never changed."""

import json
import sqlite3
from datetime import datetime

from gateway.storage.chain import GENESIS, chain_hash
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements
from gateway.storage.values import AuditEntry

_SQL = load_statements("audit")


class AuditTrail:
    """The hash-chained record of every change that somebody made."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def append(self, *, at: datetime, actor: str, action: str, subject: str = "", detail: str = "") -> None:
        """Record an action; secrets do not belong in `detail`."""

        def work(connection: sqlite3.Connection) -> None:
            last, previous = connection.execute(_SQL["last"]).fetchone() or (0, GENESIS)
            row = (last + 1, text_of(at), actor, action, subject, detail)
            connection.execute(_SQL["append"], (*row, _hash(previous, row)))

        await self._state.write(work)

    async def entries(self, after: int = 0, limit: int = 500) -> list[AuditEntry]:
        """Entries behind a number, in order."""
        rows = await self._state.read(lambda c: c.execute(_SQL["entries"], (after, limit)).fetchall())
        return [
            AuditEntry(number=number, at=moment_of(at), actor=actor, action=action, subject=subject, detail=detail)
            for number, at, actor, action, subject, detail, _hash_ in rows
        ]

    async def verify(self) -> int | None:
        """The number of the first entry that was changed, removed or put in; None if the chain is whole."""
        return await self._state.read(first_broken_entry)


def first_broken_entry(connection: sqlite3.Connection) -> int | None:
    """Number of the first entry whose link of the hash chain is broken; None if the chain is whole."""
    previous, expected = GENESIS, 1
    for *row, digest in connection.execute(_SQL["entries"], (0, -1)):
        if row[0] != expected or _hash(previous, tuple(row)) != digest:
            return int(row[0])
        previous, expected = digest, expected + 1
    return None


def _hash(previous: bytes, row: tuple[int | str, ...]) -> bytes:
    number, *rest = row
    return chain_hash(previous, int(number), "audit", b"", json.dumps(rest, ensure_ascii=False).encode())
