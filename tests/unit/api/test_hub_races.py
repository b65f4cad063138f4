"""A change that falls between a stream's look and its wait is not missed."""

import asyncio
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from gateway.api.hub import EventHub, EventStream
from gateway.clock import SystemClock
from gateway.events import ButtonPressed, Severity, encode
from gateway.storage import Stored


class TinyJournal:
    """The newest events in memory; `grow` commits one at the worst moment."""

    def __init__(self) -> None:
        self.events: list[Stored] = []
        self._grown = asyncio.Event()

    @property
    def last_position(self) -> int:
        return len(self.events)

    def subscribe(self, *, first: bool) -> "TinyJournal":
        assert first
        return self

    def __enter__(self) -> "TinyJournal":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    async def wait(self, after: int) -> int:
        while self.last_position <= after:
            self._grown.clear()
            await self._grown.wait()
        return self.last_position

    async def read(self, after: int, _limit: int) -> list[Stored]:
        return self.events[after:]

    def grow(self) -> None:
        position = len(self.events) + 1
        event = ButtonPressed(
            id=str(position), source="/s", subject="b", time=datetime.now(UTC), severity=Severity.CRITICAL, device="b"
        )
        self.events.append(Stored(position, event, encode(event)))
        self._grown.set()


async def test_every_event_comes_at_once_however_it_falls() -> None:
    journal = TinyJournal()
    hub = EventHub(journal, SystemClock())  # type: ignore[arg-type]  # what the hub uses of a journal
    sent: list[bytes] = []
    arrived = asyncio.Event()

    async def send(message: MutableMapping[str, Any]) -> None:
        if b"data" in message.get("body", b"") and b"id: " in message["body"]:
            sent.append(message["body"])
            arrived.set()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def allowed() -> bool:
        return True

    stream = EventStream(hub, after=0, wanted=None, discreet=True, still_allowed=allowed, ended=lambda: None)
    following = asyncio.create_task(hub.run())
    serving = asyncio.create_task(stream({}, receive, send))
    for steps in range(120):
        journal.grow()
        for _ in range(steps % 24):
            await asyncio.sleep(0)
        journal.grow()
        async with asyncio.timeout(2.0):
            while b"".join(sent).count(b"id: ") < journal.last_position:
                arrived.clear()
                await arrived.wait()
    hub.stop()
    await serving
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert b"".join(sent).count(b"id: ") == 240
