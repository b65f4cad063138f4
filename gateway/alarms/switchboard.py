"""What a connection asks of its endpoint."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from gateway.alarms.access import Verdict
from gateway.alarms.packets import Connect, Publish
from gateway.alarms.reasons import Reason
from gateway.alarms.sessions import Session
from gateway.alarms.topics import Subscription
from gateway.alarms.turns import Turns
from gateway.events import Cause
from gateway.settings import MqttSettings

if TYPE_CHECKING:
    from gateway.alarms.connection import Connection
    from gateway.alarms.line import Line


class Switchboard(Protocol):
    """What a connection asks of its endpoint."""

    settings: MqttSettings
    turns: Turns

    def admitted(self, connection: "Line") -> None:
        """A connection is there; its address is known."""

    async def identify(self, packet: Connect, certified: str | None, address: str, *, secure: bool) -> Verdict:
        """Who a client is."""

    def connected(self, connection: "Connection", packet: Connect, user: str) -> tuple[Session, bool]:
        """A client came in: its session, and whether that was there before.

        Raises:
            ProtocolBreachError: the session is another user's.
        """

    def disconnected(self, connection: "Line") -> None:
        """A connection ended."""

    def take(self, session: Session, packet: Publish) -> "asyncio.Future[Any] | Reason":
        """Take a message; done once it may be acknowledged."""

    def refuse_publish(self, connection: "Connection", topic: str, payload: bytes) -> "asyncio.Future[Any]":
        """Record that a client may not publish there; done once that is durable."""

    def subscribe(self, session: Session, subscriptions: Sequence[Subscription]) -> list[bool]:
        """Add filters to a session; False for each there is no room for."""

    def unsubscribe(self, session: Session, patterns: Sequence[str]) -> list[bool]:
        """Remove filters; False for each that was not there."""

    def send_retained(self, session: Session, subscription: Subscription, *, fresh: bool) -> None:
        """Send what is kept on the topics of a new filter, bit by bit."""

    def acknowledged(self, session: Session, packet_id: int) -> None:
        """A client has a message with QoS 1."""

    def release(self, session: Session, packet_id: int) -> bool:
        """A client released a message with QoS 2; False if it was not there."""

    def requeue(self, session: Session) -> None:
        """A client is there again: what it has not acknowledged is to be sent again."""

    def next_message(self, session: Session, limit: int) -> Publish | None:
        """The next message for a client that has less than `limit` unacknowledged ones."""

    def change_expiry(self, session: Session, seconds: int) -> None:
        """Another expiry of a session."""

    def flushed(self) -> "asyncio.Future[Any] | Reason":
        """Done once all that was changed is durable; fails if it cannot be."""

    def settled(self) -> "asyncio.Future[Any] | Reason":
        """As `flushed`, but with a reason from 0x80 on instead of a failure."""

    def refuse(self, cause: Cause, connection: "Line") -> None:
        """Record why a client was turned away."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run something beside."""
