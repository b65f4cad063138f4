"""A receiver of webhooks that verifies, de-duplicates and can misbehave; the office and the police are two of them."""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import uvicorn

_TOLERANCE_SECONDS = 300
_LARGEST_BODY = 1_000_000
_START_SECONDS = 10.0
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Misbehaviour:
    """How a receiver can be bad.

    Attributes:
        fail_rate: share of requests that are answered with HTTP 500, unread.
        lose_rate: share of requests that are taken in and then answered with HTTP 500.
        delay_seconds: before each answer.
        status: answered to all, if it is not 0.
        stall: never answers.
    """

    fail_rate: float = 0.0
    lose_rate: float = 0.0
    delay_seconds: float = 0.0
    status: int = 0
    stall: bool = False


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class WebhookReceiver:
    """An HTTP receiver on the loopback; `async with` starts and stops it.

    Attributes:
        secret: ``whsec_…``; empty takes unsigned events.
        received: every event in order of arrival, repeated ones too.
        unique: the first of each (source, id).
        on_event: told of each new event.
    """

    secret: str = ""
    port: int = 0
    host: str = "127.0.0.1"
    misbehaviour: Misbehaviour = field(default_factory=Misbehaviour)
    on_event: Callable[[dict[str, Any]], None] = lambda _event: None
    received: list[dict[str, Any]] = field(default_factory=list)
    unique: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refused: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311  # misbehaves alike each time
    _server: _Server | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where to send events."""
        return f"http://{self.host}:{self.port}/events"

    async def __aenter__(self) -> Self:
        """Listen; `port` is then the real one."""
        config = uvicorn.Config(
            self._app,
            host=self.host,
            port=self.port,
            log_config=None,
            lifespan="off",
            interface="asgi3",
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(), name="webhook receiver")
        async with asyncio.timeout(_START_SECONDS):
            while not self._server.started:  # uvicorn has no event for it
                if self._task.done():
                    raise OSError(f"cannot listen on {self.host}:{self.port}")
                await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop listening."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            self._server.force_exit = self.misbehaviour.stall
            await self._task

    async def _app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        bad = self.misbehaviour
        body = await _read(receive)
        await asyncio.sleep(bad.delay_seconds)
        if bad.stall:
            await asyncio.Event().wait()
        if bad.status or self._random.random() < bad.fail_rate:
            await _answer(send, bad.status or 500)
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] != "POST" or not self._is_genuine(headers, body):
            self.refused += 1
            await _answer(send, 401)
            return
        try:
            event = json.loads(body)
            key = (event["source"], event["id"])
        except (ValueError, KeyError, TypeError):
            self.refused += 1
            await _answer(send, 400)
            return
        self._take(key, event)
        await _answer(send, 500 if self._random.random() < bad.lose_rate else 204)

    def _take(self, key: tuple[str, str], event: dict[str, Any]) -> None:
        self.received.append(event)
        if key not in self.unique:
            self.unique[key] = event
            self.on_event(event)

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        if not self.secret:
            return True
        stamp = headers.get("webhook-timestamp", "")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > _TOLERANCE_SECONDS:
            return False
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        given = headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(each, expected) for each in given)


async def _read(receive: Receive) -> bytes:
    body = b""
    while len(body) <= _LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def line_of(event: dict[str, Any], label: str) -> str:
    """One line for people: who received what, where, how late."""
    data = event.get("data") or {}
    place = data.get("place") or data.get("name") or event.get("subject", "")
    happened = datetime.fromisoformat(event["time"])
    late = (datetime.now(UTC) - happened).total_seconds() * 1e3
    drill = " [DRILL 演练]" if event.get("drill") else ""
    return f"{label}: {event.get('severity', '?'):8} {event['type']:32} {place}{drill}  (+{late:.0f} ms)"


def run_receiver(argv: Sequence[str], *, name: str, label: str, port: int) -> int:
    """The command of a receiver; ends on SIGTERM, or with its parent if asked.

    Returns:
        the exit code.
    """
    arguments = _parser(name, port).parse_args(argv)
    secret = ""
    if arguments.secret_file is not None:
        try:
            secret = arguments.secret_file.read_text("utf-8").strip()
        except OSError as error:
            print(f"{name}: {arguments.secret_file}: {error.strerror}", file=sys.stderr)  # noqa: T201  # a command
            return 2
    else:
        print(f"{name}: no --secret-file: unsigned events are taken", file=sys.stderr)  # noqa: T201  # a command
    try:
        asyncio.run(_serve(arguments, secret, label))
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)  # noqa: T201  # a command
        return 1
    return 0


def _parser(name: str, port: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"campus-gateway simulate {name}", description=f"A simulated {name}.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port, help="0 takes a free one")
    parser.add_argument("--secret-file", type=Path, help="file with the whsec_… signing secret")
    parser.add_argument("--list", type=Path, metavar="FILE", help="append each event as one line of JSON")
    parser.add_argument("--fail-rate", type=float, default=0.0, help="share answered with HTTP 500, unread")
    parser.add_argument("--lose-rate", type=float, default=0.0, help="share taken in, then answered with HTTP 500")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--status", type=int, default=0, help="answer everything with this status")
    parser.add_argument("--stall", action="store_true", help="never answer")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when stdin is closed")
    return parser


async def _serve(arguments: argparse.Namespace, secret: str, label: str) -> None:
    def show(event: dict[str, Any]) -> None:
        print(line_of(event, label), flush=True)  # noqa: T201  # what the command is for
        if arguments.list is not None:
            with arguments.list.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")

    bad = Misbehaviour(
        fail_rate=arguments.fail_rate,
        lose_rate=arguments.lose_rate,
        delay_seconds=arguments.delay,
        status=arguments.status,
        stall=arguments.stall,
    )
    receiver = WebhookReceiver(secret=secret, host=arguments.host, port=arguments.port, misbehaviour=bad, on_event=show)
    async with receiver, _until_told(with_parent=arguments.exit_with_parent):
        print(f"ready {receiver.url}", flush=True)  # noqa: T201  # the first line


@contextlib.asynccontextmanager
async def _until_told(*, with_parent: bool) -> AsyncIterator[None]:
    """Runs the block, then waits for a signal or the end of stdin."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(0, 4096) else None)
    yield
    await stop.wait()
