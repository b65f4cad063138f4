"""What the MQTT endpoint keeps for its clients: records beside the events, durable by the same commits."""

import asyncio
import sqlite3
from collections.abc import Sequence

from gateway.storage.journal import Journal
from gateway.storage.statements import load_statements

_SQL = load_statements("mqtt")


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

    def save(self, records: Sequence[tuple[str, str, int, bytes | None]]) -> "asyncio.Future[None]":
        """Put records, or remove those without a body; the future is done once that survives a loss of power.

        Raises:
            StorageFailedError: the disk failed before, or the store is closed.
        """
        return self._journal.submit(lambda connection: _save(connection, records))


def _save(connection: sqlite3.Connection, records: Sequence[tuple[str, str, int, bytes | None]]) -> None:
    put, remove = _SQL["put"], _SQL["remove"]
    for kind, name, number, body in records:
        if body is None:
            connection.execute(remove, (kind, name, number))
        else:
            connection.execute(put, (kind, name, number, body))
