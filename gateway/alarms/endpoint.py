"""The gateway as MQTT 3.1.1 server for its own alarm devices: PUBACK and PUBREC mean "on disk"."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from gateway.alarms.connection import Connection
from gateway.alarms.exposure import check_exposure
from gateway.alarms.messages import Feedback, InboundMessage
from gateway.alarms.packets import Connect, Publish, Will
from gateway.alarms.sessions import Session, SessionBook
from gateway.errors import GatewayError, PermanentError
from gateway.events import new_id
from gateway.settings import MqttSettings

_CLOSE_SECONDS = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """What the endpoint holds and did."""

    connections: int
    sessions: int
    messages: int
    refused: int


class MqttEndpoint:
    """Listens for buttons.

    Args:
        settings: address and limits.
        takes: whether a topic is the gateway's own; only those go to `handler`.
        private: whether what a client publishes on a topic is for the gateway alone, and for no other client.
        handler: takes such a message; returns once it may be acknowledged; an error ends the sender's connection, so
            that it sends again.
        on_fault: records why a client was turned away: fault, detail, client.

    Messages on other topics are routed between the clients, as a small broker would; they are not kept on disk.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        takes: Callable[[str], bool],
        private: Callable[[str], bool],
        handler: Callable[[InboundMessage], Awaitable[None]],
        on_fault: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self._takes = takes
        self._private = private
        self._handler = handler
        self._on_fault = on_fault
        self._book = SessionBook()
        self._by_client: dict[str, Connection] = {}
        self._open: dict[Connection, None] = {}
        self._per_address: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts = Counter[str]()
        self._empty = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            PermanentError: the address is not loopback (there is no TLS here yet), or is taken.
        """
        check_exposure(self.settings)
        loop = asyncio.get_running_loop()
        host, port = self.settings.host, self.settings.port
        try:
            self._server = await loop.create_server(lambda: Connection(self), host, port, backlog=512)
        except OSError as error:
            remedy = "Is a broker or another gateway running there? Choose another mqtt.port."
            raise PermanentError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", remedy=remedy) from None

    def admitted(self, connection: Connection) -> None:
        """Count a connection; one too many is ended, the oldest that never said who it is before any other."""
        self._open[connection] = None
        self._empty.clear()
        self._per_address[connection.address] += 1
        limits, address = self.settings, connection.address
        if len(self._open) > limits.max_connections:
            self._end_one(connection, list(self._open), f"more than {limits.max_connections} connections")
        elif self._per_address[address] > limits.max_connections_per_address:
            neighbours = [each for each in self._open if each.address == address]
            limit = limits.max_connections_per_address
            self._end_one(connection, neighbours, f"more than {limit} connections of one address")

    def _end_one(self, newest: Connection, among: list[Connection], why: str) -> None:
        silent = next((each for each in among if each.session is None and not each.closed), newest)
        self.refuse("too_many_connections", why, silent)
        silent.abort()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise PermanentError("the endpoint is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def statistics(self) -> EndpointStatistics:
        """Figures for the health page."""
        return EndpointStatistics(len(self._open), len(self._book), self._counts["messages"], self._counts["refused"])

    def connected(self, connection: Connection, packet: Connect) -> tuple[Session, bool]:
        """The session of a client, and whether it was there before; its older connection ends (§3.1.4)."""
        client_id = packet.client_id or f"auto-{new_id()}"
        older = self._by_client.pop(client_id, None)
        if older is not None:
            older.abort()
        self._by_client[client_id] = connection
        return self._book.open(client_id, clean=packet.clean_session)

    def disconnected(self, connection: Connection, will: Will | None) -> None:
        """A connection ended: forget what it had, publish its will (§3.1.2.5)."""
        self._open.pop(connection, None)
        if not self._open:
            self._empty.set()
        self._per_address[connection.address] -= 1
        self._per_address += Counter()
        session = connection.session
        if session is None:
            return
        if self._by_client.get(session.client_id) is connection:
            del self._by_client[session.client_id]
        self._book.close(session, self._by_client.__contains__)
        if will is not None:
            message = InboundMessage(
                topic=will.topic, payload=will.payload, qos=will.qos, retain=will.retain, origin=session.client_id
            )
            self._spawn(self._publish_will(message), f"will of {session.client_id}")

    async def _publish_will(self, message: InboundMessage) -> None:
        try:
            await self.handle(message)
        except GatewayError as error:
            _log.error("a last will could not be stored: %s", error)

    async def handle(self, message: InboundMessage) -> None:
        """Take one message of a client: to the gateway, or to the clients that want it."""
        self._counts["messages"] += 1
        if self._takes(message.topic):
            await self._handler(message)
        if not self._private(message.topic):
            self._route(Publish(topic=message.topic, payload=message.payload, qos=message.qos, retain=message.retain))

    def _route(self, message: Publish) -> None:
        if message.retain:
            self._book.retain(message)
        for session, granted in self._book.takers(message.topic):
            qos = min(message.qos, granted)
            connection = self._by_client.get(session.client_id)
            if connection is not None:
                connection.deliver(message, qos)
            elif qos and not session.clean:
                session.enqueue(Publish(topic=message.topic, payload=message.payload, qos=qos))

    def answer(self, feedback: Feedback) -> None:
        """Publish feedback to a button with QoS 1."""
        self._route(Publish(topic=feedback.topic, payload=feedback.payload, qos=1, packet_id=0))

    def subscribe(self, session: Session, pattern: str, qos: int) -> bool:
        """Add a filter to a session; False if there are too many."""
        return self._book.subscribe(session, pattern, qos)

    def unsubscribe(self, session: Session, pattern: str) -> None:
        """Remove a filter."""
        self._book.unsubscribe(session, pattern)

    def retained(self, pattern: str) -> list[Publish]:
        """Kept messages for a new filter."""
        return self._book.retained(pattern)

    def refuse(self, fault: str, detail: str, connection: Connection) -> None:
        """Record why a client was turned away."""
        self._counts["refused"] += 1
        who = connection.client_id or connection.address
        self._spawn(self._record(fault, detail, who), "mqtt fault")

    async def _record(self, fault: str, detail: str, who: str) -> None:
        try:
            await self._on_fault(fault, detail, who)
        except GatewayError as error:
            _log.error("a fault could not be stored: %s: %s", fault, error)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Take no more connections, end those that are open, wait for what is being stored."""
        if self._server is None:
            return
        self._server.close()
        if not self._open:
            self._empty.set()
        for connection in list(self._open):
            connection.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), _CLOSE_SECONDS)
        for connection in list(self._open):
            connection.abort()
        await asyncio.sleep(0)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
        await self._server.wait_closed()
