"""The newest events of the journal in memory, so that readers that keep up ask no file."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from itertools import islice
from operator import attrgetter

from gateway.storage.passing import passes
from gateway.storage.values import EventFilter, Stored

_POSITION = attrgetter("position")


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
    def _behind(events: deque[Stored], after: int) -> Iterable[Stored]:
        """Those behind a position, by the shorter way: most readers want the newest few."""
        start = bisect_right(events, after, key=_POSITION)
        count = len(events) - start
        if start < count:
            return islice(events, start, None)
        newest = list(islice(reversed(events), count))
        newest.reverse()
        return newest
