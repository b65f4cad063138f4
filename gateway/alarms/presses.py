"""From what a button said to events: ids that repeat with the press, honest times, second presses told from copies."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.alarms.copies import SENT_AGAIN, own_id_of
from gateway.alarms.dialects.reading import is_plausible
from gateway.alarms.dialects.said import PRESSES, Action
from gateway.events import (
    ButtonCleared,
    ButtonEvent,
    ButtonPressed,
    ButtonTampered,
    ButtonTested,
    Event,
    PressKind,
    Severity,
    button_source,
    derived_id,
    new_id,
)
from gateway.settings import DeviceSettings, Meaning

LATE = timedelta(seconds=60)
_AHEAD = timedelta(seconds=60)
_COUNTER_SECONDS = 120.0
_MOST_INPUTS, _MOST_OTHERS = 50_000, 1000
_Key = tuple[str, str, str]
_Spoken = ButtonPressed | ButtonTested | ButtonCleared | ButtonTampered


@dataclass(slots=True)
class _Last:
    id: str
    at: float
    seq: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a message came.

    Attributes:
        wall: by this gateway's clock.
        monotonic: seconds, for windows.
        heard_for: seconds for which the device was never silent past its deadline; 0 if it was, or is new.
    """

    wall: datetime
    monotonic: float
    heard_for: float = 0.0


