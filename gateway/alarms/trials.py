"""Tests that wait for a press: while one waits for a button, the button's first press is a test and no alarm."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.alarms.copies import CopyBook, own_id_of
from gateway.clock import Clock
from gateway.events import ButtonEvent, ButtonPressed, ButtonTested, Event, Severity, derived_id


@dataclass(slots=True)
class _Waiting:
    trial: str
    until: float
    event: str | None = None
    pressed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a press is.

    Attributes:
        event: the press itself, or a test.
        bearer: the test or press before it whose id it bears although it is another, if one of the two is a test.
    """

    event: ButtonEvent
    bearer: ButtonEvent | None = None


class Trials:
    """Which buttons a test waits for; each only for its first press, so that a second one is real.

    A test has an event id of its own, so that a press that bears the id of a test is a press like any other. What a
    test was made of is a test when it comes again, and what was a press is none.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._copies = CopyBook()

    def restore(self, events: Iterable[Event]) -> None:
        """Take up presses and tests of a former run, from old to new."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for event in events:
            if isinstance(event, ButtonPressed | ButtonTested):
                age = (now - (event.recorded or event.time)).total_seconds()
                self._copies.note(own_id_of(event), event, monotonic - age if age >= 0 else float("-inf"))

    def arm(self, device: str, trial: str, seconds: float) -> None:
        """Wait for a press of a device; replaces a test that waited for it before."""
        self._waiting[device] = _Waiting(trial, self._clock.monotonic() + seconds)

    def disarm(self, trial: str) -> None:
        """A test is over: presses are real again."""
        self._waiting = {device: each for device, each in self._waiting.items() if each.trial != trial}

    def waits_for(self, device: str) -> str:
        """The test that waits for a press of a device now; empty if none does."""
        waiting = self._waiting.get(device)
        return waiting.trial if waiting is not None and self._is_open(waiting) else ""

    def claim(self, event: ButtonEvent, *, certain: bool = False) -> Claim:
        """The event itself; or a test, if one waited for this press, or if it is the press of a test that comes again.

        Args:
            event: under its own id.
            certain: its id alone tells a copy, however late.
        """
        if not isinstance(event, ButtonPressed | ButtonTested):
            return Claim(event)
        now = self._clock.monotonic()
        copied = self._copies.copied(event, now, certain=certain)
        if copied is not None:
            return Claim(copied if _is_of_a_trial(copied) else event)
        taken = self._taken_as(event)
        bearer = self._copies.bearer(event.id) if event.press_id is not None else None
        self._copies.note(event.id, taken, now)
        concerns_a_trial = _is_of_a_trial(taken) or (bearer is not None and _is_of_a_trial(bearer))
        return Claim(taken, bearer if concerns_a_trial else None)

    def _taken_as(self, event: ButtonPressed | ButtonTested) -> ButtonPressed | ButtonTested:
        waiting = self._waiting.get(event.device)
        if waiting is None or not self._is_open(waiting):
            return event
        if isinstance(event, ButtonPressed) and event.late:  # of the time before the test
            return event
        test = _as_test(event, waiting.trial)
        waiting.event = test.id
        return test

    def done(self, event: ButtonEvent) -> None:
        """The event of a test is stored."""
        waiting = self._waiting.get(event.device)
        if waiting is not None and waiting.event == event.id:
            waiting.pressed.set()

    async def wait(self, device: str, seconds: float) -> str | None:
        """The id of the stored event of the test that waits for a device; None if nobody pressed in time."""
        waiting = self._waiting[device]
        try:
            async with asyncio.timeout(seconds):
                await waiting.pressed.wait()
        except TimeoutError:
            return None
        return waiting.event

    def _is_open(self, waiting: _Waiting) -> bool:
        return waiting.event is None and self._clock.monotonic() < waiting.until


def _is_of_a_trial(event: ButtonEvent) -> bool:
    return isinstance(event, ButtonTested) and event.trial is not None


def _as_test(event: ButtonPressed | ButtonTested, trial: str) -> ButtonTested:
    identity = derived_id(event.id, "trial", trial)
    if isinstance(event, ButtonTested):
        return replace(event, id=identity, trial=trial, own_id=event.id)
    return ButtonTested(
        id=identity,
        source=event.source,
        subject=event.subject,
        time=event.time,
        severity=Severity.LOW,
        device=event.device,
        name=event.name,
        place=event.place,
        press_id=event.press_id,
        trial=trial,
        kind=event.kind,
        seq=event.seq,
        device_time=event.device_time,
        own_id=event.id,
    )
