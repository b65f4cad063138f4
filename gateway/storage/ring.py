"""The newest events of the journal in memory, so that readers that keep up ask no file."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice

from gateway.storage.passing import passes
from gateway.storage.values import EventFilter, Stored


class Ring:
    """Events of consecutive positions.

    A destination asks for one source at a time, again and again behind a backlog: those lie together.

    Args:
        most: the oldest goes when there are more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._all: deque[Stored] = deque()
        self._of_source: dict[str, deque[Stored]] = {}

    def add(self, stored: Stored) -> None:
        """Take the next event."""
        if len(self._all) >= self._most:
            self._drop_oldest()
        self._all.append(stored)
        source = stored.event.source
        if (mine := self._of_source.get(source)) is None:
            mine = self._of_source[source] = deque()
        mine.append(stored)

    def _drop_oldest(self) -> None:
        source = self._all.popleft().event.source
        mine = self._of_source[source]
        mine.popleft()
        if not mine:
            del self._of_source[source]

    def read(self, after: int, limit: int, wanted: EventFilter | None) -> list[Stored] | None:
        """At most `limit` events behind a position that pass the filter; None if older ones may be among them."""
        if not self._all or after < self._all[0].position - 1:
            return None
        if wanted is None:
            return list(islice(self._behind(self._all, after), limit))
        mine = self._all if wanted.source is None else self._of_source.get(wanted.source, deque())
        return list(islice(filter(passes(wanted), self._behind(mine, after)), limit))

    @staticmethod
    def _behind(events: deque[Stored], after: int) -> Iterator[Stored]:
        start = bisect_right(events, after, key=lambda stored: stored.position)
        return islice(events, start, None)