class PressBook:
    """Knows the last press of each input, so that a repeated message is the same event and a second press is not.

    A press is known by its id; else by counter and start of the device; else by a counter that did not change within
    two minutes of its last message; else it is the same within a short window.

    Args:
        site: the gateway's site.
        window_seconds: presses without id and counter within it are one.
    """

    def __init__(self, site: str, window_seconds: float) -> None:
        self._site = site
        self._window = window_seconds
        self._last: dict[_Key, _Last] = {}
        self._former: dict[tuple[str, str], _Last] = {}
        self._others: dict[str, _Spoken] = {}
        self._quiet: dict[tuple[str, str], bool] = {}
        self._ended_quiet: dict[tuple[str, str], bool] = {}
        self._formerly_quiet: dict[str, bool] = {}

    def remember(self, events: Iterable[Event], monotonic: float) -> None:
        """Take up counters of a former run, from old to new: what a device says again of them is no new press."""
        for event in events:
            if isinstance(event, ButtonPressed):
                self._formerly_quiet[event.device] = event.kind is not PressKind.PRESS
            if isinstance(event, ButtonPressed | ButtonTested) and event.seq is not None:
                meaning = event.kind.value if event.kind is not None else "test"
                self._former[event.device, meaning] = _Last(own_id_of(event), monotonic, event.seq)

    def event_of(self, device: DeviceSettings, action: Action, meaning: Meaning, arrival: Arrival) -> ButtonEvent:
        """The event of one message, with the same id for the same press."""
        source = button_source(self._site, device.id)
        wrong = action.at is not None and self._is_wrong(action.at, device, arrival)
        happened = arrival.wall if action.at is None or wrong else _finer(action.at, arrival.wall)
        common: dict[str, Any] = {
            "id": self._id_of(source, device.id, action, meaning, arrival.monotonic),
            "source": source,
            "subject": device.id,
            "time": happened,
            "device": device.id,
            "name": device.name,
            "place": device.place,
            "press_id": action.id,
            "seq": action.seq,
            "device_time": action.at,
        }
        if meaning == "clear":
            return ButtonCleared(**_own_of(common), discreet=self._ends_quiet_ones(device.id, action.part))
        if meaning not in PRESSES:
            return _other(meaning, common)
        event = ButtonPressed(
            **common,
            severity=Severity.CRITICAL,
            kind=PressKind(meaning),
            late=arrival.wall - happened > LATE,
            clock_wrong=wrong,
            detail=action.detail,
        )
        self._note_kind(event, action.part)
        return event

    def _note_kind(self, event: ButtonPressed, part: str) -> None:
        """Whether all presses of an input since its last end were silent or under duress."""
        if len(self._quiet) >= _MOST_INPUTS:  # a device makes up inputs
            self._quiet.clear()
            self._ended_quiet.clear()
        key, quiet = (event.device, part), event.kind is not PressKind.PRESS
        self._quiet[key] = quiet and self._quiet.get(key, True)
        self._formerly_quiet.pop(event.device, None)
        self._ended_quiet.pop(key, None)

    def _ends_quiet_ones(self, device: str, part: str) -> bool:
        """An end that is said again is as the first one was; of a former run the last press of the device decides."""
        key = (device, part)
        before = self._ended_quiet.get(key, self._formerly_quiet.get(device, False))
        self._ended_quiet[key] = self._quiet.pop(key, before)
        return self._ended_quiet[key]

    def other_press(self, event: ButtonEvent, before: Event) -> ButtonEvent | None:
        """The press under an id of its own, if it only bears the id of another before it; None: it is the same.

        It is another if the device's clock says so by more than what sending again may take, or if clock and counter
        both have gone on; without a clock, if the counter has. Before it may stand what cannot be read any more, or a
        test that an older gateway stored under the id of its press: it counts anew. So for tests, tampering and clears.
        """
        if not isinstance(event, _Spoken):
            return None
        newest = self._others.get(event.id, before)
        if not isinstance(newest, type(event)) or _is_other(event, newest):
            return self._note_other(
                event.id, derived_id(event.id, "reused", str(event.seq), str(event.device_time)), event
            )
        return None if newest is before else replace(event, id=newest.id)

    def worn_out(self, bearing: str, other: ButtonEvent) -> ButtonEvent | None:
        """The other press under a new id, if its count without a time was another's long ago: the counter began anew.

        None: it is the one of before, for its time is, or for it is the newest that bore the id.
        """
        if not isinstance(other, _Spoken) or other.device_time is not None or self._others.get(bearing) is not other:
            return None
        return self._note_other(bearing, new_id(), other)

    def _note_other(self, bearing: str, identity: str, event: _Spoken) -> _Spoken:
        event = replace(event, id=identity)
        self._others.pop(bearing, None)
        self._others[bearing] = event
        if len(self._others) > _MOST_OTHERS:
            del self._others[next(iter(self._others))]
        return event

    @staticmethod
    def _is_wrong(at: datetime, device: DeviceSettings, arrival: Arrival) -> bool:
        """Whether a device's clock cannot be right: never set, ahead, or behind although the device was heard since."""
        age = (arrival.wall - at).total_seconds()
        if not is_plausible(at) or -age > _AHEAD.total_seconds():
            return True
        return max(LATE.total_seconds(), device.health_deadline_seconds) < age < arrival.heard_for

    def _id_of(self, source: str, device: str, action: Action, meaning: str, monotonic: float) -> str:
        self._open_windows(device, action.part, meaning)
        part = (action.part,) if action.part else ()
        if action.id is not None:
            return derived_id(source, meaning, *part, action.id)
        if action.seq is not None and action.boot is not None:
            return derived_id(source, meaning, *part, str(action.boot), str(action.seq))
        key = (device, meaning, action.part)
        last = self._last.get(key) or self._former.get((device, meaning))
        if last is None or not self._repeats(last, action.seq, monotonic):
            last = _Last(new_id(), monotonic, action.seq)
        elif action.seq is not None:
            last.at = monotonic
        if len(self._last) >= _MOST_INPUTS:  # a device makes up inputs
            self._last.clear()
        self._last[key] = last
        return last.id

    def _open_windows(self, device: str, part: str, meaning: str) -> None:
        """What comes behind the end of a press is another one, however soon, and so is the end of that."""
        for kind in PRESSES if meaning == "clear" else ("clear",) if meaning in PRESSES else ():
            last = self._last.get((device, kind, part))
            if last is not None and last.seq is None:
                del self._last[device, kind, part]

    def _repeats(self, last: _Last, seq: int | None, monotonic: float) -> bool:
        age = monotonic - last.at
        if seq is not None or last.seq is not None:
            return seq == last.seq and age < _COUNTER_SECONDS
        return age < self._window


def _finer(told: datetime, arrived: datetime) -> datetime:
    """When it happened: of a time in whole seconds within which it arrived, the arrival knows more."""
    return arrived if not told.microsecond and timedelta(0) <= arrived - told < timedelta(seconds=1) else told


def _is_other(event: _Spoken, before: _Spoken) -> bool:
    counted = event.seq is not None and before.seq is not None and event.seq != before.seq
    if event.device_time is None or before.device_time is None:
        return counted
    apart = abs(event.device_time - before.device_time)
    return apart > SENT_AGAIN or (counted and bool(apart))


def _own_of(common: dict[str, Any]) -> dict[str, Any]:
    """Without a press id the event's id is made of the counter, which then tells nothing more."""
    return common if common["press_id"] is not None else common | {"seq": None}


def _other(meaning: str, common: dict[str, Any]) -> ButtonEvent:
    common = _own_of(common)
    if meaning == "tamper":
        return ButtonTampered(**common, severity=Severity.HIGH)
    return ButtonTested(**common)
