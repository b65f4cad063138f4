"""Which devices a topic belongs to: topic filters (MQTT 5.0 §4.7) as a tree, so that many devices cost no time."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)


class TopicTree:
    """The filters of all devices."""

    def __init__(self) -> None:
        self._root = _Node()
        self._filters: dict[str, tuple[str, ...]] = {}

    def put(self, device: str, filters: tuple[str, ...]) -> None:
        """A device publishes on these; again replaces what was known of it."""
        self.drop(device)
        self._filters[device] = filters
        for each in filters:
            node = self._root
            for level in each.split("/"):
                node = node.children.setdefault(level, _Node())
            node.devices.add(device)

    def drop(self, device: str) -> None:
        """A device publishes no more."""
        for each in self._filters.pop(device, ()):
            path = [self._root]
            for level in each.split("/"):
                path.append(path[-1].children[level])
            path[-1].devices.discard(device)
            for parent, level in reversed(list(zip(path, each.split("/"), strict=False))):
                child = parent.children[level]
                if not child.children and not child.devices:
                    del parent.children[level]

    def devices_of(self, topic: str) -> set[str]:
        """The devices that publish on a topic; wildcards do not match one that begins with ``$`` (§4.7.2)."""
        found: set[str] = set()
        for devices in _matches(self._root, topic.split("/"), 0):
            found |= devices
        return found

    def filters(self) -> tuple[str, ...]:
        """All filters, each once."""
        return tuple(dict.fromkeys(each for filters in self._filters.values() for each in filters))


def _matches(node: _Node, levels: list[str], depth: int) -> Iterator[set[str]]:
    wild = depth > 0 or not levels[0].startswith("$")
    if wild and "#" in node.children:
        yield node.children["#"].devices
    if depth == len(levels):
        yield node.devices
        return
    for level in (levels[depth], "+") if wild else (levels[depth],):
        child = node.children.get(level)
        if child is not None:
            yield from _matches(child, levels, depth + 1)
