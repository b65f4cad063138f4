"""Everything that the interface works with, bound by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.alarms import BrokerState, DeviceStatus, EndpointStatistics, SiaStatistics, Trials
from gateway.api.calibration import Calibrations
from gateway.api.hub import EventHub
from gateway.api.installation import Installation
from gateway.api.known import KnownCredentials
from gateway.api.turns import Crowd, Turns
from gateway.api.walktests import WalkTests
from gateway.api.watchlist import WatchList
from gateway.clock import Clock
from gateway.forwarding import Forwarders
from gateway.incidents import DrillDesk, IncidentDesk, OutputDriver, PostBook, ServiceDesk
from gateway.settings import DeviceSettings, Settings
from gateway.storage import PasswordHasher, Stores
from gateway.workers import Workers

_SIGN_INS_OF_ONE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What the routes use.

    Attributes:
        decoy_hash: verified for unknown names, so that they take as long as known ones.
        accepting: whether presses are taken now.
        loop_lag_ms: how late the alarm house's loop was lately.
        failing_tasks: names of endless tasks that fail now and begin anew.
        endpoint: the embedded endpoint's figures; None in external mode.
        brokers: states of external brokers.
        device_statuses: how each alarm device is.
        device_topics: the filters that an alarm device publishes on, for access lists of brokers.
        trials: tests that wait for a press.
        walk_tests: the walk test that is on, and those that were.
        panels: figures of the receiver of alarm panels; None without it.
        turns: of those who sign in.
        sign_ins: how many do so at once from one network.
        known: credentials that were good lately.
        demo_press: presses the demo's button; None outside the demo.
    """

    settings: Settings
    stores: Stores
    desk: IncidentDesk
    drills: DrillDesk
    service: ServiceDesk
    posts: PostBook
    outputs: OutputDriver
    hub: EventHub
    watchlist: WatchList
    calibrations: Calibrations
    installation: Installation
    workers: Workers
    forwarders: Forwarders
    clock: Clock
    passwords: PasswordHasher
    decoy_hash: str
    accepting: Callable[[], bool]
    loop_lag_ms: Callable[[], float]
    failing_tasks: Callable[[], tuple[str, ...]]
    endpoint: Callable[[], EndpointStatistics | None]
    brokers: Callable[[], tuple[BrokerState, ...]]
    device_statuses: Callable[[], tuple[DeviceStatus, ...]]
    device_topics: Callable[[DeviceSettings], tuple[str, ...]]
    trials: Trials
    walk_tests: WalkTests
    panels: Callable[[], SiaStatistics | None]
    demo_press: Callable[[str], Awaitable[None]] | None = None
    turns: Turns = field(default_factory=Turns)
    sign_ins: Crowd = field(default_factory=lambda: Crowd(_SIGN_INS_OF_ONE))
    known: KnownCredentials = field(default_factory=KnownCredentials)
