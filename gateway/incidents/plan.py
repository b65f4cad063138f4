"""Decides about many events before anything of it is stored, as if each decision were stored before the next event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.events import Event
from gateway.incidents.keys import LOSSES, Key, group_key, is_emergency, is_group, key_of
from gateway.incidents.policy import Policy
from gateway.incidents.projection import Projection
from gateway.incidents.rules import decide, explains
from gateway.incidents.situation import flood_begins
from gateway.storage import Stored

_GROUPS = 5


class Plan:
    """What events mean, one after the other, on a copy of what is known.

    Args:
        known: is left as it is.
        policy: the site's.
        last: the journal's last position; what is decided is supposed to stand behind it.
        now: when what is decided is supposed to be recorded.
    """

    def __init__(self, known: Projection, policy: Policy, *, last: int, now: datetime) -> None:
        self._view = known.copy()
        self._policy = policy
        self._last = last
        self._now = now

    def read(self, stored: Stored) -> None:
        """Take what the journal has next."""
        self._view.take(stored)

    def decide(self, stored: Stored) -> list[Event]:
        """What is to be stored because of an event, and the flood that it begins or that a crash left out."""
        decided = self._begin_flood()
        for event in self._meaning_of(stored):
            decided += [self._suppose(event), *self._begin_flood()]
        return decided

    def _meaning_of(self, stored: Stored) -> Sequence[Event]:
        event, board = stored.event, self._view.board
        key = key_of(event)
        known = board.of_key(key) if key is not None else None
        group_by = self._group_by(event)
        group = board.of_key(group_by) if group_by is not None else None
        causes = board.all() if isinstance(event, LOSSES) and self._policy.inhibitions else ()
        cause = next((each for each in causes if explains(each, stored, self._policy)), None)
        return decide(known, stored, self._policy, self._view.situation, group, cause, group_by)

    def _group_by(self, event: Event) -> Key | None:
        """How a flood groups an event: by its place, and once there are many groups of its kind by the kind alone."""
        board = self._view.board
        if not self._view.situation.flood or is_emergency(event):
            return None
        narrow = group_key(event)
        if board.of_key(narrow) is not None:
            return narrow
        groups = sum(is_group(each) and each.kind == narrow[1] for each in board.all())
        return narrow if groups < _GROUPS else group_key(event, everywhere=True)

    def _begin_flood(self) -> list[Event]:
        flood = flood_begins(self._view.situation, self._policy)
        return [self._suppose(flood)] if flood is not None else []

    def _suppose(self, event: Event) -> Event:
        """Take an event as if it were stored; no two are of the same moment."""
        self._last += 1
        self._now += timedelta(microseconds=1)
        self._view.take(Stored(self._last, replace(event, recorded=self._now), b""))
        return event
