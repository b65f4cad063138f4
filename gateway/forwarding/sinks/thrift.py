"""Reads a receiver's answer in small bites, and only so much of it: it shares the loop with the alarm path."""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

TOO_LONG = "the answer is too long"
_BITE = 2048
# The head, its informational forerunners (RFC 9110 §15.2: any number of them) and the part of the body that is read.
_MOST = 96 * 1024


class ThriftyTransport(httpx.AsyncHTTPTransport):
    """HTTP/1.1 over kept connections; an answer of more than 96 KiB ends with its connection.

    Args:
        context: what the receiver's certificate is checked with; None for plain HTTP.
        connections: the most at once.
        keep_seconds: how long an idle one is kept.
    """

    def __init__(self, context: ssl.SSLContext | None, *, connections: int, keep_seconds: float) -> None:
        super().__init__(verify=context or False, trust_env=False)
        # httpx has no argument for the network; the pool that it would make has every limit but this one.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=connections,
            keepalive_expiry=keep_seconds,
            network_backend=_ThriftyNetwork(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer without cookies: kept, they would make each event larger and slower than the one before."""
        answer = await super().handle_async_request(request)
        if "set-cookie" in answer.headers:
            del answer.headers["set-cookie"]
        return answer


class _ThriftyNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return _ThriftyStream(
            await self._network.connect_tcp(host, port, timeout, local_address, socket_options),
        )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _ThriftyStream(httpcore.AsyncNetworkStream):
    """Each request that is written gives its answer a new allowance; each bite lets the loop turn."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = _MOST

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's
        if self._left <= 0:
            raise httpcore.ReadError(TOO_LONG)
        data = await self._stream.read(min(max_bytes, _BITE), timeout)
        self._left -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # httpcore's
        self._left = _MOST
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's
    ) -> httpcore.AsyncNetworkStream:
        return _ThriftyStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # httpcore's
        return self._stream.get_extra_info(info)
