"""Retained messages on their way to new filters (§3.8.4): a moment's worth each turn of the loop."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.alarms.packets import Publish
from gateway.alarms.retained import Kept, RetainedBook
from gateway.alarms.sessions import Session
from gateway.alarms.topics import Subscription
from gateway.alarms.wireformat import topic_matches

_SLICE_SECONDS = 0.0005
_PAUSE_SECONDS = 0.02
_MOST_PARKED = 1000

_Key = tuple[str, str]


class Reader(Protocol):
    """A connection, as far as it can be given more than it has read."""

    @property
    def takes_more(self) -> bool:
        """Whether it keeps up."""
        ...


@dataclass(slots=True)
class _Errand:
    session: Session
    subscription: Subscription
    reached: int
    until: int

    @property
    def key(self) -> _Key:
        return self.session.client_id, self.subscription.pattern

    @property
    def wanted(self) -> bool:
        return not self.session.ended and self.session.filters.get(self.subscription.pattern) is self.subscription


class RetainedFeed:
    """Walks through what is kept for each new filter, as fast as its client reads and no faster.

    A press waits behind one slice at most, whatever clients ask for. What is kept meanwhile comes as any new message.

    Args:
        retained: what is kept.
        readers: client id → connection of those that are there.
        deliver: gives a message with its expiry to a session.
        clock: seconds.
    """

    def __init__(
        self,
        retained: RetainedBook,
        readers: Mapping[str, Reader],
        deliver: Callable[[Session, Publish, float | None], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._retained = retained
        self._readers = readers
        self._deliver = deliver
        self._clock = clock
        self._errands: OrderedDict[_Key, _Errand] = OrderedDict()
        self._parked: OrderedDict[_Key, _Errand] = OrderedDict()
        self._next: asyncio.Handle | None = None

    def want(self, session: Session, subscription: Subscription, *, fresh: bool) -> None:
        """Send what a new filter takes, as its retain handling says; the same filter again begins anew."""
        handling = subscription.retain_handling
        if subscription.pattern.startswith("$share/") or handling > 1 or (handling == 1 and not fresh):
            return
        self._add(_Errand(session, subscription, 0, self._retained.newest))

    def back(self, session: Session) -> None:
        """A client is there again: go on where it left."""
        for pattern in session.filters:
            errand = self._parked.pop((session.client_id, pattern), None)
            if errand is not None and errand.wanted:
                self._add(errand)

    def stop(self) -> None:
        """Send no more."""
        self._errands.clear()
        if self._next is not None:
            self._next.cancel()

    def _add(self, errand: _Errand) -> None:
        self._errands[errand.key] = errand
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._next = None
        ends = self._clock() + _SLICE_SECONDS
        moved = False
        for _ in range(len(self._errands)):
            key, errand = self._errands.popitem(last=False)
            going, more = self._advance(errand, ends)
            moved |= going
            if more:
                self._errands[key] = errand
            if self._clock() >= ends:
                break
        if self._errands:
            loop = asyncio.get_running_loop()
            self._next = loop.call_soon(self._turn) if moved else loop.call_later(_PAUSE_SECONDS, self._turn)

    def _advance(self, errand: _Errand, ends: float) -> tuple[bool, bool]:
        """Go on until its client or the slice is full: whether it moved, and whether there is more."""
        moved = False
        while errand.wanted:
            reader = self._readers.get(errand.session.client_id)
            if reader is None:
                self._park(errand)
                return moved, False
            if not reader.takes_more:
                return moved, True
            if not self._step(errand):
                return True, False
            moved = True
            if self._clock() >= ends:
                return True, True
        return moved, False

    def _park(self, errand: _Errand) -> None:
        if errand.session.lasts and errand.subscription.qos:
            self._parked[errand.key] = errand
            if len(self._parked) > _MOST_PARKED:
                self._parked.popitem(last=False)

    def _step(self, errand: _Errand) -> bool:
        """Look at the next kept message; False if there is none."""
        pattern = errand.subscription.pattern
        if "+" not in pattern and "#" not in pattern:
            if (kept := self._retained.of_topic(pattern)) is not None and kept.number <= errand.until:
                self._send(errand, kept)
            return False
        found = self._retained.behind(errand.reached)
        if found is None or found[0] > errand.until:
            return False
        errand.reached, kept = found
        if kept is not None and topic_matches(pattern, kept.message.topic):
            self._send(errand, kept)
        return True

    def _send(self, errand: _Errand, kept: Kept) -> None:
        message, subscription = kept.message, errand.subscription
        properties = message.properties
        if subscription.identifier is not None:
            properties = replace(properties, subscription_ids=(subscription.identifier,))
        outgoing = Publish(
            topic=message.topic,
            payload=message.payload,
            qos=min(message.qos, subscription.qos),
            retain=True,
            properties=properties,
        )
        self._deliver(errand.session, outgoing, kept.expires)
