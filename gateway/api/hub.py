"""The live stream: frames serialised once behind the commit, a ring of them, and a cursor per client."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.responses import Response

from gateway.clock import Clock
from gateway.events import Event, encode
from gateway.incidents import is_discreet
from gateway.storage import EventFilter, Journal, Stored, type_of

_RING = 4096
_HEARTBEAT_SECONDS = 5.0
_SEND_SECONDS = 20.0
_PAGE = 500
_UNSTORED = 64
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Frame:
    stored: Stored
    data: bytes
    discreet: bool


def frame_of(stored: Stored) -> bytes:
    """One server-sent event: ``id:`` the position, ``event:`` the type, ``data:`` the CloudEvent."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (stored.position, type_of(stored.event).encode(), stored.body)


class EventHub:
    """Follows the journal and feeds every open stream."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._ring: deque[_Frame] = deque(maxlen=_RING)
        self._last = journal.last_position
        self._unstored: deque[tuple[int, bytes, bool]] = deque(maxlen=_UNSTORED)
        self._unstored_count = 0
        self._news = asyncio.Event()
        self.clients = 0
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Make frames of what is committed, until cancelled."""
        with self._journal.subscribe(first=True) as subscription:
            while True:
                await subscription.wait(self._last)
                for stored in await self._journal.read(self._last, _PAGE):
                    self._ring.append(_Frame(stored, frame_of(stored), is_discreet(stored.event)))
                    self._last = stored.position
                self._wake()

    def show_unstored(self, event: Event) -> None:
        """Show an event that could not be stored; the stored one with the same id replaces it later."""
        self._unstored_count += 1
        data = b"event: unstored\ndata: %b\n\n" % encode(event)
        self._unstored.append((self._unstored_count, data, is_discreet(event)))
        self._wake()

    def stop(self) -> None:
        """End every stream."""
        self.stopping.set()
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    @property
    def unstored_count(self) -> int:
        """How many events were shown unstored so far; a new client begins behind them."""
        return self._unstored_count

    def unstored_after(self, number: int, *, discreet: bool = True) -> list[bytes]:
        """Frames of unstored events behind a number; silent and duress presses only if `discreet`."""
        return [data for count, data, hidden in self._unstored if count > number and (discreet or not hidden)]

    async def frames_after(
        self, cursor: int, wanted: EventFilter | None, *, discreet: bool = True
    ) -> tuple[int, bytes]:
        """A page of frames behind a position that pass the filter, and the cursor behind them.

        Args:
            cursor: the position.
            wanted: the filter.
            discreet: also what nothing at the place may show.
        """
        if cursor >= self._last:
            return cursor, b""
        if not self._ring or cursor < self._ring[0].stored.position - 1:
            last = self._journal.last_position  # before the look: what comes meanwhile is behind it
            page = await self._journal.read(cursor, _PAGE, wanted)
            reached = page[-1].position if len(page) == _PAGE else max(last, page[-1].position if page else 0)
            return reached, b"".join(frame_of(each) for each in page if discreet or not is_discreet(each.event))
        start = cursor - self._ring[0].stored.position + 1
        passing: list[bytes] = []
        for frame in islice(self._ring, start, None):
            cursor = frame.stored.position
            if (discreet or not frame.discreet) and (wanted is None or _passes(frame.stored, wanted)):
                passing.append(frame.data)
                if len(passing) == _PAGE:
                    break
        return cursor, b"".join(passing)

    @property
    def news(self) -> asyncio.Event:
        """Set at the next change. Take it before looking, wait for it after: then no change falls in between."""
        return self._news

    def heartbeat(self) -> bytes:
        """The server's time and the last position, as an event that scripts can see."""
        body = {"time": self._clock.now().isoformat().replace("+00:00", "Z"), "position": self._journal.last_position}
        return b"event: heartbeat\ndata: %b\n\n" % json.dumps(body).encode()


def _passes(stored: Stored, wanted: EventFilter) -> bool:
    return wanted.matches(stored.event, type_of(stored.event))


class EventStream(Response):
    """One client's stream, written straight to the connection.

    Args:
        hub: where frames come from.
        after: position that the client has.
        wanted: its filter.
        discreet: whether it may be told of silent and duress presses.
        still_allowed: asked every few seconds, however much there is to send; False ends the stream.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: EventHub,
        *,
        after: int,
        wanted: EventFilter | None,
        discreet: bool,
        still_allowed: Callable[[], Awaitable[bool]],
        ended: Callable[[], None],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._cursor = after
        self._wanted = wanted
        self._discreet = discreet
        self._unstored = hub.unstored_count
        self._still_allowed = still_allowed
        self._ended = ended
        self._asked = asyncio.get_running_loop().time()

    async def __call__(self, _scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Send until the client goes, reads nothing for 20 s, may no longer, or the gateway stops."""
        self._hub.clients += 1
        gone = asyncio.create_task(_until_gone(receive), name="stream client leaves")
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._write(send, b"retry: 1000\n\n" + self._hub.heartbeat())
            await self._feed(send, gone)
        except (TimeoutError, OSError):
            return
        finally:
            self._hub.clients -= 1
            gone.cancel()
            self._ended()
        with contextlib.suppress(OSError, RuntimeError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _feed(self, send: Send, gone: asyncio.Task[None]) -> None:
        while not gone.done() and not self._hub.stopping.is_set():
            changed, before = self._hub.news, self._cursor
            data = await self._collect()
            if not await self._is_allowed():
                return
            if data:
                await self._write(send, data)
            if data or self._cursor != before:
                continue
            news = asyncio.create_task(changed.wait(), name="stream news")
            try:
                await asyncio.wait({news, gone}, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not news.done() and not gone.done() and await self._is_allowed():
                    await self._write(send, self._hub.heartbeat())
            finally:
                news.cancel()

    async def _is_allowed(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._asked < _HEARTBEAT_SECONDS:
            return True
        self._asked = now
        return await self._still_allowed()

    async def _collect(self) -> bytes:
        self._cursor, data = await self._hub.frames_after(self._cursor, self._wanted, discreet=self._discreet)
        unstored = self._hub.unstored_after(self._unstored, discreet=self._discreet)
        self._unstored = self._hub.unstored_count
        return b"".join(unstored) + data

    @staticmethod
    async def _write(send: Send, data: bytes) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
