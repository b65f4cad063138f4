"""From what a button said to events: ids that repeat with the press, honest times, second presses told from copies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.alarms.dialects.campus import EventPayload, is_plausible
from gateway.events import (
    ButtonCleared,
    ButtonEvent,
    ButtonPressed,
    ButtonTampered,
    ButtonTested,
    PressKind,
    Severity,
    button_source,
    derived_id,
    new_id,
)
from gateway.settings import DeviceSettings

_LATE = timedelta(seconds=60)
_AHEAD = timedelta(seconds=60)
_COUNTER_SECONDS = 60.0


@dataclass(slots=True)
class _Last:
    id: str
    at: float
    seq: int | None


class PressBook:
    """Knows the last press of each device, so that a repeated message is the same event and a second press is not.

    Args:
        site: the gateway's site.
        window_seconds: presses without id and counter within it are one.
    """

    def __init__(self, site: str, window_seconds: float) -> None:
        self._site = site
        self._window = window_seconds
        self._last: dict[tuple[str, str], _Last] = {}

    def event_of(self, device: DeviceSettings, said: EventPayload, received: datetime, monotonic: float) -> ButtonEvent:
        """The event of one message, with the same id for the same press."""
        source = button_source(self._site, device.id)
        wrong = said.at is not None and (not is_plausible(said.at) or said.at > received + _AHEAD)
        happened = said.at if said.at is not None and not wrong else received
        common: dict[str, Any] = {
            "id": self._id_of(source, device.id, said, monotonic),
            "source": source,
            "subject": device.id,
            "time": happened,
            "device": device.id,
            "name": device.name,
            "place": device.place,
            "press_id": said.id,
        }
        if said.type in _OTHERS:
            return _OTHERS[said.type](**common)
        return ButtonPressed(
            **common,
            severity=Severity.CRITICAL,
            kind=PressKind(said.type),
            seq=said.seq,
            device_time=said.at,
            late=received - happened > _LATE,
            clock_wrong=wrong,
        )

    def _id_of(self, source: str, device: str, said: EventPayload, monotonic: float) -> str:
        if said.id is not None:
            return derived_id(source, said.type, said.id)
        if said.seq is not None and said.boot is not None:
            return derived_id(source, said.type, str(said.boot), str(said.seq))
        last = self._last.get((device, said.type))
        if last is not None and self._repeats(last, said, monotonic):
            return last.id
        fresh = _Last(new_id(), monotonic, said.seq)
        self._last[device, said.type] = fresh
        return fresh.id

    def _repeats(self, last: _Last, said: EventPayload, monotonic: float) -> bool:
        age = monotonic - last.at
        if said.seq is not None or last.seq is not None:
            return said.seq == last.seq and age < _COUNTER_SECONDS
        return age < self._window


def _tampered(**common: Any) -> ButtonEvent:  # noqa: ANN401  # the fields of ButtonEvent
    return ButtonTampered(**common, severity=Severity.HIGH)


_OTHERS: dict[str, Callable[..., ButtonEvent]] = {
    "clear": ButtonCleared,
    "tamper": _tampered,
    "test": ButtonTested,
}
