"""What this room needs of others; the composition root binds it."""

from collections.abc import Awaitable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from gateway.storage import Delivery, EventFilter, OutboxState, Stored


class Waiting(Protocol):
    """Waits for the journal to grow."""

    def wait(self, after: int, timeout: float | None = None) -> Awaitable[int]:  # a reader's poll
        """Wait until the last position is beyond `after`."""


class JournalPort(Protocol):
    """The journal as a forwarder uses it."""

    @property
    def last_position(self) -> int:
        """Position of the newest event."""

    async def read(self, after: int = 0, limit: int = 500, filter: EventFilter | None = None) -> list[Stored]:
        """Events behind a position."""

    async def tail(self, limit: int, filter: EventFilter | None = None) -> list[Stored]:
        """The newest events that pass, oldest first."""

    def subscribe(self) -> AbstractContextManager[Waiting]:
        """A way to wait."""


class OutboxPort(Protocol):
    """A destination's place in the journal."""

    async def open(self, destination: str, start: int) -> OutboxState:
        """Where it stands."""

    async def settle(self, destination: str, position: int, *, low: int) -> None:
        """It has a position; all up to `low` is settled."""

    async def refuse(self, destination: str, position: int, event: str, reason: str, *, low: int, at: datetime) -> None:
        """It refused an event for good."""

    async def record(self, destination: str, delivery: Delivery) -> None:
        """Remember what became of an event."""

    async def remove_dead(self, destination: str, position: int) -> bool:
        """A dead letter was delivered after all."""
