"""uvicorn's HTTP protocol with limits: a caller that sends nothing whole, or headers without end, is ended.

Connections share the process's files and memory with the buttons, so nobody may take them before signing in.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_CONNECTIONS = 512
_MOST_HEAD_BYTES = 128 * 1024
_HEAD_SECONDS = 15.0
_BODY_SECONDS = 120.0


class BoundedProtocol(HttpToolsProtocol):
    """One caller's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # uvicorn's own
        super().__init__(*args, **kwargs)
        self._unfinished_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A caller is there."""
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
        else:
            self._expect_more(_HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._expect_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the caller; too many that end neither a head nor a piece of a body are refused."""
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self._unfinished_bytes > _MOST_HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._expect_more(_HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._unfinished_bytes = 0
        self._expect_more(_BODY_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        self._unfinished_bytes = 0
        self._expect_no_more()
        super().on_message_complete()

    def _expect_more(self, seconds: float) -> None:
        self._expect_no_more()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _expect_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
