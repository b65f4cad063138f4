"""Topic filters (MQTT 5.0 §4.7) as one tree of their levels, so that a topic meets only those that take it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key")
Entry = TypeVar("Entry")


@dataclass(slots=True)
class _Node(Generic[Key, Entry]):
    below: "dict[str, _Node[Key, Entry]]" = field(default_factory=dict)
    here: dict[Key, Entry] = field(default_factory=dict)


class LevelTree(Generic[Key, Entry]):
    """Entries by filter and key."""

    def __init__(self) -> None:
        self._root: _Node[Key, Entry] = _Node()

    def put(self, pattern: str, key: Key, entry: Entry) -> None:
        """Add an entry, or replace the one of this filter and key."""
        node = self._root
        for level in pattern.split("/"):
            node = node.below.setdefault(level, _Node())
        node.here[key] = entry

    def drop(self, pattern: str, key: Key) -> None:
        """Remove an entry; one that is not there is no error."""
        path, node = list[tuple[_Node[Key, Entry], str]](), self._root
        for level in pattern.split("/"):
            if level not in node.below:
                return
            path.append((node, level))
            node = node.below[level]
        node.here.pop(key, None)
        for parent, level in reversed(path):
            child = parent.below[level]
            if child.here or child.below:
                return
            del parent.below[level]

    def taking(self, topic: str) -> Iterator[Mapping[Key, Entry]]:
        """The entries of each filter that takes a topic; no wildcard takes the first level of a ``$`` one (§4.7.2)."""
        nodes = [self._root]
        for depth, level in enumerate(topic.split("/")):
            wild = depth or not topic.startswith("$")
            following: list[_Node[Key, Entry]] = []
            for node in nodes:
                if wild and (rest := node.below.get("#")) is not None:
                    yield rest.here
                if (same := node.below.get(level)) is not None:
                    following.append(same)
                if wild and level != "+" and (any_level := node.below.get("+")) is not None:
                    following.append(any_level)
            if not following:
                return
            nodes = following
        for node in nodes:
            yield node.here
            if (rest := node.below.get("#")) is not None:
                yield rest.here
