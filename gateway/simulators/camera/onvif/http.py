"""A small HTTP/1.1 server for SOAP posts and snapshots (RFC 9112: Content-Length bodies, persistent connections)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from gateway.simulators.camera.mutation import Mutator
from gateway.simulators.camera.quirks import Quirks

_MAX_BODY = 256 * 1024
XML = "application/soap+xml; charset=utf-8"
HTML = "text/html"


class RestartError(ConnectionError):
    """The camera restarts: every connection ends."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request: header names in lower case; `host` and `port` are the local address that it came to."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    host: str
    port: int = 0
    query: str = ""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One reply."""

    status: int = 200
    content_type: str = XML
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self, *, keep_alive: bool) -> bytes:
        """The reply's bytes."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class HttpServer:
    """Reads requests, has `answer` make each reply, keeps connections open as the client wishes.

    Attributes:
        restarts: how often all connections were ended at once.
        connections: how many are open.
        mutator: spoils answers; None without that quirk.
    """

    def __init__(self, answer: Callable[[HttpRequest], Awaitable[HttpReply]], quirks: Quirks) -> None:
        self._answer = answer
        self._quirks = quirks
        self._open: set[asyncio.StreamWriter] = set()
        self.restarts = 0
        seed = quirks.value("mutated-soap")
        self.mutator = None if seed is None else Mutator(seed)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        if "frozen" in self._quirks:
            await asyncio.Event().wait()
        self._open.add(writer)
        try:
            await self._serve(reader, writer)
        except RestartError:
            self.restarts += 1
            for each in tuple(self._open):
                each.transport.abort()
        finally:
            self._open.discard(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here: tuple[str, int] = writer.get_extra_info("sockname")[:2]
        while (request := await _read_request(reader, here)) is not None:
            keep_alive = request.headers.get("connection", "").lower() != "close"
            writer.write(self._encoded(await self._answer(request), keep_alive=keep_alive))
            await writer.drain()
            if not keep_alive or "close-after-reply" in self._quirks:
                return

    def _encoded(self, reply: HttpReply, *, keep_alive: bool) -> bytes:
        if self.mutator is None:
            return reply.encode(keep_alive=keep_alive)
        return self.mutator.encoded(lambda body: replace(reply, body=body).encode(keep_alive=keep_alive), reply.body)


async def _read_request(reader: asyncio.StreamReader, here: tuple[str, int]) -> HttpRequest | None:
    """The next request, or None at the end of the connection.

    Raises:
        ValueError: what came is no HTTP request or too large.
        asyncio.IncompleteReadError: the connection ended inside a request.
    """
    while (first := await reader.read(1)) in {b"\r", b"\n"}:
        pass  # empty lines before a request are ignored (RFC 9112 §2.2)
    if not first:
        return None
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = head.strip().split("\r\n")
    method, target, _version = request_line.split()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _MAX_BODY:
        raise ValueError(f"body of {length} bytes")
    path, _, query = target.partition("?")
    return HttpRequest(method, path, headers, await reader.readexactly(length), *here, query)
