"""Around every request: security headers, the name it was sent to, and a limit on what a body may hold."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.api.hosts import HostNames
from gateway.api.problems import Problem, problem_response

_MOST_UNKNOWN_BYTES = 16 * 1024
_MOST_JSON_BYTES = 256 * 1024
_MOST_UPLOAD_BYTES = 13 * 1024 * 1024
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Shield:
    """ASGI middleware; it does not buffer, so that streams pass through.

    Args:
        names: under which the gateway is called; others are refused.
        has_signed_in: whether a request comes with a good credential.
    """

    def __init__(self, app: App, names: HostNames, has_signed_in: Callable[[Scope], Awaitable[bool]]) -> None:
        self._app = app
        self._names = names
        self._has_signed_in = has_signed_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted and its answer's headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shielded = _with_headers(scope, send)
        if (misdirected := self._names.problem_of(scope)) is not None:
            await problem_response(misdirected)(scope, receive, shielded)
            return
        counted = _Counted(scope, receive, await self._limit(scope))
        if counted.too_large:
            await problem_response(_too_large(counted.limit))(scope, receive, shielded)
            return
        try:
            await self._app(scope, counted, counted.unless_too_large(shielded))
        except _TooLargeError:
            await problem_response(_too_large(counted.limit))(scope, receive, shielded)

    async def _limit(self, scope: Scope) -> int:
        if _is_short(scope) or not await self._has_signed_in(scope):
            return _MOST_UNKNOWN_BYTES
        return _MOST_UPLOAD_BYTES if _is_upload(scope) else _MOST_JSON_BYTES


class _TooLargeError(Exception):
    pass


def _too_large(limit: int) -> Problem:
    remedy = "Sign in first, or send less." if limit == _MOST_UNKNOWN_BYTES else "Send less."
    return Problem(413, f"the body is larger than {limit} bytes", code="body_too_large", limit=limit, remedy=remedy)


def _is_short(scope: Scope) -> bool:
    """Whether the head promises no more than a stranger may send."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    endless = any(name == b"transfer-encoding" for name, _value in scope["headers"])
    return not endless and all(value.isdigit() and int(value) <= _MOST_UNKNOWN_BYTES for value in lengths)


def _is_upload(scope: Scope) -> bool:
    return any(name == b"content-type" and value.startswith(b"multipart/") for name, value in scope["headers"])


class _Counted:
    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        self.limit = limit
        self._receive = receive
        self._size = 0
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        self.too_large = any(not value.isdigit() or int(value) > limit for value in lengths)

    async def __call__(self) -> Scope:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self.limit:
            raise _TooLargeError
        return message

    def unless_too_large(self, send: Send) -> Send:
        """Send answers, but none of an application that took the end of a body that is too large for a fault of its."""

        async def checked(message: Scope) -> None:
            if self._size > self.limit and message["type"] == "http.response.start":
                raise _TooLargeError
            await send(message)

        return checked


def _with_headers(scope: Scope, send: Send) -> Send:
    is_data = scope["path"].startswith("/api/")

    async def wrapped(message: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", []), *_HEADERS]
            if is_data and not any(name.lower() == b"cache-control" for name, _value in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        await send(message)

    return wrapped
