"""Takes connections off a listening socket, no faster than the loop has time for; encryption begins in its turn."""

import asyncio
import errno
import functools
import logging
import socket
import ssl
import time
from collections.abc import Callable

from gateway.api.budget import Purse, Share
from gateway.api.door import network_of
from gateway.api.reception import Reception

_ACCEPTING = Share(rate=0.10, burst_seconds=0.02)
_HANDSHAKE_SECONDS = 10.0
_SHUTDOWN_SECONDS = 10.0
# A TLS 1.3 handshake with a P-256 key takes the server's processor about 1 to 2 ms.
_COST_SECONDS = {True: 0.002, False: 0.0001}
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_REST_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Arrival:
    """A connection that no protocol has yet: it waits for its turn, or for the end of its handshake."""

    is_served = False

    def __init__(self, connection: socket.socket, gone: Callable[["Arrival"], None]) -> None:
        self._connection = connection
        self._is_taken = False
        self._gone = gone
        self.task: asyncio.Task[None] | None = None

    def take(self) -> socket.socket:
        """The connection, for whoever serves it from now on."""
        self._is_taken = True
        return self._connection

    def eject(self) -> None:
        """Others need its place."""
        if not self._is_taken:
            self._connection.close()
            self._gone(self)
        elif self.task is not None:
            self.task.cancel()


class Acceptor:
    """Accepts for one server.

    Args:
        listener: bound, listening.
        reception: who may come in, and when.
        protocol: makes a connection's protocol; it is given the arrival, whose place it takes.
        context: of TLS; None for plain HTTP.
    """

    def __init__(
        self,
        listener: socket.socket,
        reception: Reception,
        protocol: Callable[..., asyncio.Protocol],
        context: ssl.SSLContext | None,
    ) -> None:
        self._listener = listener
        self._reception = reception
        self._protocol = protocol
        self._context = context
        self._arrivals: set[Arrival] = set()

    async def run(self) -> None:
        """Accept until cancelled; then nobody waits any more."""
        loop = asyncio.get_running_loop()
        purse = Purse(_ACCEPTING, loop.time())
        self._listener.setblocking(False)
        try:
            while True:
                found = await self._accept()
                before = time.thread_time()
                if found is not None:
                    self._arrive(*found)
                purse.take(time.thread_time() - before, loop.time())
                await asyncio.sleep(purse.wait(loop.time()))
        finally:
            await self._send_away()

    async def _accept(self) -> tuple[socket.socket, str] | None:
        """The next caller; one that was taken while this task was ended is closed."""
        taking = asyncio.ensure_future(asyncio.get_running_loop().sock_accept(self._listener))
        try:
            connection, address = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.cancel()
            if taking.done() and not taking.cancelled() and taking.exception() is None:
                taking.result()[0].close()
            raise
        except OSError as error:
            if error.errno in _EXHAUSTED:
                _log.error("no HTTP connection can be taken: %s", error.strerror)
                await asyncio.sleep(_REST_SECONDS)
            return None
        return connection, network_of(address[0])

    def _arrive(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        strangers = self._reception.strangers

        def begin() -> None:
            strangers.charge(address, _COST_SECONDS[self._context is not None])
            self._begin(arrival)

        def gone(ejected: Arrival) -> None:
            strangers.withdraw(address, begin)
            self._arrivals.discard(ejected)

        arrival = Arrival(connection, gone)
        if not self._reception.door.enter(arrival, address):
            connection.close()
            return
        self._arrivals.add(arrival)
        strangers.ask(address, begin)

    def _begin(self, arrival: Arrival) -> None:
        connection = arrival.take()
        arrival.task = asyncio.get_running_loop().create_task(
            self._welcome(arrival, connection), name="HTTP connection begins"
        )
        arrival.task.add_done_callback(lambda task: self._begun(arrival, connection, task))

    def _begun(self, arrival: Arrival, connection: socket.socket, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # perhaps before its first step
            connection.close()
        self._arrivals.discard(arrival)
        self._reception.door.leave(arrival)

    async def _welcome(self, arrival: Arrival, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                functools.partial(self._protocol, arrival=arrival),
                connection,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._context else None,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS if self._context else None,
            )
        except OSError as error:
            connection.close()
            _log.debug("no HTTP connection: %s", error)

    async def _send_away(self) -> None:
        tasks = [each.task for each in self._arrivals if each.task is not None]
        for arrival in list(self._arrivals):
            self._reception.door.leave(arrival)
            arrival.eject()
        await asyncio.gather(*tasks, return_exceptions=True)
