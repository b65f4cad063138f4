"""Sessions of MQTT clients (§4.1) and what the endpoint keeps for them; bounded in every direction."""

import asyncio
import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway.alarms.kept_messages import put_message, take_message
from gateway.alarms.moments import Moment
from gateway.alarms.packets import LEVEL_311, Publish
from gateway.alarms.properties import NOTHING
from gateway.alarms.reasons import Reason
from gateway.alarms.records import MESSAGE, RECEIVED, SESSION, RecordBook
from gateway.alarms.topics import FilterTree, Subscription

NEVER_EXPIRES = 0xFFFF_FFFF
_QUEUE = 1000
_QUEUE_BYTES = 256 * 1024
_ALL_QUEUE_BYTES = 64 * 1024 * 1024
_SUBSCRIPTIONS = 100
_ALL_FILTERS = 10_000
_FILTER_BYTES = 64 * 1024
_ALL_FILTER_BYTES = 8 * 1024 * 1024
_UNRELEASED = 1024
_LAST_ID = 65_535


@dataclass(slots=True)
class Outgoing:
    """A message with QoS 1 on its way to a client.

    Attributes:
        number: its place in the session; the packet id follows from it, so that it is the same after a restart.
        expires: monotonic seconds; None: never.
        again: it may have been sent before.
    """

    number: int
    message: Publish
    expires: float | None = None
    again: bool = False

    @property
    def packet_id(self) -> int:
        """§2.2.1; no two messages of a session that wait have the same."""
        return (self.number - 1) % _LAST_ID + 1

    @property
    def size(self) -> int:
        """Bytes of topic and payload."""
        return len(self.message.topic) + len(self.message.payload)

    def packet(self, now: float) -> Publish | None:
        """What is sent at this moment; None if it has expired (§3.3.2.3.3)."""
        message = self.message
        properties = message.properties
        if self.expires is not None:
            left = self.expires - now
            if left <= 0:
                return None
            properties = replace(properties, message_expiry=max(1, round(left)))
        return Publish(
            topic=message.topic,
            payload=message.payload,
            qos=message.qos,
            retain=message.retain,
            dup=self.again,
            packet_id=self.packet_id,
            properties=properties,
        )


@dataclass(frozen=True, slots=True)
class Taking:
    """A message with QoS 2 that is being taken: what tells it, and its end."""

    mark: bytes
    done: "asyncio.Future[Reason]"


@dataclass(slots=True)
class Session:
    """What outlives a connection of a client whose session has an expiry.

    Attributes:
        level: of the protocol, 4 or 5.
        user: who opened it; nobody else may.
        expiry: seconds that it lives on without a connection; 0: it ends with it.
        filters: pattern → subscription.
        filter_bytes: length of all their patterns.
        sent: packet id → message that waits for its PUBACK.
        queue: messages for a client that is away or slow; the oldest goes when it is full.
        queued_bytes: what they are together.
        received: packet ids of QoS 2 messages that were taken and not yet released (§4.3.3), and what tells each.
        taking: those that are being taken.
    """

    client_id: str
    level: int = LEVEL_311
    user: str = ""
    expiry: int = 0
    filters: dict[str, Subscription] = field(default_factory=dict)
    filter_bytes: int = 0
    sent: "OrderedDict[int, Outgoing]" = field(default_factory=OrderedDict)
    queue: deque[Outgoing] = field(default_factory=deque)
    queued_bytes: int = 0
    received: dict[int, bytes] = field(default_factory=dict)
    taking: dict[int, Taking] = field(default_factory=dict)
    next_number: int = 1
    saved: bytes = b""
    ended: bool = False
    timer: asyncio.TimerHandle | None = None

    @property
    def lasts(self) -> bool:
        """Whether it outlives its connection, and the process."""
        return self.expiry > 0 and not self.ended


