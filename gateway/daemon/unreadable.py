"""Tells of each damaged event in the journal, as soon as somebody meets it, and once for ever."""

from gateway.clock import Clock
from gateway.events import GatewayFault, Severity, because, derived_id
from gateway.storage import Journal

_REMEDY = "Check the disk. To see it, restore a backup into another folder; `audit verify` names the first one."


class UnreadableTeller:
    """Journals a critical fault for each position, which opens an incident: what stood there may have been a press.

    Args:
        journal: where they are met.
        source: the gateway's.
    """

    def __init__(self, journal: Journal, source: str, clock: Clock) -> None:
        self._journal = journal
        self._source = source
        self._clock = clock
        self._told: set[int] = set()

    async def run(self) -> None:
        """Tell, for ever; the id of a fault is that of its position, so that no start tells it again."""
        while True:
            self._journal.found_unreadable.clear()
            for position in sorted(self._journal.unreadable - self._told):
                await self._tell(position)
            await self._journal.found_unreadable.wait()

    async def _tell(self, position: int) -> None:
        await self._journal.append(self._fault(position))
        self._told.add(position)

    def _fault(self, position: int) -> GatewayFault:
        what = f"the event at position {position} of the journal is damaged and passed over. {_REMEDY}"
        return GatewayFault(
            id=derived_id("event unreadable", self._source, str(position)),
            source=self._source,
            subject="gateway",
            time=self._clock.now(),
            severity=Severity.CRITICAL,
            **because("event_unreadable", what, position=position).data,
        )
