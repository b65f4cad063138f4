"""Sessions of MQTT clients (§3.1.2.4, §4.1) and what the endpoint keeps for them; bounded in every direction."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.alarms.packets import Publish
from gateway.alarms.wireformat import topic_matches

_QUEUE = 1000
_SUBSCRIPTIONS = 100
_SESSIONS = 10_000
_RETAINED = 10_000
_LAST_ID = 65_535


@dataclass(slots=True)
class Session:
    """What outlives a connection of a client that did not ask for a clean session.

    Attributes:
        filters: topic filter → QoS.
        sent: packet id → message that waits for its PUBACK.
        queue: messages for a client that is away or slow; the oldest goes when it is full.
        received: packet ids of QoS 2 messages that were taken and not yet released (§4.3.3).
    """

    client_id: str
    clean: bool
    filters: dict[str, int] = field(default_factory=dict)
    sent: "OrderedDict[int, Publish]" = field(default_factory=OrderedDict)
    queue: deque[Publish] = field(default_factory=lambda: deque(maxlen=_QUEUE))
    received: set[int] = field(default_factory=set)
    next_id: int = 1

    def subscribe(self, pattern: str, qos: int) -> bool:
        """Add a filter; False if there are too many."""
        if pattern not in self.filters and len(self.filters) >= _SUBSCRIPTIONS:
            return False
        self.filters[pattern] = qos
        return True

    def granted(self, topic: str) -> int | None:
        """The highest QoS that a filter of this session grants a topic; None if none takes it."""
        return max((qos for pattern, qos in self.filters.items() if topic_matches(pattern, topic)), default=None)

    def take_id(self) -> int:
        """A packet id that is not in use."""
        while self.next_id in self.sent:
            self.next_id = self.next_id % _LAST_ID + 1
        taken, self.next_id = self.next_id, self.next_id % _LAST_ID + 1
        return taken


class SessionBook:
    """All sessions and retained messages of the endpoint, in memory.

    Presses need neither: they are in the journal before they are acknowledged, and a button that was not acknowledged
    sends again.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._retained: OrderedDict[str, Publish] = OrderedDict()

    def open(self, client_id: str, *, clean: bool) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before (§3.2.2.2)."""
        known = self._sessions.pop(client_id, None)
        if known is not None and not clean and not known.clean:
            self._sessions[client_id] = known
            return known, True
        session = self._sessions[client_id] = Session(client_id, clean)
        return session, False

    def close(self, session: Session, connected: Callable[[str], bool]) -> None:
        """A connection ended: forget a clean session, and the oldest idle one when there are too many."""
        if session.clean and self._sessions.get(session.client_id) is session:
            del self._sessions[session.client_id]
        while len(self._sessions) > _SESSIONS:
            idle = next((each for each in self._sessions if not connected(each)), None)
            if idle is None:
                return
            del self._sessions[idle]

    def takers(self, topic: str) -> Iterator[tuple[Session, int]]:
        """Sessions that want a topic, each once, with the QoS granted (§3.3.5)."""
        for session in list(self._sessions.values()):
            qos = session.granted(topic)
            if qos is not None:
                yield session, qos

    def retain(self, message: Publish) -> None:
        """Keep the newest message of a topic; an empty one removes it (§3.3.1.3)."""
        self._retained.pop(message.topic, None)
        if message.payload:
            self._retained[message.topic] = message
        while len(self._retained) > _RETAINED:
            self._retained.popitem(last=False)

    def retained(self, pattern: str) -> list[Publish]:
        """Kept messages that a new filter takes."""
        return [each for topic, each in self._retained.items() if topic_matches(pattern, topic)]

    def __len__(self) -> int:
        return len(self._sessions)
