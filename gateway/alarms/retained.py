"""Retained messages (§3.3.1.3): the newest of each topic, kept on disk, bounded in number and bytes."""

import time
from collections import OrderedDict
from dataclasses import replace

from gateway.alarms.packets import Publish
from gateway.alarms.records import RETAINED, RecordBook, put_message, take_message
from gateway.alarms.wireformat import topic_matches

_MOST = 10_000
_MOST_BYTES = 32 * 1024 * 1024


class RetainedBook:
    """Keeps them, the one that was kept longest goes first when there are too many."""

    def __init__(self, records: RecordBook) -> None:
        self._records = records
        self._kept: OrderedDict[str, tuple[Publish, float | None]] = OrderedDict()
        self._bytes = 0

    def keep(self, message: Publish, expires: float | None) -> None:
        """Keep the newest message of a topic; an empty one removes it."""
        self._forget(message.topic)
        if not message.payload:
            self._records.remove(RETAINED, message.topic, 0)
            return
        self._put(message, expires)
        body = put_message(replace(message, packet_id=1 if message.qos else 0), expires)
        self._records.put(RETAINED, message.topic, 0, body)

    def _put(self, message: Publish, expires: float | None) -> None:
        self._kept[message.topic] = (message, expires)
        self._bytes += _size(message)
        while len(self._kept) > _MOST or self._bytes > _MOST_BYTES:
            oldest = next(iter(self._kept))
            self._forget(oldest)
            self._records.remove(RETAINED, oldest, 0)

    def _forget(self, topic: str) -> None:
        if (known := self._kept.pop(topic, None)) is not None:
            self._bytes -= _size(known[0])

    def restore(self, topic: str, body: bytes) -> None:
        """Take back one that was kept."""
        message, expires = take_message(body)
        self._put(replace(message, topic=topic, packet_id=0), expires)

    def matching(self, pattern: str) -> list[tuple[Publish, float | None]]:
        """Those that a filter takes, with their expiry; what has expired is dropped."""
        now = time.monotonic()
        if "+" in pattern or "#" in pattern:
            found = [each for topic, each in self._kept.items() if topic_matches(pattern, topic)]
        else:
            found = [self._kept[pattern]] if pattern in self._kept else []
        for message, expires in found:
            if expires is not None and expires <= now:
                self._forget(message.topic)
                self._records.remove(RETAINED, message.topic, 0)
        return [(message, expires) for message, expires in found if expires is None or expires > now]


def _size(message: Publish) -> int:
    return len(message.topic) + len(message.payload)
