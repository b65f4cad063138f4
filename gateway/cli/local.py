"""Commands that need the store: opened here while no gateway runs, asked of the gateway with a token while one does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.clock import SystemClock
from gateway.settings import Settings
from gateway.storage import Stores, open_storage

Result = TypeVar("Result")


def with_stores(settings: Settings, work: Callable[[Stores], Awaitable[Result]]) -> Result:
    """Open the stores, do `work`, close them.

    Raises:
        StorageBusyError: the gateway runs; use its console or interface instead.
    """

    async def opened() -> Result:
        stores = await open_storage(settings.storage, SystemClock())
        try:
            return await work(stores)
        finally:
            await stores.close()

    return asyncio.run(opened())
