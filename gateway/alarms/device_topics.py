"""Which devices a topic belongs to: the filters of all devices in one tree, so that many devices cost no time."""

from gateway.alarms.levels import LevelTree


class TopicTree:
    """The filters of all devices."""

    def __init__(self) -> None:
        self._tree = LevelTree[str, None]()
        self._filters: dict[str, tuple[str, ...]] = {}

    def put(self, device: str, filters: tuple[str, ...]) -> None:
        """A device publishes on these; again replaces what was known of it."""
        self.drop(device)
        self._filters[device] = filters
        for each in filters:
            self._tree.put(each, device, None)

    def drop(self, device: str) -> None:
        """A device publishes no more."""
        for each in self._filters.pop(device, ()):
            self._tree.drop(each, device)

    def devices_of(self, topic: str) -> set[str]:
        """The devices that publish on a topic."""
        return {device for devices in self._tree.taking(topic) for device in devices}

    def filters(self) -> tuple[str, ...]:
        """All filters, each once."""
        return tuple(dict.fromkeys(each for filters in self._filters.values() for each in filters))
