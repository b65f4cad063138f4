"""What the MQTT endpoint keeps for its clients: records beside the events, durable by the same commits."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial

from gateway.storage.journal import Journal
from gateway.storage.statements import load_statements

_SQL = load_statements("mqtt")
_PART_BYTES = 128 * 1024

Record = tuple[str, str, int, bytes | None]


class MqttSessionStore:
    """Keeps records of (kind, name, number); what they mean is the endpoint's business.

    Args:
        journal: whose file they are in and whose writer commits them, with presses that wait at the same moment.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def load(self) -> list[tuple[str, str, int, bytes]]:
        """All records, by kind, name and number."""
        return await self._journal.submit(lambda connection: connection.execute(_SQL["all"]).fetchall())

    def save(self, records: Sequence[Record]) -> "asyncio.Future[None]":
        """Put records, or remove those without a body; the future is done once that survives a loss of power.

        Presses go first. What is one client's is stored whole; of several, in parts, so that no commit gets long.

        Raises:
            StorageFailedError: the disk failed before, or the store is closed.
        """
        parts = [self._journal.submit(partial(_save, records=part), patient=True) for part in _parts(records)]
        return parts[0] if len(parts) == 1 else asyncio.ensure_future(_all(parts))


async def _all(parts: "list[asyncio.Future[None]]") -> None:
    outcomes = await asyncio.gather(*parts, return_exceptions=True)
    for each in outcomes:
        if isinstance(each, BaseException):
            raise each


def _parts(records: Sequence[Record]) -> Iterator[list[Record]]:
    """The records of each client together, clients together up to a size."""
    of_client: dict[str, list[Record]] = {}
    for record in records:
        of_client.setdefault(record[1], []).append(record)
    part, size = list[Record](), 0
    for mine in of_client.values():
        part += mine
        size += sum(len(body or b"") for *_key, body in mine)
        if size > _PART_BYTES:
            yield part
            part, size = [], 0
    if part or not records:
        yield part


def _save(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    put, remove = _SQL["put"], _SQL["remove"]
    for kind, name, number, body in records:
        if body is None:
            connection.execute(remove, (kind, name, number))
        else:
            connection.execute(put, (kind, name, number, body))
