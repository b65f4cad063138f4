"""All destinations of a gateway: started, replaced and stopped while it runs."""

import asyncio
from collections.abc import Callable

from gateway.errors import PermanentError
from gateway.forwarding.forwarder import DestinationStatus, Forwarder
from gateway.settings import DestinationSettings


class Forwarders:
    """Owns one task per destination.

    Args:
        make: the forwarder of an entry.
    """

    def __init__(self, make: Callable[[DestinationSettings], Forwarder]) -> None:
        self._make = make
        self._running: dict[str, tuple[Forwarder, asyncio.Task[None]]] = {}

    async def put(self, destination: DestinationSettings) -> None:
        """Deliver to a destination from now on; again replaces its entry."""
        await self.remove(destination.id)
        forwarder = self._make(destination)
        task = asyncio.create_task(forwarder.run(), name=f"forwarder {destination.id}")
        self._running[destination.id] = (forwarder, task)

    async def remove(self, destination: str) -> None:
        """Deliver to it no longer; its place in the journal stays known."""
        found = self._running.pop(destination, None)
        if found is not None:
            found[1].cancel()
            await asyncio.gather(found[1], return_exceptions=True)

    def get(self, destination: str) -> Forwarder:
        """The forwarder of a destination.

        Raises:
            PermanentError: there is none.
        """
        try:
            return self._running[destination][0]
        except KeyError:
            raise PermanentError("there is no such destination", where=f"destination {destination}") from None

    def statuses(self) -> tuple[DestinationStatus, ...]:
        """How each destination is."""
        return tuple(forwarder.status for forwarder, _task in self._running.values())

    async def watch(self) -> None:
        """Wait until a forwarder dies, and raise its error; ends only by cancellation otherwise."""
        while True:
            tasks = [task for _forwarder, task in self._running.values()]
            for task in tasks:
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    raise error
            await asyncio.sleep(1.0)

    async def close(self) -> None:
        """Stop all."""
        for destination in list(self._running):
            await self.remove(destination)
