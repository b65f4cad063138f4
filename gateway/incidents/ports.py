"""What this room needs of others; the composition root binds it."""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gateway.events import Event
from gateway.storage import Deadline, EventFilter, Incident, Stored


class Waiting(Protocol):
    """Waits for the journal to grow."""

    def wait(self, after: int, timeout: float | None = None) -> Awaitable[int]:  # a reader's poll
        """Wait until the last position is beyond `after`."""


class JournalPort(Protocol):
    """The journal as the desk uses it."""

    @property
    def last_position(self) -> int:
        """Position of the newest event."""

    async def append(self, event: Event) -> Stored:
        """Store an event, once per id."""

    async def append_all(self, events: Sequence[Event]) -> list[Stored]:
        """Store several events, in order, each once per id, all or nothing."""

    async def read(self, after: int = 0, limit: int = 500, filter: EventFilter | None = None) -> list[Stored]:
        """Events behind a position."""

    async def find(self, event_id: str) -> Stored | None:
        """The event of that id, if it is there."""

    async def tail(self, limit: int, filter: EventFilter | None = None) -> list[Stored]:
        """The newest events that pass, oldest first."""

    def subscribe(self) -> AbstractContextManager[Waiting]:
        """A way to wait."""


class StorePort(Protocol):
    """The store of incidents as the desk uses it."""

    async def position(self) -> int:
        """Up to where events were taken in."""

    async def apply(self, position: int, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        """Keep incidents, position and a command's result, all or nothing."""

    async def get(self, incident: str) -> Incident | None:
        """One incident."""

    async def unresolved(self) -> list[Incident]:
        """All that are not resolved."""

    async def command(self, command_id: str) -> str | None:
        """The first result of a command."""

    async def clear(self) -> None:
        """Forget all incidents."""


class DeadlinePort(Protocol):
    """Where it is kept since when incidents wait."""

    async def deadlines(self) -> list[Deadline]:
        """All that were kept."""

    async def keep_deadlines(self, begun: Sequence[Deadline], over: Sequence[str]) -> None:
        """Keep waits that began, and forget those of incidents that wait no more."""
