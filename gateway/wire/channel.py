"""One end of the socketpair between parent and child, on the asyncio loop, able to hand over descriptors.

Nothing here blocks: a peer that stalls in the middle of a message keeps only its own `receive` waiting, and what is
sent to it fills a bounded queue.
"""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from gateway.errors import TransientError
from gateway.wire.codec import HEADER_LENGTH_BYTES, LENGTHS, MAX_FRAME_BYTES, WireError, decode_payload, encode_frame
from gateway.wire.message import Message

_READ_BYTES = 256 * 1024
_MAX_FDS = 8
_QUEUE_BYTES = 32 * 1024 * 1024


class ChannelClosedError(TransientError):
    """The other side is gone."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the descriptors that came with it; the receiver closes them."""

    message: Message
    fds: tuple[int, ...] = ()


@dataclass(slots=True)
class _Outgoing:
    rest: memoryview
    fds: tuple[int, ...]


@dataclass(slots=True)
class _Incoming:
    buffer: bytearray = field(default_factory=bytearray)
    fds: deque[int] = field(default_factory=deque)


class Channel:
    """Messages both ways over a Unix stream socket.

    `send` and `offer` keep a frame whole whoever else sends; `receive` is for one task at a time.

    Args:
        sock: connected AF_UNIX stream socket; the channel owns it from now on.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[_Outgoing] = deque()
        self._queued = 0
        self._drained = asyncio.Event()
        self._drained.set()
        self._writing = False
        self._incoming = _Incoming()
        self._readable: asyncio.Future[None] | None = None
        self._closed = False

    @classmethod
    def from_fd(cls, descriptor: int) -> Self:
        """The channel over an inherited descriptor, in a child."""
        return cls(socket.socket(fileno=descriptor))

    @property
    def closed(self) -> bool:
        """True once this end is closed or the other is known to be gone."""
        return self._closed

    async def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a message, waiting while too much is queued already.

        Descriptors are duplicated: the caller keeps and closes its own.

        Raises:
            ChannelClosedError: the other side is gone.
            WireError: the message is too large.
        """
        while self._queued > _QUEUE_BYTES and not self._closed:
            self._drained.clear()
            await self._drained.wait()
        self._queue(message, fds)

    def offer(self, message: Message, fds: Sequence[int] = (), *, limit: int = _QUEUE_BYTES) -> bool:
        """Queue a message unless more than `limit` bytes are queued or the channel is closed; never waits.

        Returns:
            whether it was queued.
        """
        if self._closed or self._queued > limit:
            return False
        self._queue(message, fds)
        return True

    def _queue(self, message: Message, fds: Sequence[int]) -> None:
        if self._closed:
            raise ChannelClosedError("the other side of the channel is gone")
        frame = encode_frame(message)
        self._outgoing.append(_Outgoing(memoryview(frame), tuple(os.dup(each) for each in fds)))
        self._queued += len(frame)
        if not self._writing:
            self._flush()

    def _flush(self) -> None:
        while self._outgoing:
            first = self._outgoing[0]
            try:
                sent = self._send(first)
            except BlockingIOError:
                self._watch_writable()
                return
            except OSError:
                self.close()
                return
            self._advance(first, sent)
        self._unwatch_writable()

    def _send(self, outgoing: _Outgoing) -> int:
        if outgoing.fds:
            return socket.send_fds(self._socket, [outgoing.rest], outgoing.fds)
        return self._socket.send(outgoing.rest)

    def _advance(self, first: _Outgoing, sent: int) -> None:
        _close_all(first.fds)
        first.fds = ()
        first.rest = first.rest[sent:]
        self._queued -= sent
        if not first.rest:
            self._outgoing.popleft()
        if self._queued <= _QUEUE_BYTES:
            self._drained.set()

    def _watch_writable(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket.fileno(), self._flush)

    def _unwatch_writable(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket.fileno())

    async def receive(self) -> Received:
        """The next message.

        Raises:
            ChannelClosedError: the other side is gone.
            WireError: what came is no message; the channel is closed, the peer must be replaced.
        """
        try:
            while (received := self._take()) is None:
                await self._fill()
        except WireError:
            self._incoming.buffer.clear()
            self.close()
            raise
        return received

    def _take(self) -> Received | None:
        buffer = self._incoming.buffer
        if len(buffer) < LENGTHS.size:
            return None
        size, header_size = LENGTHS.unpack_from(buffer)
        if not HEADER_LENGTH_BYTES <= size <= MAX_FRAME_BYTES:
            raise WireError(f"a frame claims {size} bytes; the limit is {MAX_FRAME_BYTES}")
        end = HEADER_LENGTH_BYTES + size
        if len(buffer) < end:
            return None
        message = decode_payload(header_size, bytes(memoryview(buffer)[LENGTHS.size : end]))
        del buffer[:end]
        return Received(message, self._take_fds(type(message).FDS))

    def _take_fds(self, count: int) -> tuple[int, ...]:
        if len(self._incoming.fds) < count:
            raise WireError(f"a message came without its {count} descriptors")
        return tuple(self._incoming.fds.popleft() for _ in range(count))

    async def _fill(self) -> None:
        if self._closed:
            raise ChannelClosedError("the other side of the channel is gone")
        try:
            data, fds, _flags, _address = socket.recv_fds(self._socket, _READ_BYTES, _MAX_FDS)
        except BlockingIOError:
            await self._until_readable()
            return
        except OSError:
            data, fds = b"", []
        self._incoming.fds.extend(fds)
        if not data:
            self.close()
            raise ChannelClosedError("the other side of the channel is gone")
        self._incoming.buffer.extend(data)

    async def _until_readable(self) -> None:
        self._readable = waiter = self._loop.create_future()
        self._loop.add_reader(self._socket.fileno(), self._wake)
        try:
            await waiter
        finally:
            self._readable = None
            if self._socket.fileno() >= 0:
                self._loop.remove_reader(self._socket.fileno())

    def _wake(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)

    def close(self) -> None:
        """Close this end; the other side's `receive` raises ChannelClosedError. Safe to call again."""
        if self._closed:
            return
        self._closed = True
        self._unwatch_writable()
        self._wake()
        self._drained.set()
        with contextlib.suppress(OSError, ValueError):
            self._loop.remove_reader(self._socket.fileno())
        for each in self._outgoing:
            _close_all(each.fds)
        _close_all(self._incoming.fds)
        self._outgoing.clear()
        self._socket.close()


def _close_all(fds: Sequence[int] | deque[int]) -> None:
    for descriptor in fds:
        os.close(descriptor)


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends; the second is to be inherited by a child (`from_fd`)."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