class SessionBook:
    """All sessions of the endpoint.

    Args:
        records: where those that last are kept.
        limit: of sessions; the oldest without a connection go.
        connected: whether a client is connected.
        on_end: told of a session that ended, before it is forgotten.
    """

    def __init__(
        self, records: RecordBook, limit: int, connected: Callable[[str], bool], on_end: Callable[[Session], None]
    ) -> None:
        self._records = records
        self._limit = limit
        self._connected = connected
        self._on_end = on_end
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._queued_bytes = 0
        self._filters = self._filter_bytes = 0
        self.tree = FilterTree()

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, client_id: str) -> Session | None:
        """The session of a client."""
        return self._sessions.get(client_id)

    def open(self, client_id: str, *, clean: bool, expiry: int, level: int, user: str) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before (§3.1.2.4, §3.2.2.1.1)."""
        known = self._sessions.get(client_id)
        if known is not None and (clean or not known.lasts):
            self.end(known)
            known = None
        present = known is not None
        session = known or Session(client_id)
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        session.level, session.user, session.expiry = level, user, expiry
        self._sessions[client_id] = session
        self._sessions.move_to_end(client_id)
        self._save(session)
        return session, present

    def close(self, session: Session) -> None:
        """A connection ended: so does a session without an expiry, and the oldest idle one when there are too many."""
        if self._sessions.get(session.client_id) is not session:
            return
        if not session.lasts:
            self.end(session)
        elif session.expiry != NEVER_EXPIRES:
            self._expire_in(session, session.expiry)
            self._save(session, ends=self._records.moments.at(time.monotonic() + session.expiry))
        while len(self._sessions) > self._limit:
            idle = next((each for each in self._sessions.values() if not self._connected(each.client_id)), None)
            if idle is None:
                return
            self.end(idle)

    def _expire_in(self, session: Session, seconds: float) -> None:
        session.timer = asyncio.get_running_loop().call_later(seconds, self.end, session)

    def end(self, session: Session) -> None:
        """Forget a session and all that was kept for it."""
        if session.ended:
            return
        self._on_end(session)
        session.ended = True
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        if session.saved:
            self._forget_records(session)
        self.unsubscribe(session, tuple(session.filters))
        self._queued_bytes -= session.queued_bytes
        session.queued_bytes = 0
        if self._sessions.get(session.client_id) is session:
            del self._sessions[session.client_id]

    def _forget_records(self, session: Session) -> None:
        session.saved = b""
        self._records.remove(SESSION, session.client_id, 0)
        for packet_id in session.received:
            self._records.remove(RECEIVED, session.client_id, packet_id)
        for outgoing in (*session.sent.values(), *session.queue):
            self._records.remove(MESSAGE, session.client_id, outgoing.number)

    def end_all_timers(self) -> None:
        """The endpoint stops: nothing expires any more."""
        for session in self._sessions.values():
            if session.timer is not None:
                session.timer.cancel()
                session.timer = None

    def set_expiry(self, session: Session, expiry: int) -> None:
        """Another expiry, from its DISCONNECT (§3.14.2.2.2)."""
        session.expiry = expiry
        self._save(session)

    def _save(self, session: Session, ends: Moment | None = None) -> None:
        if not session.lasts:
            if session.saved:
                self._forget_records(session)
            return
        filters = [[each.pattern, each.options, each.identifier] for each in session.filters.values()]
        said = {
            "level": session.level,
            "user": session.user,
            "expiry": session.expiry,
            "ends": ends and ends.wall,
            "boot": ends and ends.boot,
            "monotonic": ends and ends.monotonic,
            "filters": filters,
        }
        body = json.dumps(said, ensure_ascii=False).encode()
        if body != session.saved:
            session.saved = body
            self._records.put(SESSION, session.client_id, 0, body)

    def subscribe(self, session: Session, subscriptions: Sequence[Subscription]) -> list[bool]:
        """Add filters; False for each that the session, or all together, have no room for."""
        added = [self._add(session, each) for each in subscriptions]
        self._save(session)
        return added

    def _add(self, session: Session, subscription: Subscription) -> bool:
        pattern = subscription.pattern
        if pattern not in session.filters:
            size = len(pattern)
            if (
                self._filters >= _ALL_FILTERS
                or len(session.filters) >= _SUBSCRIPTIONS
                or session.filter_bytes + size > _FILTER_BYTES
                or self._filter_bytes + size > _ALL_FILTER_BYTES
            ):
                return False
            self._count(session, 1, size)
        session.filters[pattern] = subscription
        self.tree.add(session.client_id, subscription)
        return True

    def _count(self, session: Session, filters: int, size: int) -> None:
        self._filters += filters
        self._filter_bytes += size
        session.filter_bytes += size

    def unsubscribe(self, session: Session, patterns: Sequence[str]) -> list[bool]:
        """Remove filters; False for each that was not there."""
        removed = [self._remove(session, each) for each in patterns]
        self._save(session)
        return removed

    def _remove(self, session: Session, pattern: str) -> bool:
        if session.filters.pop(pattern, None) is None:
            return False
        self._count(session, -1, -len(pattern))
        self.tree.remove(session.client_id, pattern)
        return True

    def enqueue(self, session: Session, message: Publish, expires: float | None) -> None:
        """Queue a message; the oldest go when there are too many, or too many bytes."""
        outgoing = Outgoing(session.next_number, message, expires)
        session.next_number += 1
        self._append(session, outgoing)
        if session.lasts:
            kept = replace(message, packet_id=1)
            self._records.put(
                MESSAGE, session.client_id, outgoing.number, put_message(kept, expires, self._records.moments)
            )

    def _append(self, session: Session, outgoing: Outgoing) -> None:
        session.queue.append(outgoing)
        session.queued_bytes += outgoing.size
        self._queued_bytes += outgoing.size
        while session.queue and (
            len(session.queue) > _QUEUE or session.queued_bytes > _QUEUE_BYTES or self._queued_bytes > _ALL_QUEUE_BYTES
        ):
            self.drop(session, self.dequeue(session))

    def requeue(self, session: Session) -> None:
        """The client is there again: what it has not acknowledged goes out again, before all that waits (§4.4)."""
        for outgoing in reversed(session.sent.values()):
            outgoing.again = True
            session.queue.appendleft(outgoing)
            session.queued_bytes += outgoing.size
            self._queued_bytes += outgoing.size
        session.sent.clear()

    def dequeue(self, session: Session) -> Outgoing:
        """The oldest message of the queue."""
        outgoing = session.queue.popleft()
        session.queued_bytes -= outgoing.size
        self._queued_bytes -= outgoing.size
        return outgoing

    def drop(self, session: Session, outgoing: Outgoing) -> None:
        """A message was acknowledged, has expired, or cannot be sent: keep it no longer."""
        if session.saved:
            self._records.remove(MESSAGE, session.client_id, outgoing.number)

    def receive(self, session: Session, packet_id: int, mark: bytes) -> None:
        """A message with QoS 2 was taken (§4.3.3); `mark` tells it from another with its id.

        Of too many that were never released the oldest is forgotten: a device that lost its power behind PUBREC again
        and again would never be taken any more.
        """
        session.received.pop(packet_id, None)
        session.received[packet_id] = mark
        if session.lasts:
            self._records.put(RECEIVED, session.client_id, packet_id, mark)
        if len(session.received) > _UNRELEASED:
            self.release(session, next(iter(session.received)))

    def release(self, session: Session, packet_id: int) -> bool:
        """It was released; False if it was not there."""
        if packet_id not in session.received:
            return False
        del session.received[packet_id]
        if session.saved:
            self._records.remove(RECEIVED, session.client_id, packet_id)
        return True

    def restore_session(self, client_id: str, body: bytes) -> None:
        """Take back a session that was kept."""
        said = json.loads(body)
        session = Session(client_id, said["level"], said["user"], said["expiry"], saved=body)
        ends = said["ends"]
        if ends is None and session.expiry != NEVER_EXPIRES:
            self._expire_in(session, session.expiry)
        elif ends is not None:
            moment = Moment(said.get("boot", ""), said.get("monotonic", 0.0), ends)
            self._expire_in(session, self._records.moments.left_until(moment, session.expiry))
        self._sessions[client_id] = session
        for pattern, options, identifier in said["filters"]:
            subscription = Subscription(pattern, options, identifier)
            session.filters[pattern] = subscription
            self.tree.add(client_id, subscription)
            self._count(session, 1, len(pattern))

    def restore_message(self, client_id: str, number: int, body: bytes) -> None:
        """Take back a message that was kept for a session."""
        session = self._sessions.get(client_id)
        if session is None:
            self._records.remove(MESSAGE, client_id, number)
            return
        message, expires = take_message(body, self._records.moments)
        session.next_number = max(session.next_number, number + 1)
        self._append(session, Outgoing(number, replace(message, packet_id=0), expires, again=True))

    def restore_received(self, client_id: str, packet_id: int, mark: bytes) -> None:
        """Take back that a message with QoS 2 was taken."""
        session = self._sessions.get(client_id)
        if session is None:
            self._records.remove(RECEIVED, client_id, packet_id)
        else:
            session.received[packet_id] = mark


def without_alias(message: Publish) -> Publish:
    """A message as it goes on: without what counts on one connection only (§3.3.2.3.4)."""
    properties = message.properties
    if properties is NOTHING and not message.packet_id and not message.dup:
        return message
    if properties.topic_alias is not None or properties.subscription_ids:
        properties = replace(properties, topic_alias=None, subscription_ids=())
    if properties == NOTHING:
        properties = NOTHING
    return replace(message, dup=False, packet_id=0, properties=properties)
