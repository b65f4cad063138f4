"""All destinations of a gateway: started, replaced and stopped while it runs; none brings down another."""

import asyncio
import logging
from collections.abc import Callable

from gateway.errors import PermanentError
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.standing import DestinationStatus
from gateway.settings import DestinationSettings

_AGAIN_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Forwarders:
    """Owns one task per destination.

    Args:
        make: the forwarder of an entry.
    """

    def __init__(self, make: Callable[[DestinationSettings], Forwarder]) -> None:
        self._make = make
        self._running: dict[str, tuple[Forwarder, asyncio.Task[None]]] = {}

    async def put(self, destination: DestinationSettings) -> None:
        """Deliver to a destination from now on; again replaces its entry.

        Raises:
            GatewayError: the entry cannot be used; the former one, if any, goes on.
        """
        forwarder = self._make(destination)
        await self.remove(destination.id)
        task = asyncio.create_task(_keep(forwarder, destination.id), name=f"forwarder {destination.id}")
        self._running[destination.id] = (forwarder, task)

    async def remove(self, destination: str) -> None:
        """Deliver to it no longer; its place in the journal stays known."""
        found = self._running.pop(destination, None)
        if found is not None:
            forwarder, task = found
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await forwarder.close()

    def get(self, destination: str) -> Forwarder:
        """The forwarder of a destination.

        Raises:
            PermanentError: there is none.
        """
        try:
            return self._running[destination][0]
        except KeyError:
            raise PermanentError(
                "there is no such destination", where=f"destination {destination}", code="no_such_destination"
            ) from None

    def statuses(self) -> tuple[DestinationStatus, ...]:
        """How each destination is."""
        return tuple(forwarder.status for forwarder, _task in self._running.values())

    async def close(self) -> None:
        """Stop all."""
        for destination in list(self._running):
            await self.remove(destination)


async def _keep(forwarder: Forwarder, destination: str) -> None:
    """Run a forwarder for ever: one that dies takes nothing with it and begins anew where the outbox says."""
    while True:
        try:
            await forwarder.run()
        except Exception:  # a fault of one destination must reach neither the others nor the alarm path
            _log.exception("the forwarder of %s died and begins anew", destination)
        await asyncio.sleep(_AGAIN_SECONDS)
