"""uvicorn's HTTP protocol with limits: work, time, bytes and connections that one caller may take from the others.

Connections share the process's loop, files and memory with the buttons, so nobody may take them before signing in, and
nobody all of them behind that.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.api.budget import Budget, metered
from gateway.api.door import Guest, network_of
from gateway.api.known import credential_of
from gateway.api.reception import Reception

_MOST_HEAD_BYTES = 128 * 1024
_HEAD_SECONDS = 10.0
_BODY_SECONDS = 10.0
_UPLOAD_SECONDS = 120.0
_TAKE_SECONDS = 20.0
# What uvloop says of a transport whose caller is gone, before the transport says so itself.
_GONE = "the handler is closed"
_log = logging.getLogger(__name__)
Message = MutableMapping[str, Any]


class _OfCallers(logging.LoggerAdapter[logging.Logger]):
    """What uvicorn warns of is what anybody may send: too much for a log that must not fill a disk."""

    @property
    def level(self) -> int:
        return self.logger.level

    def warning(self, msg: object, *args: object, **_more: Any) -> None:  # noqa: ANN401  # as the base has it
        self.debug(msg, *args)


_CALLERS = _OfCallers(logging.getLogger("uvicorn.error"))
App = Callable[..., Awaitable[None]]


class BoundedProtocol(HttpToolsProtocol):
    """One caller's connection: one request after the other, each in its turn."""

    def __init__(self, *args: Any, reception: Reception, arrival: Guest, **kwargs: Any) -> None:  # noqa: ANN401  # uvicorn's
        super().__init__(*args, **kwargs)
        self._arrival = arrival
        self.logger = _CALLERS  # type: ignore[assignment]  # as much of a logger as uvicorn needs
        self._reception = reception
        self._budget: Budget = reception.strangers
        self._address = self._payer = ""
        self._unfinished_bytes = 0
        self._pipelines = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unsent: asyncio.TimerHandle | None = None
        self._asked: tuple[Budget, str, Callable[[], None]] | None = None

    @property
    def is_served(self) -> bool:
        """Whether a whole request is being answered."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A caller is there."""
        super().connection_made(transport)
        if self.scheme == "http":
            # uvloop's encrypted transport does not come back from a limit of nought; its shutdown has a deadline.
            transport.set_write_buffer_limits(high=0)
        self._address = self._payer = network_of(self.client[0] if self.client else "")
        # In its place, not beside it: where all others are being answered, a second one would cost it its own.
        self._reception.door.leave(self._arrival)
        if self._reception.door.enter(self, self._address):
            self._expect_more(_HEAD_SECONDS)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._reception.door.leave(self)
        self._withdraw()
        self._expect_no_more()
        self._stop_waiting_for_the_reader()
        super().connection_lost(exc)

    def eject(self) -> None:
        """Others need its place."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The gateway stops: what has begun is ended, what waits is not begun."""
        if self._asked is not None:
            self.transport.abort()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Bytes of the caller; reading them is its work, and too many without a whole head are refused."""
        if self._pipelines:
            self.flow.pause_reading()
            return
        before = time.thread_time()
        self._unfinished_bytes += len(data)
        super().data_received(data)
        self._charge(time.thread_time() - before)
        if self._unfinished_bytes > _MOST_HEAD_BYTES:
            self.transport.abort()
        elif self._asked is None and self._budget.is_spent(self._payer) and not self.transport.is_closing():
            self._ask(self._go_on)

    def on_message_begin(self) -> None:
        """A request begins; before the answer to the one before, it is the last on this connection and unheard."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._pipelines = True
            self.cycle.keep_alive = False
            return
        if self._deadline is None:
            self._expect_more(_HEAD_SECONDS)
        super().on_message_begin()
        self.scope["state"]["recognise"] = self.recognise

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        if not self._pipelines:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        if not self._pipelines:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole: who calls is known."""
        if self._pipelines:
            return
        self._unfinished_bytes = 0
        key = credential_of(self.headers, self._reception.cookie)
        self._expect_more(_BODY_SECONDS)
        if key is not None and key in self._reception.known:
            self.recognise(key)
        else:
            self._budget, self._payer = self._reception.strangers, self._address
            self._reception.door.sign_out(self, self._address)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""
        if not self._pipelines:
            self._unfinished_bytes = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        if not self._pipelines:
            self._unfinished_bytes = 0
            self._expect_no_more()
            super().on_message_complete()

    def recognise(self, key: str) -> None:
        """The caller has signed in, with a session or token of this hash: it pays itself, and may send uploads."""
        self._budget, self._payer = self._reception.members, key
        self._reception.door.sign_in(self, key)
        if self._deadline is not None:
            self._expect_more(_UPLOAD_SECONDS)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401  # uvicorn's own
        """Begin with the answer as soon as the caller's budget allows; until then nothing more of it is read."""

        def start() -> None:
            self._go_on()
            task = self.loop.create_task(metered(cycle.run_asgi(self._while_there(app)), self._charge))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

        self._ask(start)

    def _while_there(self, app: App) -> Any:  # noqa: ANN401  # an ASGI application of uvicorn's type
        """The application for a caller who may leave at any moment: what is for nobody is dropped."""
        cycle, transport = self.cycle, self.transport

        async def guarded(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI
            async def send_if_there(message: Message) -> None:
                if transport.is_closing() and not cycle.disconnected:
                    _log.debug("%s left before its answer", self._address)
                    cycle.disconnected = True
                try:
                    await send(message)
                except RuntimeError as error:
                    if _GONE not in str(error):
                        raise
                    cycle.disconnected = True

            await app(scope, receive, send_if_there)

        return guarded

    def _charge(self, seconds: float) -> None:
        self._budget.charge(self._payer, seconds)

    def _ask(self, start: Callable[[], None]) -> None:
        self._withdraw()
        self.flow.pause_reading()
        self._asked = (self._budget, self._payer, start)
        self._budget.ask(self._payer, start)

    def _withdraw(self) -> None:
        if self._asked is not None:
            budget, payer, start = self._asked
            budget.withdraw(payer, start)
            self._asked = None

    def _go_on(self) -> None:
        self._asked = None
        if not self.transport.is_closing():
            with suppress(RuntimeError):  # uvloop's, of a transport whose caller is gone and that does not say so yet
                self.flow.resume_reading()

    def pause_writing(self) -> None:
        """The caller does not take what was sent; it has some seconds."""
        super().pause_writing()
        self._wait_for_the_reader()

    def resume_writing(self) -> None:
        """It took all."""
        self._stop_waiting_for_the_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked for."""
        if not self.transport.is_closing():
            self.transport.close()

    def _wait_for_the_reader(self) -> None:
        self._stop_waiting_for_the_reader()
        left = self.transport.get_write_buffer_size()
        self._unsent = self.loop.call_later(_TAKE_SECONDS, self._check_the_reader, left)

    def _check_the_reader(self, left: int) -> None:
        """A slow line of somebody who has signed in goes on as long as it goes on."""
        takes = self._budget is self._reception.members and self.transport.get_write_buffer_size() < left
        if takes:
            self._wait_for_the_reader()
        else:
            self.transport.abort()

    def _stop_waiting_for_the_reader(self) -> None:
        if self._unsent is not None:
            self._unsent.cancel()
            self._unsent = None

    def _expect_more(self, seconds: float) -> None:
        self._expect_no_more()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _expect_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
