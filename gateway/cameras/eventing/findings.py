"""From notices to findings: only what changed, bounded, with contacts before everything else."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.cameras.eventing.notices import Notice
from gateway.cameras.eventing.topics import Kind, kind_of

_MOTION_AGAIN_SECONDS = 30.0
_LEAST_APART_SECONDS = 5.0
_CONTACT_CHANGES, _CONTACT_SECONDS = 100, 10.0
# Of all inputs of a camera; one that changed less than _SPARED times is told all the same: another one may be broken.
_CAMERA_CHANGES, _SPARED = 200, 4
_MOST_TOPICS = 100
_MOST_SOURCES = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that changed, or for a contact how it is.

    Attributes:
        token: which input or picture; empty if the camera does not say.
        initial: it was so when the subscription began; nobody saw it change.
        changed: it is not as it was known before; False only for a contact's first word.
        at: when, by our clock.
        withheld: how many changes before it were not told, because they came too fast.
    """

    kind: Kind
    token: str
    active: bool
    initial: bool
    changed: bool
    at: datetime
    withheld: int = 0


@dataclass(slots=True)
class _Known:
    active: bool | None = None
    told: bool | None = None
    told_at: float = float("-inf")
    withheld: int = 0
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=_CONTACT_CHANGES))
    notice: Notice | None = None


class FindingBook:
    """One camera's states.

    What was told of a contact or a fault outlives the loss of a subscription, so that only what changed meanwhile is
    told after it. Motion is unknown after a loss, and one that never ends counts anew after 30 s.

    Attributes:
        unknown_topics: how often each topic came that nobody knows.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Kind, str], _Known] = {}
        self._changes: deque[float] = deque(maxlen=_CAMERA_CHANGES)
        self.unknown_topics: Counter[str] = Counter()

    def lost(self) -> None:
        """The subscription is gone: what may have changed since is unknown."""
        for known in self._known.values():
            known.active = None

    def take(self, notices: Iterable[Notice], offset: timedelta, now: datetime, monotonic: float) -> list[Finding]:
        """What is new in `notices`, contacts first.

        Args:
            notices: in the order in which they came.
            offset: how far the camera's clock is ahead.
            now: by our clock.
            monotonic: seconds, for what comes too fast.
        """
        found: list[Finding] = []
        for notice in notices:
            kind, active = kind_of(notice.topic), notice.active
            if kind is None:
                self._count(notice.topic)
            elif active is not None and kind is not Kind.OUTPUT:
                found += self._note(kind, notice, active, notice.happened(offset, now), monotonic)
        found += self._held_back(now, monotonic)
        return sorted(found, key=lambda each: each.kind is not Kind.INPUT)

    def _count(self, topic: str) -> None:
        if topic in self.unknown_topics or len(self.unknown_topics) < _MOST_TOPICS:
            self.unknown_topics[topic] += 1

    def _note(self, kind: Kind, notice: Notice, active: bool, at: datetime, monotonic: float) -> list[Finding]:
        key = (kind, notice.token)
        if key not in self._known and sum(known is kind for known, _ in self._known) >= _MOST_SOURCES:
            return []  # a camera makes up sources; of one kind, they take no room from another
        known = self._known.setdefault(key, _Known())
        before, known.active, known.notice = known.active, active, notice
        if kind is Kind.INPUT:
            return self._contact(key, known, at, monotonic)
        if kind is Kind.MOTION:
            return self._motion(key, known, before, at, monotonic)
        return self._condition(key, known, at, monotonic)

    def _contact(self, key: tuple[Kind, str], known: _Known, at: datetime, monotonic: float) -> list[Finding]:
        """Each change, but no more than a hundred in ten seconds, of all inputs two hundred; its end is always told."""
        if known.told == known.active or known.notice is None or known.active is None:
            return []
        if self._too_fast(known, monotonic):
            known.withheld += 1
            return []
        finding = Finding(*key, known.active, known.notice.initial, known.told is not None, at, withheld=known.withheld)
        known.told, known.withheld = known.active, 0
        known.changes.append(monotonic)
        self._changes.append(monotonic)
        return [finding]

    def _too_fast(self, known: _Known, monotonic: float) -> bool:
        """Whether its input, or its camera as a whole, has told too much in the last ten seconds."""
        since = monotonic - _CONTACT_SECONDS
        own = sum(each > since for each in known.changes)
        if own == _CONTACT_CHANGES:
            return True
        return len(self._changes) == _CAMERA_CHANGES and self._changes[0] > since and own >= _SPARED

    def _motion(
        self, key: tuple[Kind, str], known: _Known, before: bool | None, at: datetime, monotonic: float
    ) -> list[Finding]:
        """Its beginnings, at most one in five seconds; how it is when it is heard for the first time is none."""
        if known.notice is None or known.notice.initial:
            known.active = None
            return []
        since = monotonic - known.told_at
        begins = known.active and (not before or known.withheld or since >= _MOTION_AGAIN_SECONDS)
        if not begins:
            return []
        if since < _LEAST_APART_SECONDS:
            known.withheld += 0 if before else 1
            return []
        finding = Finding(*key, True, False, True, at, withheld=known.withheld)
        known.told_at, known.withheld = monotonic, 0
        return [finding]

    def _condition(self, key: tuple[Kind, str], known: _Known, at: datetime, monotonic: float) -> list[Finding]:
        """Tampering or a fault: its begin and its end; one that was so at the start is told, for it needs somebody."""
        if known.active is None or known.notice is None or bool(known.told) == known.active:
            known.told = known.active
            return []
        if monotonic - known.told_at < _LEAST_APART_SECONDS:
            known.withheld += 1
            return []
        finding = Finding(*key, known.active, known.notice.initial, True, at, withheld=known.withheld)
        known.told, known.told_at, known.withheld = known.active, monotonic, 0
        return [finding]

    def _held_back(self, now: datetime, monotonic: float) -> list[Finding]:
        """States that were not told when they came, because they came too fast."""
        found: list[Finding] = []
        for key, known in self._known.items():
            if known.withheld and key[0] is Kind.INPUT:
                found += self._contact(key, known, now, monotonic)
            elif known.withheld and key[0] in (Kind.TAMPER, Kind.STORAGE):
                found += self._condition(key, known, now, monotonic)
        return found
