"""uvicorn inside the daemon's loop: started and stopped by its owner, no signal handlers of its own."""

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from gateway.api.acceptor import Acceptor
from gateway.api.auth import session_cookie
from gateway.api.hub import EventHub
from gateway.api.known import KnownCredentials
from gateway.api.protocol import BoundedProtocol
from gateway.api.reception import Reception
from gateway.api.tls import TlsFiles
from gateway.errors import PermanentError
from gateway.settings import ApiSettings

_GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, known: KnownCredentials, cookie: str) -> None:
        super().__init__(config)
        self._known = known
        self._cookie = cookie
        self._accepting: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept by ourselves: uvicorn takes whoever comes, as fast as they come."""
        self.servers = []
        (listener,) = sockets or []
        reception = Reception.open(asyncio.get_running_loop(), self._known, self._cookie)
        protocol = functools.partial(
            BoundedProtocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            reception=reception,
        )
        acceptor = Acceptor(listener, reception, protocol, self.config.ssl)
        self._accepting = asyncio.create_task(acceptor.run(), name="accept HTTP connections")
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Go on, unless nobody is accepted any more; then the fault is the server's."""
        if self._accepting is not None and self._accepting.done():
            self._accepting.result()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what has begun; who does not let go of an answer by then is cut off."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class ApiServer:
    """The HTTP server of one gateway.

    Args:
        tls: certificate and key; None serves plain HTTP, on loopback only (the settings see to it).
        known: whose requests come before those of strangers.
    """

    def __init__(
        self, app: FastAPI, settings: ApiSettings, tls: TlsFiles | None, hub: EventHub, known: KnownCredentials
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._scheme = "https" if tls else "http"
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        self._server = _Server(config, known, session_cookie(settings))
        self._socket: socket.socket | None = None

    def bind(self) -> None:
        """Take the address.

        Raises:
            PermanentError: it is taken, or is none of this machine.
        """
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            sock.listen(512)
        except OSError as error:
            sock.close()
            remedy = "Is another gateway running? Choose another api.port."
            if error.errno == errno.EADDRNOTAVAIL:
                remedy = "No interface of this machine has that address: choose another api.host."
            raise PermanentError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", remedy=remedy) from None
        self._socket = sock

    @property
    def url(self) -> str:
        """The console's address."""
        host = self._settings.host
        port = self._socket.getsockname()[1] if self._socket else self._settings.port
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)  # noqa: S104  # compared only
        return f"{self._scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}"

    async def run(self) -> None:
        """Serve until `stop`."""
        if self._socket is None:
            self.bind()
        with contextlib.ExitStack() as stack:
            if self._socket is not None:
                stack.callback(self._socket.close)
                await self._server.serve(sockets=[self._socket])

    async def started(self) -> None:
        """Wait until requests are answered."""
        while not self._server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.005)

    def stop(self) -> None:
        """End streams and requests; `run` returns within about two seconds."""
        self._hub.stop()
        self._server.should_exit = True
