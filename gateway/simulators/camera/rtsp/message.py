"""RTSP requests and replies as values, and reading them from a connection (RFC 2326 §6, §7, §10.12)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_MAX_BODY = 64 * 1024
_REASONS = {
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    457: "Invalid Range",
    461: "Unsupported Transport",
    501: "Not Implemented",
    551: "Option not supported",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One RTSP request; header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the URL without a trailing slash."""
        return urlsplit(self.url).path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Reply:
    """One RTSP reply."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self, request: Request) -> bytes:
        """The reply's bytes, with the CSeq of `request`."""
        lines = [f"RTSP/1.0 {self.status} {_REASONS[self.status]}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of the connection; interleaved data before it is skipped; None at the end.

    Raises:
        ValueError: what came is no RTSP.
        asyncio.IncompleteReadError: the connection ended inside a message.
    """
    while first := await reader.read(1):
        if first == b"$":
            header = await reader.readexactly(3)
            await reader.readexactly(int.from_bytes(header[1:], "big"))
        elif first not in b"\r\n":
            return await _read_rest(first, reader)
    return None


async def _read_rest(first: bytes, reader: asyncio.StreamReader) -> Request:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
    request_line, *lines = head.strip().split("\r\n")
    method, url, version = request_line.split()
    if not version.startswith("RTSP/1."):
        raise ValueError(f"not RTSP: {version}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _MAX_BODY:
        raise ValueError(f"body of {length} bytes")
    await reader.readexactly(length)
    return Request(method.upper(), url, headers)
