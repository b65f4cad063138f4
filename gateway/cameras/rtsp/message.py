"""Takes an RTSP connection's bytes apart: replies, interleaved packets, the server's requests (RFC 2326 §10.12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_MOST_HEAD, _MOST_LINES, _MOST_BODY = 16 * 1024, 100, 256 * 1024
_FRAME_HEAD = 4
_LONGEST_LENGTH = 10
_WORDS = 2


class NotRtspError(Exception):
    """What came is no RTSP, or larger than any camera's; the text says what it is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; header names are in lower case, each with all its values."""

    status: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header; empty without it."""
        return next(iter(self.headers.get(name, ())), "")


@dataclass(frozen=True, slots=True)
class _Head:
    """A message whose body is not there yet."""

    first: str
    headers: Mapping[str, tuple[str, ...]]
    length: int


@dataclass(frozen=True, slots=True)
class Packet:
    """An interleaved RTP or RTCP packet."""

    channel: int
    data: bytes


class MessageReader:
    """Bytes in, replies and packets out; it never holds more than one message and what one read brought."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None

    def feed(self, data: bytes) -> Iterator[Reply | Packet]:
        """What is whole now, in order.

        Raises:
            NotRtspError: what came is no RTSP.
        """
        self._buffer += data
        while (found := self._next()) is not None:
            if not isinstance(found, _Request):
                yield found

    def _next(self) -> "Reply | Packet | _Request | None":
        if self._head is not None:
            return self._with_body(self._head)
        while bytes(self._buffer[:1]) in (b"\r", b"\n"):
            del self._buffer[:1]
        return self._packet() if self._buffer[:1] == b"$" else self._message()

    def _packet(self) -> Packet | None:
        end = _FRAME_HEAD + int.from_bytes(self._buffer[2:_FRAME_HEAD], "big")
        if len(self._buffer) < max(_FRAME_HEAD, end):
            return None
        packet = Packet(self._buffer[1], bytes(self._buffer[_FRAME_HEAD:end]))
        del self._buffer[:end]
        return packet

    def _message(self) -> "Reply | _Request | None":
        end = self._buffer.find(b"\r\n\r\n", 0, _MOST_HEAD)
        if end < 0:
            self._check_beginning()
            return None
        lines = self._buffer[:end].decode("utf-8", "replace").split("\r\n")
        if len(lines) > _MOST_LINES:
            raise NotRtspError("a head of more lines than any camera's")
        del self._buffer[: end + len(b"\r\n\r\n")]
        headers = _headers(lines[1:])
        self._head = _Head(lines[0], headers, _length(headers))
        return self._with_body(self._head)

    def _with_body(self, head: _Head) -> "Reply | _Request | None":
        """The message once its body is there; its head is read once, however slowly that comes."""
        if len(self._buffer) < head.length:
            return None
        self._head, body = None, bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        return _message(head.first, head.headers, body)

    def _check_beginning(self) -> None:
        if len(self._buffer) >= _MOST_HEAD:
            raise NotRtspError("a head without end")
        first = bytes(self._buffer[:1])
        if first and not first.isalpha():
            raise NotRtspError("what answers there does not speak RTSP")


class _Request:
    """The server asks something; nothing that a client of a track need answer."""


def _message(first: str, headers: Mapping[str, tuple[str, ...]], body: bytes) -> Reply | _Request:
    words = first.split()
    if len(words) < _WORDS or not (words[0].startswith("RTSP/1.") or words[-1].startswith("RTSP/1.")):
        raise NotRtspError("what answers there does not speak RTSP")
    if not words[0].startswith("RTSP/1."):
        return _Request()
    if not (words[1].isascii() and words[1].isdigit() and len(words[1]) == 3):  # noqa: PLR2004  # RFC 2326 §7.1
        raise NotRtspError("a reply without status")
    return Reply(int(words[1]), headers, body)


def _headers(lines: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        found[key] = (*found.get(key, ()), value.strip())
    return found


def _length(headers: Mapping[str, tuple[str, ...]]) -> int:
    text = next(iter(headers.get("content-length", ())), "0")
    if not (text.isascii() and text.isdigit() and len(text) < _LONGEST_LENGTH) or int(text) > _MOST_BODY:
        raise NotRtspError("a body of no length, or too long")
    return int(text)
