"""What commands on this machine's state share: accounts opened beside a running gateway, and refusals of the system."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.storage import AccountDesk, open_accounts, require_state

Result = TypeVar("Result")
_AS_OWNER = "Run the command as the user that the gateway runs as, such as: sudo -u {user} campus-gateway …"


def of_system(error: OSError) -> GatewayError:
    """What the system refused, in the words of this project; of a file of another user the remedy names that user."""
    where = str(error.filename) if error.filename is not None else ""
    what = error.strerror or type(error).__name__
    remedy = _AS_OWNER.format(user=_owner(Path(where))) if isinstance(error, PermissionError) and where else ""
    return GatewayError(what, where=where, remedy=remedy)


def _owner(path: Path) -> str:
    """The user of the nearest folder that can be looked at."""
    for each in (path, *path.parents):
        try:
            return each.owner()
        except (OSError, KeyError):
            continue
    return "root"


def with_accounts(
    settings: Settings, work: Callable[[AccountDesk], Awaitable[Result]], *, makes_state: bool = False
) -> Result:
    """Open accounts and audit trail, do `work`, close them.

    Args:
        settings: name the state folder.
        work: what is done.
        makes_state: whether it may come before the gateway's first start.

    Raises:
        GatewayError: they cannot be opened, or there is no state yet.
    """
    if not makes_state:
        require_state(settings.storage.directory, files=["state.db"])

    async def opened() -> Result:
        desk = await open_accounts(settings.storage)
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(opened())
