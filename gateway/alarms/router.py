"""Passes a message on to the sessions that want it: each once, a shared subscription to one of its members (§4.8)."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.alarms.packets import Publish
from gateway.alarms.retained import RetainedBook
from gateway.alarms.sessions import Session, SessionBook, without_alias
from gateway.alarms.topics import Subscription

_MOST_TURNS = 10_000

_Member = tuple[str, Subscription]


class Outlet(Protocol):
    """A connection, as far as messages go out on it."""

    def send_message(self, message: Publish, expires: float | None) -> None:
        """Send one with QoS 0."""
        ...

    def send_queued(self) -> None:
        """Send what waits in its session, as far as the client takes more."""
        ...


class Router:
    """Passes messages on.

    Args:
        book: sessions and their filters.
        retained: where messages with the retain flag are kept.
        outlets: client id → connection of those that are there.
    """

    def __init__(self, book: SessionBook, retained: RetainedBook, outlets: Mapping[str, Outlet]) -> None:
        self._book = book
        self._retained = retained
        self._outlets = outlets
        self._turns = Counter[tuple[str, str]]()

    def route(self, message: Publish, sender: str) -> bool:
        """Give a message to who wants it (§3.3.4); the store is told of what must last. Whether anybody wants it."""
        message = without_alias(message)
        seconds = message.properties.message_expiry
        expires = None if seconds is None else time.monotonic() + seconds
        if message.retain:
            self._retained.keep(message, expires)
        mine: dict[str, list[Subscription]] = {}
        shared: dict[tuple[str, str], list[_Member]] = {}
        wanted = False
        for group, client_id, subscription in self._book.tree.takers(message.topic):
            wanted = True
            if group:
                shared.setdefault((group, subscription.pattern), []).append((client_id, subscription))
            elif not (subscription.no_local and client_id == sender):
                mine.setdefault(client_id, []).append(subscription)
        for client_id, subscriptions in mine.items():
            self._give(client_id, subscriptions, message, expires)
        for key, members in shared.items():
            client_id, subscription = self._pick(key, members)
            self._give(client_id, [subscription], message, expires)
        return wanted

    def _pick(self, group: tuple[str, str], members: list[_Member]) -> _Member:
        """The next member of a group, one that is connected before one that is not."""
        there = [member for member in members if member[0] in self._outlets] or members
        if len(self._turns) > _MOST_TURNS:
            self._turns.clear()
        self._turns[group] += 1
        return there[(self._turns[group] - 1) % len(there)]

    def _give(self, client_id: str, subscriptions: list[Subscription], message: Publish, expires: float | None) -> None:
        session = self._book.get(client_id)
        if session is None:
            return
        identifiers = tuple(each.identifier for each in subscriptions if each.identifier is not None)
        properties = message.properties
        if identifiers:
            properties = replace(properties, subscription_ids=identifiers)
        outgoing = Publish(
            topic=message.topic,
            payload=message.payload,
            qos=min(message.qos, max(each.qos for each in subscriptions)),
            retain=message.retain and any(each.retain_as_published for each in subscriptions),
            properties=properties,
        )
        self.deliver(session, outgoing, expires)

    def deliver(self, session: Session, message: Publish, expires: float | None) -> None:
        """Send a message to a client, or queue it for one that is away and comes back."""
        outlet = self._outlets.get(session.client_id)
        if message.qos == 0:
            if outlet is not None:
                outlet.send_message(message, expires)
        elif outlet is not None or session.lasts:
            self._book.enqueue(session, message, expires)
            if outlet is not None:
                outlet.send_queued()
