"""Lets few children start at once: one that starts takes a core for seconds, and many would starve all others."""

import asyncio


class Births:
    """Whose turn it is to start.

    Args:
        at_once: so many may start at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._room = asyncio.Semaphore(at_once)

    async def turn(self) -> "Turn":
        """Wait for a turn; it must be given back."""
        await self._room.acquire()
        return Turn(self._room)


class Turn:
    """A child's leave to start."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room: asyncio.Semaphore | None = room

    def over(self) -> None:
        """The child is ready, or dead; again does nothing."""
        if self._room is not None:
            self._room.release()
            self._room = None
