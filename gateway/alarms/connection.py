"""One client's connection: packets in and out, acknowledgements in order and only for what was handled."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from gateway.alarms.codec import PacketReader, encode_packet
from gateway.alarms.messages import InboundMessage
from gateway.alarms.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from gateway.alarms.sessions import Session
from gateway.alarms.wireformat import MalformedPacketError, UnsupportedProtocolError
from gateway.errors import GatewayError
from gateway.settings import MqttSettings

_HIGH_WATER_BYTES = 1_000_000
_FAILURE = 0x80
_CONNECT_HEAD = 0x10
_KEEPALIVE_FACTOR = 1.5


class Switchboard(Protocol):
    """What a connection asks of its endpoint."""

    settings: MqttSettings

    def admitted(self, connection: "Connection") -> None:
        """A connection is there; its address is known."""

    def connected(self, connection: "Connection", packet: Connect) -> tuple[Session, bool]:
        """A client said who it is: its session, and whether that was there before."""

    def disconnected(self, connection: "Connection", will: Will | None) -> None:
        """A connection ended; `will` is published."""

    async def handle(self, message: InboundMessage) -> None:
        """Take a message; returns once it may be acknowledged."""

    def subscribe(self, session: Session, pattern: str, qos: int) -> bool:
        """Add a filter to a session; False if there are too many."""

    def unsubscribe(self, session: Session, pattern: str) -> None:
        """Remove a filter."""

    def retained(self, pattern: str) -> list[Publish]:
        """Kept messages for a new filter."""

    def refuse(self, fault: str, detail: str, connection: "Connection") -> None:
        """Record why a client was turned away."""


class Connection(asyncio.Protocol):
    """The server's side of one TCP connection (§4)."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._board = switchboard
        self._reader = PacketReader(switchboard.settings.max_packet_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._will: Will | None = None
        self._handling: deque[tuple[asyncio.Task[None], Callable[[], None]]] = deque()
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._patience = 0.0
        self.session: Session | None = None
        self.address = ""
        self.closed = False

    @property
    def client_id(self) -> str:
        """Who it is; empty before its CONNECT."""
        return self.session.client_id if self.session else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; it must say who it is within the time-out."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        self._heard = self._loop.time()
        self._wait(self._board.settings.connect_timeout_seconds)
        self._board.admitted(self)

    def _wait(self, seconds: float) -> None:
        self._patience = seconds
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._check_silence) if seconds else None

    def _check_silence(self) -> None:
        left = self._heard + self._patience - self._loop.time()
        if self.session is None or left <= 0:
            self.abort()
        else:
            self._timer = self._loop.call_later(left, self._check_silence)

    def pause_writing(self) -> None:
        """The client does not read what it is sent: it is dropped; what matters waits in its session."""
        self.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.session is not None:
            self._heard = self._loop.time()
        try:
            if self.session is None and not self._reader.waiting and data[0] != _CONNECT_HEAD:
                raise MalformedPacketError("the first packet is no CONNECT")
            for packet in self._reader.feed(data):
                if self.closed:
                    return
                self._take(packet)
        except UnsupportedProtocolError as error:
            self.send(Connack(code=1))
            self._refuse("unsupported_protocol", str(error))
        except MalformedPacketError as error:
            self._refuse("malformed_packet", str(error))

    def _refuse(self, fault: str, detail: str) -> None:
        self._board.refuse(fault, detail, self)
        self.close()

    def _take(self, packet: Packet) -> None:
        if self.session is None:
            self._open(packet)
            return
        match packet:
            case Publish():
                self._take_publish(packet, self.session)
            case Puback() | Pubrel():
                self._take_acknowledgement(packet, self.session)
            case Subscribe():
                self._take_subscribe(packet, self.session)
            case Unsubscribe():
                for pattern in packet.filters:
                    self._board.unsubscribe(self.session, pattern)
                self.send(Unsuback(packet.packet_id))
            case Pingreq():
                self.send(Pingresp())
            case Disconnect():
                self._will = None
                self.close()
            case _:
                raise MalformedPacketError(f"a client may not send {type(packet).__name__}")

    def _take_acknowledgement(self, packet: Puback | Pubrel, session: Session) -> None:
        if isinstance(packet, Pubrel):
            session.received.discard(packet.packet_id)
            self._in_order(lambda: self.send(Pubcomp(packet.packet_id)))
        else:
            session.sent.pop(packet.packet_id, None)
            self._send_queued()

    def _open(self, packet: Packet) -> None:
        if not isinstance(packet, Connect):
            raise MalformedPacketError("the first packet is no CONNECT")
        if not packet.client_id and not packet.clean_session:
            self.send(Connack(code=2))
            self._refuse("bad_client_id", "an empty client id needs a clean session (§3.1.3.1)")
            return
        session, present = self._board.connected(self, packet)
        self.session = session
        self._will = packet.will
        self.send(Connack(session_present=present))
        self._wait(packet.keepalive * _KEEPALIVE_FACTOR)
        for packet_id, message in session.sent.items():
            self.send(_again(message, packet_id))
        self._send_queued()

    def _take_publish(self, packet: Publish, session: Session) -> None:
        if packet.qos == 2 and packet.packet_id in session.received:  # noqa: PLR2004  # QoS 2
            self._in_order(lambda: self.send(Pubrec(packet.packet_id)))
            return
        message = InboundMessage(
            topic=packet.topic,
            payload=packet.payload,
            qos=packet.qos,
            retain=packet.retain,
            origin=session.client_id,
        )
        task = self._loop.create_task(self._board.handle(message), name=f"mqtt publish of {session.client_id}")
        self._handling.append((task, self._acknowledgement(packet, session)))
        task.add_done_callback(self._handled)
        if len(self._handling) >= self._board.settings.max_inflight and self._transport and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _acknowledgement(self, packet: Publish, session: Session) -> Callable[[], None]:
        if packet.qos == 0:
            return lambda: None
        if packet.qos == 1:
            return lambda: self.send(Puback(packet.packet_id))

        def received() -> None:
            session.received.add(packet.packet_id)
            self.send(Pubrec(packet.packet_id))

        return received

    def _in_order(self, answer: Callable[[], None]) -> None:
        """Answer behind the acknowledgements that are due before it (§4.6)."""
        if not self._handling:
            answer()
            return
        last, before = self._handling[-1]

        def both() -> None:
            before()
            answer()

        self._handling[-1] = (last, both)

    def _handled(self, _task: asyncio.Task[None]) -> None:
        while self._handling and self._handling[0][0].done():
            task, acknowledge = self._handling.popleft()
            if task.cancelled():
                continue
            error = task.exception()
            if error is None:
                acknowledge()
            elif isinstance(error, GatewayError):
                self.close()
            else:
                self.close()
                raise error
        if self._paused and len(self._handling) < self._board.settings.max_inflight and self._transport:
            self._paused = False
            with contextlib.suppress(RuntimeError):
                self._transport.resume_reading()

    def _take_subscribe(self, packet: Subscribe, session: Session) -> None:
        capped = [(pattern, min(qos, 1)) for pattern, qos in packet.filters]
        granted = [qos if self._board.subscribe(session, pattern, qos) else _FAILURE for pattern, qos in capped]
        self.send(Suback(packet.packet_id, tuple(granted)))
        for (pattern, _qos), code in zip(packet.filters, granted, strict=True):
            if code != _FAILURE:
                for message in self._board.retained(pattern):
                    self.deliver(message, min(message.qos, code), retain=True)

    def deliver(self, message: Publish, qos: int, *, retain: bool = False) -> None:
        """Send a message to this client, or queue it behind those that wait for an acknowledgement."""
        session = self.session
        if session is None:
            return
        outgoing = Publish(topic=message.topic, payload=message.payload, qos=qos, retain=retain)
        if qos == 0:
            self.send(outgoing)
        else:
            session.enqueue(outgoing)
            self._send_queued()

    def _send_queued(self) -> None:
        session = self.session
        while session is not None and session.queue and len(session.sent) < self._board.settings.max_inflight:
            waiting = session.dequeue()
            packet_id = session.take_id()
            message = Publish(
                topic=waiting.topic,
                payload=waiting.payload,
                qos=waiting.qos,
                retain=waiting.retain,
                packet_id=packet_id,
            )
            session.sent[packet_id] = message
            self.send(message)

    def send(self, packet: Packet) -> None:
        """Write a packet; nothing happens once the connection is closed."""
        if self._transport is not None and not self.closed:
            self._transport.write(encode_packet(packet))

    def close(self) -> None:
        """End the connection once what was written is out."""
        if not self.closed and self._transport is not None:
            self.closed = True
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> bool:
        """The client sends no more: close."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone; what is being handled goes on, its acknowledgement has no addressee any more."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._board.disconnected(self, self._will)


def _again(message: Publish, packet_id: int) -> Publish:
    return Publish(
        topic=message.topic,
        payload=message.payload,
        qos=message.qos,
        retain=message.retain,
        dup=True,
        packet_id=packet_id,
    )
