"""Sessions of MQTT clients (§3.1.2.4, §4.1) and what the endpoint keeps for them; bounded in every direction."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.alarms.packets import Publish
from gateway.alarms.wireformat import topic_matches

_QUEUE = 1000
_QUEUE_BYTES = 256 * 1024
_SUBSCRIPTIONS = 100
_SESSIONS = 4096
_RETAINED = 10_000
_LAST_ID = 65_535
_ALL_FILTERS = 10_000
_ALL_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Session:
    """What outlives a connection of a client that did not ask for a clean session.

    Attributes:
        filters: topic filter → QoS.
        sent: packet id → message that waits for its PUBACK.
        queue: messages for a client that is away or slow; the oldest goes when it is full.
        queued_bytes: what they are together.
        received: packet ids of QoS 2 messages that were taken and not yet released (§4.3.3).
    """

    client_id: str
    clean: bool
    filters: dict[str, int] = field(default_factory=dict)
    sent: "OrderedDict[int, Publish]" = field(default_factory=OrderedDict)
    queue: deque[Publish] = field(default_factory=deque)
    queued_bytes: int = 0
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

    def enqueue(self, message: Publish) -> None:
        """Queue a message; the oldest go when there are too many, or too many bytes."""
        self.queue.append(message)
        self.queued_bytes += _size(message)
        while len(self.queue) > _QUEUE or self.queued_bytes > _QUEUE_BYTES:
            self.dequeue()

    def dequeue(self) -> Publish:
        """The oldest message of the queue."""
        message = self.queue.popleft()
        self.queued_bytes -= _size(message)
        return message

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
        self._retained_bytes = 0
        self._filters = 0

    def open(self, client_id: str, *, clean: bool) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before (§3.2.2.2)."""
        known = self._sessions.pop(client_id, None)
        if known is not None and not clean and not known.clean:
            self._sessions[client_id] = known
            return known, True
        if known is not None:
            self._forget(known)
        session = self._sessions[client_id] = Session(client_id, clean)
        return session, False

    def close(self, session: Session, connected: Callable[[str], bool]) -> None:
        """A connection ended: forget a clean session, and the oldest idle one when there are too many."""
        if session.clean and self._sessions.get(session.client_id) is session:
            self._forget(self._sessions.pop(session.client_id))
        while len(self._sessions) > _SESSIONS:
            idle = next((each for each in self._sessions if not connected(each)), None)
            if idle is None:
                return
            self._forget(self._sessions.pop(idle))

    def takers(self, topic: str) -> Iterator[tuple[Session, int]]:
        """Sessions that want a topic, each once, with the QoS granted (§3.3.5)."""
        for session in list(self._sessions.values()):
            qos = session.granted(topic)
            if qos is not None:
                yield session, qos

    def subscribe(self, session: Session, pattern: str, qos: int) -> bool:
        """Add a filter; False if the session, or all together, have too many: each press is held against all."""
        fresh = pattern not in session.filters
        if (fresh and self._filters >= _ALL_FILTERS) or not session.subscribe(pattern, qos):
            return False
        self._filters += fresh
        return True

    def unsubscribe(self, session: Session, pattern: str) -> None:
        """Remove a filter; one that is not there is no error."""
        self._filters -= session.filters.pop(pattern, None) is not None

    def _forget(self, session: Session) -> None:
        self._filters -= len(session.filters)
        session.filters.clear()

    def retain(self, message: Publish) -> None:
        """Keep the newest message of a topic; an empty one removes it (§3.3.1.3)."""
        self._retained_bytes -= _size(self._retained.pop(message.topic, None))
        if message.payload:
            self._retained[message.topic] = message
            self._retained_bytes += _size(message)
        while len(self._retained) > _RETAINED or self._retained_bytes > _ALL_BYTES:
            self._retained_bytes -= _size(self._retained.popitem(last=False)[1])

    def retained(self, pattern: str) -> list[Publish]:
        """Kept messages that a new filter takes."""
        return [each for topic, each in self._retained.items() if topic_matches(pattern, topic)]

    def __len__(self) -> int:
        return len(self._sessions)


def _size(message: Publish | None) -> int:
    return len(message.topic) + len(message.payload) if message is not None else 0
