"""Who wants a topic: the filters of all sessions in one tree (§4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.alarms.levels import LevelTree
from gateway.alarms.packets import NO_LOCAL, QOS_MASK, RETAIN_AS_PUBLISHED, RETAIN_HANDLING_SHIFT
from gateway.alarms.wireformat import split_share

_MOST_TOPICS, _MOST_TAKERS = 4096, 8


@dataclass(frozen=True, slots=True)
class Subscription:
    """One filter of a session with its options (§3.8.3.1).

    Attributes:
        pattern: as the client gave it, with ``$share/<group>/`` if it is shared.
        options: the options byte.
        identifier: comes back with each message (§3.8.2.1.2).
    """

    pattern: str
    options: int
    identifier: int | None = None

    @property
    def qos(self) -> int:
        """The QoS that was granted."""
        return self.options & QOS_MASK

    @property
    def no_local(self) -> bool:
        """Whether the client does not want its own messages."""
        return bool(self.options & NO_LOCAL)

    @property
    def retain_as_published(self) -> bool:
        """Whether the retain flag goes on as it came."""
        return bool(self.options & RETAIN_AS_PUBLISHED)

    @property
    def retain_handling(self) -> int:
        """0: kept messages come at once; 1: if the filter is new; 2: never."""
        return self.options >> RETAIN_HANDLING_SHIFT & 3


class FilterTree:
    """All filters by level; each entry is of a group ("": not shared) and a client."""

    def __init__(self) -> None:
        self._tree = LevelTree[tuple[str, str], Subscription]()
        self._found: dict[str, tuple[tuple[str, str, Subscription], ...]] = {}

    def add(self, client_id: str, subscription: Subscription) -> None:
        """Add a filter, or replace its options."""
        self._found.clear()
        group, wanted = split_share(subscription.pattern)
        self._tree.put(wanted, (group, client_id), subscription)

    def remove(self, client_id: str, pattern: str) -> None:
        """Remove a filter; one that is not there is no error."""
        self._found.clear()
        group, wanted = split_share(pattern)
        self._tree.drop(wanted, (group, client_id))

    def takers(self, topic: str) -> Sequence[tuple[str, str, Subscription]]:
        """Group, client and subscription of every filter that takes a topic."""
        found = self._found.get(topic)
        if found is None:
            found = tuple(
                (group, client_id, subscription)
                for entries in self._tree.taking(topic)
                for (group, client_id), subscription in entries.items()
            )
            if len(self._found) >= _MOST_TOPICS:  # a client makes up topics
                self._found.clear()
            if len(found) <= _MOST_TAKERS:
                self._found[topic] = found
        return found
