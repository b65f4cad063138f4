"""Commands on accounts and tokens: they open these alone, also beside a running gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.settings import Settings
from gateway.storage import AccountDesk, open_accounts

Result = TypeVar("Result")


def with_accounts(settings: Settings, work: Callable[[AccountDesk], Awaitable[Result]]) -> Result:
    """Open accounts and audit trail, do `work`, close them."""

    async def opened() -> Result:
        desk = await open_accounts(settings.storage)
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(opened())
