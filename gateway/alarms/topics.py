"""Who wants a topic: all filters in one tree, so that a message meets only those that take it (§4.7)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.alarms.packets import NO_LOCAL, QOS_MASK, RETAIN_AS_PUBLISHED, RETAIN_HANDLING_SHIFT
from gateway.alarms.wireformat import split_share


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


@dataclass(slots=True)
class _Node:
    below: dict[str, "_Node"] = field(default_factory=dict)
    here: dict[tuple[str, str], Subscription] = field(default_factory=dict)


class FilterTree:
    """All filters by level; each entry is of a group ("": not shared) and a client."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, client_id: str, subscription: Subscription) -> None:
        """Add a filter, or replace its options."""
        group, wanted = split_share(subscription.pattern)
        node = self._root
        for level in wanted.split("/"):
            node = node.below.setdefault(level, _Node())
        node.here[group, client_id] = subscription

    def remove(self, client_id: str, pattern: str) -> None:
        """Remove a filter; one that is not there is no error."""
        group, wanted = split_share(pattern)
        path, node = list[tuple[_Node, str]](), self._root
        for level in wanted.split("/"):
            if level not in node.below:
                return
            path.append((node, level))
            node = node.below[level]
        node.here.pop((group, client_id), None)
        for parent, level in reversed(path):
            child = parent.below[level]
            if child.here or child.below:
                return
            del parent.below[level]

    def takers(self, topic: str) -> Iterator[tuple[str, str, Subscription]]:
        """Group, client and subscription of every filter that takes a topic."""
        levels = topic.split("/")
        nodes = [self._root]
        for depth, level in enumerate(levels):
            wild = depth or not topic.startswith("$")
            following: list[_Node] = []
            for node in nodes:
                if wild and (rest := node.below.get("#")) is not None:
                    yield from _entries(rest)
                if (same := node.below.get(level)) is not None:
                    following.append(same)
                if wild and level != "+" and (any_level := node.below.get("+")) is not None:
                    following.append(any_level)
            if not following:
                return
            nodes = following
        for node in nodes:
            yield from _entries(node)
            if (rest := node.below.get("#")) is not None:
                yield from _entries(rest)


def _entries(node: _Node) -> Iterator[tuple[str, str, Subscription]]:
    for (group, client_id), subscription in node.here.items():
        yield group, client_id, subscription
