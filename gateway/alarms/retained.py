"""Retained messages (§3.3.1.3): the newest of each topic, kept on disk, bounded in number and bytes."""

import time
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, replace
from operator import itemgetter

from gateway.alarms.kept_messages import put_message, take_message
from gateway.alarms.packets import Publish
from gateway.alarms.records import RETAINED, RecordBook

_MOST = 10_000
_MOST_BYTES = 32 * 1024 * 1024
_MOST_GAPS = 250


@dataclass(frozen=True, slots=True)
class Kept:
    """A retained message.

    Attributes:
        number: grows with each that is kept.
        expires: monotonic seconds; None: never.
    """

    number: int
    message: Publish
    expires: float | None


class RetainedBook:
    """Keeps them, the one that was kept longest goes first when there are too many."""

    def __init__(self, records: RecordBook) -> None:
        self._records = records
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._order: list[tuple[int, str]] = []  # numbers and topics; those that are kept no longer are gaps
        self._bytes = 0
        self.newest = 0

    def keep(self, message: Publish, expires: float | None) -> None:
        """Keep the newest message of a topic; an empty one removes it."""
        self._forget(message.topic)
        if not message.payload:
            self._records.remove(RETAINED, message.topic, 0)
            return
        self._put(message, expires)
        kept = replace(message, packet_id=1 if message.qos else 0)
        body = put_message(kept, expires, self._records.moments)
        self._records.put(RETAINED, message.topic, 0, body)

    def _put(self, message: Publish, expires: float | None) -> None:
        self.newest += 1
        kept = Kept(self.newest, message, expires)
        self._kept[message.topic] = kept
        self._order.append((kept.number, message.topic))
        self._bytes += _size(message)
        while len(self._kept) > _MOST or self._bytes > _MOST_BYTES:
            self._drop(next(iter(self._kept)))
        if len(self._order) > 2 * len(self._kept) + _MOST_GAPS:
            self._order = [(each.number, topic) for topic, each in self._kept.items()]

    def _drop(self, topic: str) -> None:
        self._forget(topic)
        self._records.remove(RETAINED, topic, 0)

    def _forget(self, topic: str) -> None:
        if (known := self._kept.pop(topic, None)) is not None:
            self._bytes -= _size(known.message)

    def restore(self, topic: str, body: bytes) -> None:
        """Take back one that was kept."""
        message, expires = take_message(body, self._records.moments)
        self._put(replace(message, topic=topic, packet_id=0), expires)

    def of_topic(self, topic: str) -> Kept | None:
        """The message of a topic; one that has expired is dropped."""
        kept = self._kept.get(topic)
        if kept is not None and kept.expires is not None and kept.expires <= time.monotonic():
            self._drop(topic)
            return None
        return kept

    def behind(self, number: int) -> tuple[int, Kept | None] | None:
        """One step through all of them: the next number behind `number`, with its message if that is still kept.

        None behind the last. The way stays good while messages come and go.
        """
        index = bisect_right(self._order, number, key=itemgetter(0))
        if index == len(self._order):
            return None
        found, topic = self._order[index]
        kept = self.of_topic(topic)
        return found, kept if kept is not None and kept.number == found else None


def _size(message: Publish) -> int:
    return len(message.topic) + len(message.payload)
