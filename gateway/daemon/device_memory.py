"""What supervision knows outlives the daemon: written down now and then, and completed from the journal at start."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from gateway.alarms import AlarmListener, DeviceMemory
from gateway.events import ButtonPressed, ButtonTested, Event
from gateway.storage import DeviceStore, EventFilter, Journal

_SAVE_SECONDS = 15.0
_GATHER_SECONDS = 0.2
_PAGE = 500
_LOOK_BACK = 10_000
_ADAPTER = TypeAdapter(DeviceMemory)
_PRESSED = EventFilter(types=(ButtonPressed.TYPE, ButtonTested.TYPE))
_TOLD = EventFilter(types=("campus.button.", "campus.gateway.fault"))
_log = logging.getLogger(__name__)


class DeviceMemories:
    """Binds the listener's memory to the store and the journal."""

    def __init__(self, listener: AlarmListener, store: DeviceStore, journal: Journal) -> None:
        self._listener = listener
        self._store = store
        self._journal = journal

    async def load(self) -> None:
        """Take up what a former run knew; what it reported behind its last writing is read from the journal."""
        position, bodies = await self._store.load()
        start = max(position, self._journal.last_position - _LOOK_BACK)
        pressed = await self._events(self._journal.last_position - _LOOK_BACK, _PRESSED)
        self._listener.restore(list(_memories(bodies)), await self._events(start, _TOLD), pressed)

    async def _events(self, after: int, wanted: EventFilter) -> list[Event]:
        found: list[Event] = []
        after = max(0, after)
        while page := await self._journal.read(after, _PAGE, wanted):
            found += [stored.event for stored in page]
            after = page[-1].position
        return found

    async def run(self) -> None:
        """Write it down now and then, and soon when a condition changed (it would press again), for ever."""
        changed = self._listener.conditions_changed
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _SAVE_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)
            changed.clear()
            await self.save()

    async def save(self) -> None:
        """Write it down; the position is taken first, so that nothing behind it is missed."""
        position = self._journal.last_position
        memories = self._listener.memories()
        await self._store.save(position, {name: _ADAPTER.dump_json(each).decode() for name, each in memories.items()})


def _memories(bodies: dict[str, str]) -> Iterator[DeviceMemory]:
    for device, body in bodies.items():
        try:
            yield _ADAPTER.validate_json(body)
        except ValidationError:
            _log.error("what was known of device %s cannot be read; it is forgotten", device)
