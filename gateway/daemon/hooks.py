"""What a caller adds to the daemon, and what it is given of a running one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.api import WatchList
from gateway.clock import Clock
from gateway.storage import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a caller of `run_house` gets once presses are accepted."""

    url: str
    alarms_address: str
    stores: Stores
    watchlist: WatchList
    clock: Clock
    stop: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the demo adds to the daemon.

    Attributes:
        on_ready: run once presses are accepted.
        press: presses the demo's button.
    """

    on_ready: Callable[[Running], Awaitable[None]] | None = None
    press: Callable[[str], Awaitable[None]] | None = None
