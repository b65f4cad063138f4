"""What was made of a message, test or press, so that it is the same when the message comes again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.events import ButtonEvent, ButtonPressed, ButtonTested, Event

SENT_AGAIN = timedelta(seconds=120)
_MOST_IDS, _MOST_OF_AN_ID = 2000, 8
_Mark = tuple[int | None, datetime | None]


@dataclass(frozen=True, slots=True)
class _Taken:
    event: ButtonPressed | ButtonTested
    at: float


class CopyBook:
    """The newest presses and tests by the id that a press's event has of its own, counter and time of the device.

    Bounded: what is forgotten counts as new, and so as an alarm.
    """

    def __init__(self) -> None:
        self._taken: dict[str, dict[_Mark, _Taken]] = {}

    def copied(self, event: ButtonPressed | ButtonTested, now: float, *, certain: bool) -> ButtonEvent | None:
        """What an event was taken as before; None if it is another, or came too long ago to have been sent again.

        Args:
            event: under its own id.
            now: monotonic seconds.
            certain: its id alone tells a copy, however late.
        """
        if certain:
            return self.bearer(event.id)
        taken = self._taken.get(event.id, {}).get(_mark(event))
        return taken.event if taken is not None and now - taken.at < SENT_AGAIN.total_seconds() else None

    def note(self, own_id: str, event: ButtonPressed | ButtonTested, at: float) -> None:
        """An event was taken: as it is, or as a test under another id than its own."""
        known = self._taken.pop(own_id, {})
        known.pop(_mark(event), None)
        known[_mark(event)] = _Taken(event, at)
        self._taken[own_id] = known
        if len(known) > _MOST_OF_AN_ID:
            del known[next(iter(known))]
        if len(self._taken) > _MOST_IDS:
            del self._taken[next(iter(self._taken))]

    def bearer(self, own_id: str) -> ButtonEvent | None:
        """The newest event that was taken under an own id; None if there is none."""
        known = self._taken.get(own_id)
        return next(reversed(known.values())).event if known else None


def own_id_of(event: Event) -> str:
    """The id of a press's event without any test; that of an older gateway's test is its own."""
    return (event.own_id or event.id) if isinstance(event, ButtonTested) else event.id


def _mark(event: ButtonPressed | ButtonTested) -> _Mark:
    return event.seq, event.device_time
