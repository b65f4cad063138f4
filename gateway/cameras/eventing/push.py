"""Takes the notifications of cameras that only push (WS-BaseNotification 1.3 §3): a small HTTP server of the child."""

import asyncio
import contextlib
import logging
import re
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.cameras.eventing.notices import Notice, read_notices
from gateway.cameras.soap import FaultError, NotSoapError, read_reply

_LOG = logging.getLogger(__name__)
_MAX_HEAD = 16 * 1024
_MAX_BODY = 1024 * 1024
_READ_SECONDS = 10.0
_MOST_OF_EACH = 16
_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d{1,9})\s*$")
_TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Take = Callable[[tuple[Notice, ...]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Consumer:
    """Who may send to a path, and who gets that, one notification after the other."""

    camera: str
    take: Take
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class PushReceiver:
    """Listens on one port for all cameras; each has a path that only it is told, and is heard from its address only.

    Args:
        host: the address to listen on; all by default, because each camera reaches another one.
        port: 0 takes a free one.
    """

    def __init__(self, host: str = "0.0.0.0", port: int = 0) -> None:  # noqa: S104  # cameras are on other machines
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._paths: dict[str, _Consumer] = {}
        self._connections: Counter[str] = Counter()
        self._opening = asyncio.Lock()

    async def _is_open(self) -> bool:
        """Whether it listens; begins to, once for all cameras that ask at the same time."""
        async with self._opening:
            if self._server is None:
                try:
                    self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_MAX_HEAD)
                except OSError as error:
                    _LOG.error("cameras that only push events are not heard: port %d: %s", self._port, error)
                    return False
                self._port = self._server.sockets[0].getsockname()[1]
        return True

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def add(self, camera_host: str, take: Take) -> str | None:
        """The address that a camera is to send to, listening from the first on; None if nothing leads to it.

        Args:
            camera_host: name or address of the camera.
            take: gets what it sends.
        """
        found = await asyncio.to_thread(_way_to, camera_host)
        if found is None:
            return None
        if not await self._is_open():
            return None
        own, camera = found
        path = f"/events/{secrets.token_urlsafe(16)}"
        self._paths[path] = _Consumer(camera, take)
        return f"http://{f'[{own}]' if ':' in own else own}:{self._port}{path}"

    def remove(self, consumer: str) -> None:
        """Hear nothing more at an address."""
        self._paths.pop("/events/" + consumer.rpartition("/events/")[2], None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername", ("",))[0])
        self._connections[peer] += 1
        try:
            if self._is_welcome(peer):
                taken = await self._is_taken(reader, peer)
                async with asyncio.timeout(_READ_SECONDS):
                    writer.write(_TAKEN if taken else _REFUSED)
                    await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass
        except Exception as error:  # the text may hold what the camera was told
            _LOG.error("a camera's notification: what nobody foresaw: %s", type(error).__name__)
        finally:
            self._connections[peer] -= 1
            if not self._connections[peer]:
                del self._connections[peer]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _is_welcome(self, peer: str) -> bool:
        """Whether a camera that was told an address is there, and does not hold too many connections."""
        return self._connections[peer] <= _MOST_OF_EACH and any(each.camera == peer for each in self._paths.values())

    async def _is_taken(self, reader: asyncio.StreamReader, peer: str) -> bool:
        """Read a notification and hand it on; what is read whole is not given up, and none overtakes another."""
        async with asyncio.timeout(_READ_SECONDS):
            consumer, content = await self._read(reader, peer)
        if consumer is None:
            return False
        async with consumer.turn:
            try:
                notices = await asyncio.to_thread(lambda: read_notices(read_reply(content)))
            except (NotSoapError, FaultError, UnicodeError):
                return False
            await consumer.take(notices)
        return True

    async def _read(self, reader: asyncio.StreamReader, peer: str) -> tuple[_Consumer | None, bytes]:
        """For whom a request is and its body; for nobody if its sender or its size is not right."""
        head = await reader.readuntil(b"\r\n\r\n")
        words, length = head.split(b"\r\n", 1)[0].split(), _LENGTH.search(head)
        consumer = self._paths.get(words[1].decode("latin-1") if len(words) > 1 else "")
        if consumer is None or length is None or int(length[1]) > _MAX_BODY or peer != consumer.camera:
            return None, b""
        return consumer, await reader.readexactly(int(length[1]))


def _way_to(host: str) -> tuple[str, str] | None:
    """Our address on the way to `host`, and the address of `host`; nothing is sent."""
    try:
        family, _, _, _, there = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(there)
            return str(probe.getsockname()[0]), str(there[0])
    except OSError:
        return None
