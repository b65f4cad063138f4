"""The gateway as MQTT server (3.1.1 and 5) for its own alarm devices: PUBACK and PUBREC mean "on disk"."""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from gateway.alarms.access import AccessList, Verdict, Verify, nobody
from gateway.alarms.admission import Admission
from gateway.alarms.answers import nobody_wants, reason_of
from gateway.alarms.connection import Connection
from gateway.alarms.exposure import check_exposure
from gateway.alarms.greeting import expiry_of
from gateway.alarms.line import Line
from gateway.alarms.messages import EndpointStatistics, Feedback, InboundMessage
from gateway.alarms.once import OnceTaker
from gateway.alarms.packets import Connect, Publish
from gateway.alarms.reasons import Reason
from gateway.alarms.records import RecordBook, SessionStore
from gateway.alarms.refusals import CLASH, refused_publish, refused_will
from gateway.alarms.restoring import restore_records
from gateway.alarms.retained import RetainedBook
from gateway.alarms.retained_feed import RetainedFeed
from gateway.alarms.router import Router
from gateway.alarms.sessions import NEVER_EXPIRES, Session, SessionBook
from gateway.alarms.tls import TlsListener, server_context
from gateway.alarms.topics import Subscription
from gateway.alarms.turns import Turns
from gateway.alarms.wills import LastWill, WillKeeper
from gateway.alarms.wireformat import ProtocolBreachError
from gateway.errors import GatewayError, PermanentError
from gateway.events import Cause, new_id
from gateway.settings import MqttSettings

_CLOSE_SECONDS = 2.0
_BACKLOG = 512
_QOS_2 = 2
_log = logging.getLogger(__name__)


