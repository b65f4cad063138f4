"""How far each destination has got: a durable low-water position, what is settled above it, and what was refused."""

import sqlite3
from datetime import datetime

from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements
from gateway.storage.values import DeadLetter, Delivery, OutboxState

_SQL = load_statements("outbox")
_HISTORY = 500


class Outbox:
    """The journal is the outbox; this keeps each destination's place in it."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def open(self, destination: str, start: int) -> OutboxState:
        """Where a destination stands; one that is new begins behind `start`."""

        def work(connection: sqlite3.Connection) -> OutboxState:
            connection.execute(_SQL["begin"], (destination, start))
            low = connection.execute(_SQL["low"], (destination,)).fetchone()[0]
            settled = frozenset(row[0] for row in connection.execute(_SQL["settled"], (destination,)))
            dead = connection.execute(_SQL["count_dead"], (destination,)).fetchone()[0]
            return OutboxState(low, settled, dead)

        return await self._state.write(work)

    async def settle(self, destination: str, position: int, *, low: int) -> None:
        """The destination has `position`; everything up to `low` is settled by now."""
        await self._state.write(lambda connection: _settle(connection, destination, position, low))

    async def refuse(self, destination: str, position: int, event: str, reason: str, *, low: int, at: datetime) -> None:
        """The destination refused an event for good: keep it as a dead letter and settle its position."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["bury"], (destination, position, event, reason, text_of(at)))
            _settle(connection, destination, position, low)

        await self._state.write(work)

    async def dead_letters(self, destination: str, limit: int = 100) -> list[DeadLetter]:
        """What the destination refused, newest first."""
        rows = await self._state.read(lambda c: c.execute(_SQL["dead"], (destination, limit)).fetchall())
        return [DeadLetter(position, event, reason, moment_of(at)) for position, event, reason, at in rows]

    async def remove_dead(self, destination: str, position: int) -> bool:
        """Take a dead letter out, because it was delivered after all; False if there is none."""
        changed = await self._state.write(lambda c: c.execute(_SQL["unbury"], (destination, position)).rowcount)
        return changed > 0

    async def record(self, destination: str, delivery: Delivery) -> None:
        """Remember what became of an event; the newest are kept."""

        def work(connection: sqlite3.Connection) -> None:
            row = (delivery.position, delivery.event, delivery.state, delivery.attempts, delivery.error)
            connection.execute(_SQL["record"], (destination, *row, text_of(delivery.at)))
            connection.execute(_SQL["trim"], (destination, destination, _HISTORY))

        await self._state.write(work)

    async def deliveries(self, destination: str, limit: int = 100) -> list[Delivery]:
        """The newest deliveries, newest first."""
        rows = await self._state.read(lambda c: c.execute(_SQL["deliveries"], (destination, limit)).fetchall())
        return [Delivery(p, event, state, n, error, moment_of(at)) for p, event, state, n, error, at in rows]

    async def forget(self, destination: str) -> None:
        """A destination is gone: forget its place and its letters."""

        def work(connection: sqlite3.Connection) -> None:
            for name in ("forget", "forget_settled", "forget_dead", "forget_deliveries"):
                connection.execute(_SQL[name], (destination,))

        await self._state.write(work)


def highest_position(connection: sqlite3.Connection) -> int:
    """The highest position of the journal that anything in ``state.db`` has seen; 0 if none."""
    return int(connection.execute(_SQL["highest"]).fetchone()[0])


def _settle(connection: sqlite3.Connection, destination: str, position: int, low: int) -> None:
    if position > low:
        connection.execute(_SQL["settle"], (destination, position))
    connection.execute(_SQL["advance"], (low, destination, low))
    connection.execute(_SQL["sweep"], (destination, low))
