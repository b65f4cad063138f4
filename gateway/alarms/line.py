"""The network side of a connection: TLS, time-outs, and the end of peers that are silent, slow or deaf."""

import asyncio
import contextlib
import socket
import ssl
from abc import abstractmethod
from typing import cast

from gateway.alarms.codec import PacketReader
from gateway.alarms.reasons import Reason
from gateway.alarms.sessions import Session
from gateway.alarms.sockets import find_half_open
from gateway.alarms.switchboard import Switchboard
from gateway.alarms.tls import common_name
from gateway.alarms.wills import LastWill
from gateway.events import because

_HIGH_WATER_BYTES = 512 * 1024


class Line(asyncio.Protocol):
    """The server's side of one network connection (§4.2), below its packets.

    Args:
        board: its endpoint.
        secure: it is of the TLS listener, not of the plain one on the loopback.

    Attributes:
        will: published when the connection is lost.
        closed: nothing is written any more.
        left_in_order: the client said that it goes.
    """

    def __init__(self, board: Switchboard, *, secure: bool = False) -> None:
        self._board = board
        self.secure = secure
        self._handshake: asyncio.Task[None] | None = None
        self._reader = PacketReader(board.settings.max_packet_bytes)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._certified: str | None = None
        self._busy = False
        self._greeted = False
        self._timer: asyncio.TimerHandle | None = None
        self._part_timer: asyncio.TimerHandle | None = None
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._heard = 0.0
        self._patience = 0.0
        self.session: Session | None = None
        self.will: LastWill | None = None
        self.address = ""
        self.closed = False
        self.lost = False
        self.left_in_order = False

    @property
    def client_id(self) -> str:
        """Who it is; empty before its CONNECT."""
        return self.session.client_id if self.session else ""

    @abstractmethod
    def take_packets(self, ends: float) -> bool:
        """Take packets that are whole until the clock says `ends`; whether more wait."""

    @abstractmethod
    def finish(self, reason: Reason) -> None:
        """End once what is being stored was acknowledged."""

    @abstractmethod
    def end(self, reason: Reason, why: str = "") -> None:
        """Tell a client of MQTT 5 why it is disconnected (§3.14), and close."""

    def accepted(self, address: str, connected: socket.socket, context: ssl.SSLContext) -> None:
        """A client of the TLS listener is there: it counts from now on, and has the time-out for its handshake."""
        self.address = address
        self._board.admitted(self)
        if self.closed:
            connected.close()
            self.connection_lost(None)
            return
        work = self._secure(connected, context)
        self._handshake = self._board.spawn(work, "mqtt tls handshake")

    async def _secure(self, connected: socket.socket, context: ssl.SSLContext) -> None:
        seconds = self._board.settings.connect_timeout_seconds
        try:
            await self._loop.connect_accepted_socket(
                lambda: self, connected, ssl=context, ssl_handshake_timeout=seconds, ssl_shutdown_timeout=1.0
            )
        except OSError as error:
            if not self.closed:
                what = f"no TLS with {self.address}: {error}"
                self._board.refuse(because("tls_handshake", what, address=self.address), self)
            self.connection_lost(error)
        except asyncio.CancelledError:
            self.connection_lost(None)
            raise
        finally:
            self._handshake = None
            if self._transport is None:
                connected.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; it must say who it is within the time-out."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        find_half_open(transport.get_extra_info("socket"))
        self._heard = self._loop.time()
        self._wait(self._board.settings.connect_timeout_seconds)
        if self.secure:
            self._certified = common_name(transport.get_extra_info("peercert"))
            if self.closed:
                self._transport.abort()
            return
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._board.admitted(self)

    def _wait(self, seconds: float) -> None:
        self._patience = seconds
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._check_silence) if seconds else None

    def _check_silence(self) -> None:
        left = self._heard + self._patience - self._loop.time()
        if self.session is None or not self._greeted:
            self.abort()
        elif left <= 0:
            self.end(Reason.KEEPALIVE_TIMEOUT)
            self.abort()
        else:
            self._timer = self._loop.call_later(left, self._check_silence)

    def pause_writing(self) -> None:
        """The client does not read what it is sent: it is dropped; what matters waits in its session."""
        self.abort()

    def eof_received(self) -> bool:
        """The client sends no more: close."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone; what is being handled goes on, its acknowledgement has no addressee any more."""
        if self.lost:
            return
        self.lost = self.closed = True
        for timer in (self._timer, self._part_timer):
            if timer is not None:
                timer.cancel()
        self._board.disconnected(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._reader.push(data)
        if not self._busy:
            self._go_through()

    def _go_through(self) -> None:
        """Have the packets taken; while some wait for that, no more are read."""
        if self._board.turns.ask(self):
            self._pause_reading()

    def _watch_part(self) -> None:
        """A packet that has begun must be whole within the time-out, however slowly its bytes drip."""
        if not self._reader.waiting or self._busy or self.closed:
            self._forget_part()
        elif self._part_timer is None:
            self._part_timer = self._loop.call_later(self._board.settings.connect_timeout_seconds, self.abort)

    def _forget_part(self) -> None:
        if self._part_timer is not None:
            self._part_timer.cancel()
            self._part_timer = None

    def _hold(self) -> None:
        self._busy = True
        self._pause_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(RuntimeError):
                self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self.closed:
            with contextlib.suppress(RuntimeError):
                self._transport.resume_reading()

    def _let_go(self) -> None:
        self._busy = False
        self._resume_reading()
        self._go_through()

    def _write(self, data: bytes, *, patient: bool = False) -> None:
        """Write with all else that this turn of the loop has for the client: system calls are dearer than turns.

        What is `patient` waits a turn for company, such as feedback for the acknowledgement of its press.
        """
        if not self._outgoing and patient:
            self._loop.call_soon(self._loop.call_soon, self._write_out)
        elif not self._outgoing:
            self._loop.call_soon(self._write_out)
        self._outgoing.append(data)
        self._outgoing_bytes += len(data)

    def _write_out(self) -> None:
        outgoing, self._outgoing, self._outgoing_bytes = self._outgoing, [], 0
        if outgoing and self._transport is not None and not self.lost:
            self._transport.write(outgoing[0] if len(outgoing) == 1 else b"".join(outgoing))

    @property
    def unread(self) -> int:
        """Bytes that were written and that the client's side has not taken."""
        return self._outgoing_bytes + (self._transport.get_write_buffer_size() if self._transport else 0)

    def close(self) -> None:
        """End the connection once what was written is out."""
        if not self.closed and self._transport is not None:
            self._write_out()
            self.closed = True
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._outgoing.clear()
        self.closed = True
        if self._transport is not None:
            self._transport.abort()
        elif self._handshake is not None:
            self._handshake.cancel()