class MqttEndpoint:
    """Listens for buttons.

    Args:
        settings: addresses, limits, who may come in.
        site: names the topics that a user may use if no rule says otherwise.
        takes: whether a topic is the gateway's own; only those go to `handler`.
        private: whether what a client publishes on a topic is for the gateway alone, and for no other client.
        handler: takes such a message; returns once it may be acknowledged; an error ends the sender's connection, so
            that it sends again.
        on_fault: records why a client was turned away: the cause and the client.
        store: where sessions, messages for clients that are away, retained messages and wills are kept; None: nowhere.
        verify: checks a password against its hash, off the loop.

    Messages on other topics are routed between the clients, as a broker would.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        takes: Callable[[str], bool],
        private: Callable[[str], bool],
        handler: Callable[[InboundMessage], Awaitable[None]],
        on_fault: Callable[[Cause, str], Awaitable[None]],
        site: str = "",
        store: SessionStore | None = None,
        verify: Verify = nobody,
    ) -> None:
        self.settings = settings
        self.turns = Turns()
        self._takes = takes
        self._private = private
        self._handler = handler
        self._on_fault = on_fault
        self._access = AccessList(settings, site, verify)
        self._records = RecordBook(store)
        self._by_client: dict[str, Connection] = {}
        self._book = SessionBook(
            self._records, settings.max_sessions, self._by_client.__contains__, self._session_ended
        )
        self._once = OnceTaker(
            self._book, takes=takes, handle=self._handle_once, start=self._start, flushed=self.flushed
        )
        self._retained = RetainedBook(self._records)
        self._router = Router(self._book, self._retained, self._by_client)
        self._feed = RetainedFeed(self._retained, self._by_client, self._router.deliver)
        self._wills = WillKeeper(self._records, self._publish_will)
        self._admission = Admission(settings)
        self._server: asyncio.Server | None = None
        self._tls: TlsListener | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._counts = Counter[str]()
        self._stopping = False

    # --- beginning and end

    async def start(self) -> None:
        """Take back what was kept, and begin to listen.

        Raises:
            PermanentError: the plain listener's address is not loopback, an address is taken, or a TLS file is bad.
        """
        settings = self.settings
        check_exposure(settings)
        context = server_context(settings.tls) if settings.tls is not None else None
        await restore_records(self._records, self._book, self._retained, self._wills)
        loop = asyncio.get_running_loop()
        host, port = settings.host, settings.port
        try:
            self._server = await loop.create_server(lambda: Connection(self), host, port, backlog=_BACKLOG)
            if settings.tls is not None and context is not None:
                host, port = settings.tls.host, settings.tls.port
                self._tls = TlsListener(settings.tls, partial(self._accepted, context))
        except OSError as error:
            if self._server is not None:
                self._server.close()
            remedy = "Is a broker or another gateway running there? Choose another mqtt.port."
            raise PermanentError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", remedy=remedy) from None
        more = f", TLS on {host}:{self._tls.port}" if self._tls else " only; [mqtt.tls] opens it to the network"
        _log.info("MQTT: plain on the loopback %s:%d%s", settings.host, self.port, more)

    def _accepted(self, context: ssl.SSLContext, address: str, connected: socket.socket) -> None:
        Connection(self, secure=True).accepted(address, connected, context)

    async def stop(self) -> None:
        """Take no more connections, acknowledge what is being stored, end those that are open.

        Wills are not published: they wait in the store, and come after the next start if their client does not.
        """
        if self._server is None:
            return
        self._stopping = True
        self._server.close()
        if self._tls is not None:
            await self._tls.close()
        for connection in self._admission.open:
            connection.finish(Reason.SERVER_SHUTTING_DOWN)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._admission.empty.wait(), _CLOSE_SECONDS)
        for connection in self._admission.open:
            connection.abort()
        await asyncio.sleep(0)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        self._feed.stop()
        self.turns.stop()
        self._book.end_all_timers()
        self._wills.stop()
        await self._records.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port of the plain listener."""
        if self._server is None:
            raise PermanentError("the endpoint is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def tls_port(self) -> int:
        """The port of the TLS listener."""
        if self._tls is None:
            raise PermanentError("there is no TLS listener")
        return self._tls.port

    @property
    def statistics(self) -> EndpointStatistics:
        """Figures for the health page."""
        connections, sessions = len(self._admission.open), len(self._book)
        return EndpointStatistics(connections, sessions, self._counts["messages"], self._counts["refused"])

    # --- connections

    def admitted(self, connection: Line) -> None:
        """Count a connection; one too many is ended, the oldest that never said who it is before any other."""
        if self._stopping:
            connection.abort()
        elif (too_many := self._admission.admit(connection)) is not None:
            victim, why = too_many
            self.refuse(why, victim)
            victim.abort()

    async def identify(self, packet: Connect, certified: str | None, address: str, *, secure: bool) -> Verdict:
        """Who a client is."""
        return await self._access.admit(packet, certified, address, secure=secure)

    def connected(self, connection: Connection, packet: Connect, user: str) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before; its older connection ends (§3.1.4)."""
        client_id = packet.client_id or f"auto-{new_id()}"
        known = self._book.get(client_id)
        if known is not None and known.user != user:
            raise ProtocolBreachError(f"client id {client_id[:64]!r} is another user's", Reason.NOT_AUTHORIZED)
        older = self._by_client.get(client_id)
        if older is not None:
            if self._admission.clashes(client_id):
                self.refuse(CLASH, older)
            older.end(Reason.SESSION_TAKEN_OVER)
            self._leave(older, session_goes_on=not packet.clean_session)
        expiry = expiry_of(packet)
        session, present = self._book.open(
            client_id, clean=packet.clean_session, expiry=expiry, level=packet.protocol_level, user=user
        )
        self._wills.came_back(client_id)
        self._by_client[client_id] = connection
        connection.rights = self._access.rights_of(user, client_id)
        if packet.will is not None:
            if not connection.rights.may_publish(packet.will.topic):
                self.refuse(refused_will(packet.will.topic), connection)
            else:
                connection.will = self._wills.note(client_id, packet.will, user, expiry)
        return session, present

    def disconnected(self, connection: Line) -> None:
        """A connection ended: forget what it had, publish its will (§3.1.2.5)."""
        self._admission.forget(connection)
        self._leave(connection, session_goes_on=False)

    def _leave(self, connection: Line, *, session_goes_on: bool) -> None:
        session, will = connection.session, connection.will
        connection.will = None
        if session is None:
            return
        mine = self._by_client.get(session.client_id) is connection
        if mine:
            del self._by_client[session.client_id]
        if will is not None:
            self._settle_will(connection, session, will, session_goes_on=session_goes_on)
        if mine and not session_goes_on:
            self._book.close(session)

    def _settle_will(self, connection: Line, session: Session, will: LastWill, *, session_goes_on: bool) -> None:
        if connection.left_in_order or (session_goes_on and will.delay and session.lasts):
            self._wills.forget(will)
        elif not self._stopping:
            self._wills.lost(will, session.expiry if session.expiry != NEVER_EXPIRES else float("inf"))

    def _session_ended(self, session: Session) -> None:
        self._wills.session_ended(session.client_id)

    # --- messages in

    def take(self, session: Session, packet: Publish) -> "asyncio.Future[Any] | Reason":
        """Take one message of a client: to the gateway, or to the clients that want it."""
        if packet.qos == _QOS_2:
            return self._once.take(session, packet)
        self._counts["messages"] += 1
        if self._takes(packet.topic):
            return self._start(self._handle(session.client_id, packet), "mqtt publish")
        return self._pass_on(session.client_id, packet)

    def _pass_on(self, client_id: str, packet: Publish) -> "asyncio.Future[Any] | Reason":
        if self._private(packet.topic):
            return Reason.SUCCESS
        wanted = self._router.route(packet, client_id)
        stored = self.flushed() if packet.qos else Reason.SUCCESS
        if wanted:
            return stored
        if isinstance(stored, Reason):
            return Reason.NO_MATCHING_SUBSCRIBERS
        return self._start(nobody_wants(stored), "mqtt retained publish")

    async def _handle(self, client_id: str, packet: Publish) -> None:
        message = InboundMessage(
            topic=packet.topic, payload=packet.payload, qos=packet.qos, retain=packet.retain, origin=client_id
        )
        await self._handler(message)
        stored = self._pass_on(client_id, packet)
        if not isinstance(stored, Reason):
            await stored

    async def _handle_once(self, client_id: str, packet: Publish) -> None:
        self._counts["messages"] += 1
        if self._takes(packet.topic):
            await self._handle(client_id, packet)
        else:
            self._pass_on(client_id, packet)

    def release(self, session: Session, packet_id: int) -> bool:
        """A client released a message with QoS 2."""
        return self._book.release(session, packet_id)

    def flushed(self) -> "asyncio.Future[Any] | Reason":
        """Done once all that was changed is durable."""
        return self._records.flush() or Reason.SUCCESS

    def settled(self) -> "asyncio.Future[Any] | Reason":
        """As `flushed`, but with a reason from 0x80 on instead of a failure."""
        stored = self._records.flush()
        return Reason.SUCCESS if stored is None else self._start(reason_of(stored), "mqtt session")

    def _publish_will(self, will: LastWill) -> None:
        self.spawn(self._take_will(will), f"will of {will.client_id[:64]}")

    async def _take_will(self, will: LastWill) -> None:
        self._counts["messages"] += 1
        try:
            if self._takes(will.message.topic):
                await self._handle(will.client_id, will.message)
            else:
                self._pass_on(will.client_id, will.message)
        except GatewayError as error:
            _log.error("a last will could not be stored: %s", error)
            return
        self._wills.forget(will)

    # --- messages out

    def answer(self, feedback: Feedback) -> None:
        """Publish feedback to a button with QoS 1."""
        self._router.route(Publish(topic=feedback.topic, payload=feedback.payload, qos=1), "")

    def requeue(self, session: Session) -> None:
        """A client is there again: what it has not acknowledged is to be sent again."""
        self._book.requeue(session)
        self._feed.back(session)

    def next_message(self, session: Session, limit: int) -> Publish | None:
        """The next message for a client that has less than `limit` unacknowledged ones."""
        while session.queue and len(session.sent) < limit:
            outgoing = self._book.dequeue(session)
            packet = outgoing.packet(time.monotonic())
            if packet is None:
                self._book.drop(session, outgoing)
                continue
            session.sent[outgoing.packet_id] = outgoing
            return packet
        return None

    def acknowledged(self, session: Session, packet_id: int) -> None:
        """A client has a message with QoS 1."""
        outgoing = session.sent.pop(packet_id, None)
        if outgoing is not None:
            self._book.drop(session, outgoing)

    def subscribe(self, session: Session, subscriptions: Sequence[Subscription]) -> list[bool]:
        """Add filters to a session; False for each there is no room for."""
        return self._book.subscribe(session, subscriptions)

    def unsubscribe(self, session: Session, patterns: Sequence[str]) -> list[bool]:
        """Remove filters; False for each that was not there."""
        return self._book.unsubscribe(session, patterns)

    def change_expiry(self, session: Session, seconds: int) -> None:
        """Another expiry of a session."""
        self._book.set_expiry(session, seconds)

    def send_retained(self, session: Session, subscription: Subscription, *, fresh: bool) -> None:
        """Send what is kept on the topics of a new filter, bit by bit."""
        self._feed.want(session, subscription, fresh=fresh)

    def refuse(self, cause: Cause, connection: Line) -> None:
        """Record why a client was turned away."""
        self.spawn(self._record(cause, connection), "mqtt fault")

    def refuse_publish(self, connection: Connection, topic: str, payload: bytes) -> "asyncio.Future[Any]":
        """Record that a client may not publish there; done once that is durable, with the reason."""
        cause = refused_publish(topic, len(payload))
        return self._start(self._refuse_publish(cause, connection), "mqtt refused publish")

    async def _refuse_publish(self, cause: Cause, connection: Connection) -> Reason:
        self._counts["refused"] += 1
        await self._on_fault(cause, connection.client_id)
        return Reason.NOT_AUTHORIZED

    async def _record(self, cause: Cause, connection: Line) -> None:
        self._counts["refused"] += 1
        try:
            await self._on_fault(cause, connection.client_id or connection.address)
        except GatewayError as error:
            _log.error("a fault could not be stored: %s: %s", cause.fault, error)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run something beside; `stop` waits for it."""
        return self._start(work, name)

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        """Look at how it ended: the client who would have heard that nothing was stored may be gone."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, GatewayError):
            _log.error("%s failed", task.get_name(), exc_info=error)
