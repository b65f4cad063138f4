"""How many connections there may be, in all and of one address, and whether two devices fight for one client id."""

import asyncio
import ipaddress
import time
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING

from gateway.alarms.refusals import too_many, too_many_of_one_address
from gateway.events import Cause
from gateway.settings import MqttSettings

if TYPE_CHECKING:
    from gateway.alarms.line import Line

_CLASH_TIMES, _CLASH_SECONDS = 3, 60.0
_MOST_WATCHED = 1024


class Admission:
    """Counts connections.

    Attributes:
        empty: set while there is none.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._open: dict[Line, None] = {}
        self._per_address: Counter[str] = Counter()
        self._takeovers: OrderedDict[str, deque[float]] = OrderedDict()
        self.empty = asyncio.Event()
        self.empty.set()

    @property
    def open(self) -> "list[Line]":
        """All connections, the oldest first."""
        return list(self._open)

    def admit(self, connection: "Line") -> "tuple[Line, Cause] | None":
        """Count one; if that is one too many, the one that must go and why.

        It is the oldest that never said who it is, or else the newest.
        """
        self._open[connection] = None
        self.empty.clear()
        address = connection.address
        self._per_address[address] += 1
        if len(self._open) > self._settings.max_connections:
            return self._victim(connection, list(self._open)), too_many(self._settings.max_connections)
        if self._per_address[address] > (limit := self._limit_of(address)):
            neighbours = [each for each in self._open if each.address == address]
            return self._victim(connection, neighbours), too_many_of_one_address(limit)
        return None

    @staticmethod
    def _victim(newest: "Line", among: "list[Line]") -> "Line":
        return next((each for each in among if each.session is None and not each.closed), newest)

    def _limit_of(self, address: str) -> int:
        """What one address may hold open; the first network that holds it counts."""
        if self._settings.networks:
            try:
                where = ipaddress.ip_address(address.partition("%")[0])
            except ValueError:
                return self._settings.max_connections_per_address
            mapped = getattr(where, "ipv4_mapped", None) or where
            for each in self._settings.networks:
                if mapped in each.network:
                    return each.max_connections_per_address
        return self._settings.max_connections_per_address

    def forget(self, connection: "Line") -> None:
        """It is gone."""
        if connection not in self._open:
            return
        del self._open[connection]
        if not self._open:
            self.empty.set()
        self._per_address[connection.address] -= 1
        if not self._per_address[connection.address]:
            del self._per_address[connection.address]

    def clashes(self, client_id: str) -> bool:
        """Note that a connection was taken over; whether that happened so often that two devices must share the id."""
        now = time.monotonic()
        times = self._takeovers.setdefault(client_id, deque(maxlen=_CLASH_TIMES))
        self._takeovers.move_to_end(client_id)
        if len(self._takeovers) > _MOST_WATCHED:
            self._takeovers.popitem(last=False)
        times.append(now)
        return len(times) == _CLASH_TIMES and now - times[0] < _CLASH_SECONDS
