"""Everything that the interface works with, bound by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.alarms import BrokerState, DeviceStatus, EndpointStatistics
from gateway.api.hub import EventHub
from gateway.api.installation import Installation
from gateway.api.turns import Turns
from gateway.api.watchlist import WatchList
from gateway.clock import Clock
from gateway.forwarding import Forwarders
from gateway.incidents import DrillDesk, IncidentDesk, OutputDriver, PostBook
from gateway.settings import Settings
from gateway.storage import PasswordHasher, Stores
from gateway.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What the routes use.

    Attributes:
        decoy_hash: verified for unknown names, so that they take as long as known ones.
        accepting: whether presses are taken now.
        loop_lag_ms: how late the alarm house's loop was lately.
        endpoint: the embedded endpoint's figures; None in external mode.
        brokers: states of external brokers.
        device_statuses: how each alarm device is.
        turns: of those who sign in.
        demo_press: presses the demo's button; None outside the demo.
    """

    settings: Settings
    stores: Stores
    desk: IncidentDesk
    drills: DrillDesk
    posts: PostBook
    outputs: OutputDriver
    hub: EventHub
    watchlist: WatchList
    installation: Installation
    workers: Workers
    forwarders: Forwarders
    clock: Clock
    passwords: PasswordHasher
    decoy_hash: str
    accepting: Callable[[], bool]
    loop_lag_ms: Callable[[], float]
    endpoint: Callable[[], EndpointStatistics | None]
    brokers: Callable[[], tuple[BrokerState, ...]]
    device_statuses: Callable[[], tuple[DeviceStatus, ...]]
    demo_press: Callable[[str], Awaitable[None]] | None = None
    turns: Turns = field(default_factory=Turns)
