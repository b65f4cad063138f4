"""A receiver of webhooks that verifies, de-duplicates and can misbehave; the office and the police are two of them."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import random
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn

_TOLERANCE_SECONDS = 300
_LARGEST_BODY = 1_000_000
_START_SECONDS = 10.0
_BACKLOG = 128
_PREFIX = "whsec_"
_REQUIRED = ("id", "source", "specversion", "type")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Misbehaviour:
    """How a receiver can be bad; may be changed while it runs.

    Attributes:
        fail_rate: share of requests that are answered with HTTP 500, unread.
        lose_rate: share of requests that are taken in and then answered with HTTP 500.
        delay_seconds: before each answer.
        status: answered to all, if it is not 0.
        retry_after: the header of that answer, if it is not empty.
        drop_after: from so many requests on, each is taken in and its connection cut without an answer.
        stall: never answers.
    """

    fail_rate: float = 0.0
    lose_rate: float = 0.0
    delay_seconds: float = 0.0
    status: int = 0
    retry_after: str = ""
    drop_after: int | None = None
    stall: bool = False


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def key_of(secret: str) -> bytes:
    """The key in a ``whsec_…`` secret.

    Raises:
        ValueError: it is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not key:
        raise ValueError(f"the secret is not {_PREFIX} and base64")
    return key


@dataclass
class WebhookReceiver:
    """An HTTP receiver on the loopback; `async with` starts and stops it.

    Attributes:
        secret: ``whsec_…``; empty takes unsigned events.
        received: every event in order of arrival, repeated ones too.
        unique: the first of each (source, id).
        on_event: told of each new event.
        refused: how many requests were no genuine events.
        requests: how many came in all.
    """

    secret: str = ""
    port: int = 0
    host: str = "127.0.0.1"
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    on_event: Callable[[dict[str, Any]], None] = lambda _event: None
    received: list[dict[str, Any]] = field(default_factory=list)
    unique: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refused: int = 0
    requests: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  # misbehaves alike each time
    _server: _Server | None = None
    _task: asyncio.Task[None] | None = None
    _key: bytes = b""

    @property
    def url(self) -> str:
        """Where to send events."""
        return f"http://{self.host}:{self.port}/events"

    async def __aenter__(self) -> Self:
        """Listen; `port` is then the real one.

        Raises:
            OSError: the port is taken.
            ValueError: the secret is none.
        """
        self._key = key_of(self.secret) if self.secret else b""
        listener = socket.create_server((self.host, self.port), backlog=_BACKLOG)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app, log_config=None, lifespan="off", interface="asgi3", timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="webhook receiver")
        async with asyncio.timeout(_START_SECONDS):
            await self._server.listening.wait()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop listening and cut all connections."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        for connection in list(self._server.server_state.connections):
            self._cut(connection)
        await self._task

    async def _app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        bad = self.misbehaviour
        self.requests += 1
        body = await _read(receive)
        await asyncio.sleep(bad.delay_seconds)
        if bad.stall:
            await _gone(receive)
            return
        if bad.status or self._random.random() < bad.fail_rate:
            await _answer(send, bad.status or 500, bad.retry_after)
            return
        status = self._judge(scope, body)
        if bad.drop_after is not None and self.requests > bad.drop_after:
            self._cut_client(scope["client"])
            return
        lost = status == 204 and self._random.random() < bad.lose_rate  # noqa: PLR2004  # No Content
        await _answer(send, 500 if lost else status)

    def _judge(self, scope: dict[str, Any], body: bytes) -> int:
        """Take the event in, if it is one; the status to answer."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] != "POST":
            status = 405
        elif len(body) > _LARGEST_BODY:
            status = 413
        elif not self._is_genuine(headers, body):
            status = 401
        else:
            event = _event_of(headers, body)
            if event is not None:
                self._take(event)
                return 204
            status = 400
        self.refused += 1
        return status

    def _take(self, event: dict[str, Any]) -> None:
        self.received.append(event)
        key = (event["source"], event["id"])
        if key not in self.unique:
            self.unique[key] = event
            self.on_event(event)

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether the signature is right and of these minutes (Standard Webhooks 1.0)."""
        if not self._key:
            return True
        stamp = headers.get("webhook-timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > _TOLERANCE_SECONDS:
            return False
        signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode("latin-1") + body
        expected = "v1," + base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        given = headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(each.encode("latin-1"), expected.encode()) for each in given)

    def _cut_client(self, client: tuple[str, int]) -> None:
        for connection in list(self._server.server_state.connections) if self._server is not None else []:
            if getattr(connection, "client", None) == client:
                self._cut(connection)

    @staticmethod
    def _cut(connection: Any) -> None:  # noqa: ANN401  # uvicorn's protocol object
        if connection.transport is not None:
            connection.transport.abort()


def _event_of(headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
    """The CloudEvent (1.0, structured JSON) in a request; None if it is none."""
    if not headers.get("content-type", "").startswith("application/cloudevents+json"):
        return None
    try:
        event = json.loads(body)
    except ValueError:
        return None
    if not isinstance(event, dict) or not all(isinstance(event.get(name), str) and event[name] for name in _REQUIRED):
        return None
    return event if event["specversion"] == "1.0" else None


async def _read(receive: Receive) -> bytes:
    body = b""
    while len(body) <= _LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, retry_after: str = "") -> None:
    headers = [(b"retry-after", retry_after.encode())] if retry_after else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
