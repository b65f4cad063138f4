"""Reads the journal into a destination's lanes: in order while there is room, critical events also beyond it."""

from collections.abc import Callable

from gateway.events import Event, IncidentEscalated, Severity
from gateway.forwarding.lanes import LANE, Lanes
from gateway.forwarding.ledger import Ledger
from gateway.forwarding.ports import JournalPort
from gateway.settings import DestinationSettings
from gateway.storage import EventFilter, Stored, UnreadableEvent, type_of

WINDOW = 2000
_PAGE = 200
_PAGES_AT_ONCE = 2
_ORDER = list(Severity)


def wants(destination: DestinationSettings, event: Event) -> bool:
    """Whether a destination gets an event: none about itself, and what its entry asks for.

    The police get no drill, and nothing of a button that two administrators took out of service.

    What is damaged in the journal goes to nobody: a receiver knows the event by its id, and would take this for it.
    """
    if isinstance(event, UnreadableEvent):
        return False
    if getattr(event, "destination", None) == destination.id or event.source.endswith(f"/gateway#{destination.id}"):
        return False
    if (event.drill or getattr(event, "out_of_service", False)) and destination.audience == "police":
        return False
    if isinstance(event, IncidentEscalated) and event.level < destination.minimum_level:
        return False
    severe = _ORDER.index(event.severity) <= _ORDER.index(Severity(destination.minimum_severity))
    return severe and (not destination.events or type_of(event).startswith(destination.events))


class Intake:
    """Between the journal and the lanes.

    Args:
        ledger: what is settled; what nobody wants is settled at once.
        wants: whether an event is for this destination.
    """

    def __init__(self, journal: JournalPort, lanes: Lanes, ledger: Ledger, wants: Callable[[Event], bool]) -> None:
        self._journal = journal
        self._lanes = lanes
        self._ledger = ledger
        self._wants = wants
        self._read = self._read_critical = ledger.low

    @property
    def unread(self) -> int:
        """How many events were not looked at yet."""
        return max(0, self._journal.last_position - self._read - self._lanes.beyond(self._read))

    async def fill(self) -> bool:
        """Read some pages of what there is room for; True if there is more, so that nothing waits for all of it."""
        await self._in_order()
        await self._critical_beyond()
        for source, after in self._lanes.hungry():
            await self._refill(source, after)
        last, room = self._journal.last_position, len(self._lanes)
        unread = (self._read < last and room < WINDOW) or (self._read_critical < last and room < 2 * WINDOW)
        return unread or bool(self._lanes.hungry())

    async def _in_order(self) -> None:
        for _ in range(_PAGES_AT_ONCE):
            if len(self._lanes) >= WINDOW or self._read >= self._journal.last_position:
                return
            page = await self._journal.read(self._read, _PAGE)
            if not page:
                return
            for stored in page:
                if stored.position > self._read + 1:  # the journal was begun anew, or cut: see its floor
                    self._ledger.skip(self._read, stored.position)
                self._admit(stored)
                self._read = stored.position

    async def _critical_beyond(self) -> None:
        self._read_critical = max(self._read_critical, self._read)
        last = self._journal.last_position
        if self._read_critical >= last or len(self._lanes) >= 2 * WINDOW:
            return
        page = await self._journal.read(self._read_critical, _PAGE, EventFilter(severities=(Severity.CRITICAL,)))
        for stored in page:
            self._admit(stored, in_order=False)
            self._lanes.lacks(stored.event.source, self._read)
        self._read_critical = page[-1].position if len(page) == _PAGE else last

    async def _refill(self, source: str, after: int) -> None:
        page = await self._journal.read(after, LANE, EventFilter(source=source))
        known = [each for each in page if each.position <= max(self._read, self._read_critical)]
        more = len(known) == LANE
        self._lanes.refill(
            source,
            [each for each in known if not self._ledger.has(each.position) and self._wants(each.event)],
            whole_to=known[-1].position if more else None,
            read=self._read,
        )

    def _admit(self, stored: Stored, *, in_order: bool = True) -> None:
        if self._ledger.has(stored.position):
            return
        if self._wants(stored.event):
            self._lanes.add(stored, in_order=in_order)
        else:
            self._ledger.settle(stored.position)
