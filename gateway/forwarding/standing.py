"""How a destination stands: taking events, failing, or not asked yet; and what is to be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.clock import Clock
from gateway.events import (
    DestinationFailing,
    DestinationRecovered,
    Event,
    Severity,
    gateway_source,
    new_id,
)
from gateway.storage import Stored

_CALM_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationStatus:
    """How a destination is.

    Attributes:
        state: ok, failing, or new before its first answer.
        backlog: events that it has not got yet.
        tries: how often the oldest of them was tried.
        dead: events that it refused for good and has not taken since; they wait for a retry by hand.
        oldest: when the oldest of them happened; None if there is none.
        refused: how many it refused for good since the start.
    """

    destination: str
    state: str
    backlog: int
    tries: int = 0
    dead: int = 0
    oldest: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    refused: int = 0


class Standing:
    """What the answers of a destination say about it.

    It fails when several tries in a row, or of one event, were not answered, or when it refused an event for good; it
    has recovered when it takes one, no event is stuck, and it has not refused one for a minute. Each is said once.

    Args:
        name: what people call it.
        failing_after: how many tries those are.
    """

    def __init__(self, destination: str, *, site: str, clock: Clock, failing_after: int, name: str = "") -> None:
        self._destination = destination
        self._name = name
        self._site = site
        self._clock = clock
        self._failing_after = failing_after
        self._unanswered = 0
        self._refused_at: float | None = None
        self.failing = False
        self.refused = 0
        self.last_success: datetime | None = None
        self.last_error = ""
        self.last_error_at: datetime | None = None
        self.to_say: list[Event] = []

    @property
    def down(self) -> bool:
        """Whether it takes nothing at all."""
        return self._unanswered >= self._failing_after

    @property
    def state(self) -> str:
        """Failing, ok, or new."""
        return "failing" if self.failing else "ok" if self.last_success else "new"

    def remember(self, said: Sequence[Event]) -> None:
        """Take up what a former run said last; `said` from old to new."""
        mine = [each for each in said if getattr(each, "destination", "") == self._destination]
        self.failing = bool(mine) and isinstance(mine[-1], DestinationFailing)

    def accepted(self, *, waiting: int, stuck: bool = False) -> bool:
        """It took an event; True if it did not answer before.

        Args:
            waiting: how many still wait.
            stuck: whether one of them failed too often.
        """
        was_down, self._unanswered = self.down, 0
        self.last_success = self._clock.now()
        calm = self._refused_at is None or self._clock.monotonic() - self._refused_at >= _CALM_SECONDS
        if self.failing and calm and not stuck:
            self.failing = False
            self.to_say.append(self._event(DestinationRecovered, waited=waiting))
        return was_down

    def unanswered(self, reason: str, *, tries: int = 1) -> None:
        """A try failed, by now so many of this event."""
        self._unanswered += 1
        self._note(reason)
        if (self.down or tries >= self._failing_after) and not self.failing:
            self.failing = True
            self.to_say.append(self._event(DestinationFailing, severity=Severity.HIGH, reason=reason))

    def refused_one(self, stored: Stored, reason: str) -> bool:
        """It refused an event for good, which is always said of a critical one; True if it did not answer before."""
        was_down, self._unanswered = self.down, 0
        self._refused_at = self._clock.monotonic()
        self.refused += 1
        self._note(reason)
        if not self.failing or stored.event.severity is Severity.CRITICAL:
            event = self._event(DestinationFailing, severity=Severity.HIGH, reason=reason, refused=stored.event.id)
            self.to_say.append(event)
        self.failing = True
        return was_down

    def _note(self, reason: str) -> None:
        self.last_error, self.last_error_at = reason, self._clock.now()

    def _event(
        self, kind: type[DestinationFailing] | type[DestinationRecovered], **data: object
    ) -> DestinationFailing | DestinationRecovered:
        return kind(
            id=new_id(),
            source=gateway_source(self._site),
            subject=self._destination,
            time=self._clock.now(),
            destination=self._destination,
            name=self._name,
            **data,  # type: ignore[arg-type]  # the fields of the kind
        )
