"""Tests that wait for a press: while one waits for a button, the button's first press is a test and no alarm."""

import asyncio
from dataclasses import dataclass, field, replace

from gateway.clock import Clock
from gateway.events import ButtonEvent, ButtonPressed, ButtonTested, Severity


@dataclass(slots=True)
class _Waiting:
    trial: str
    until: float
    event: str | None = None
    pressed: asyncio.Event = field(default_factory=asyncio.Event)


class Trials:
    """Which buttons a test waits for; each only for its first press, so that a second one is real."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

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

    def claim(self, event: ButtonEvent) -> ButtonEvent:
        """The event itself; or a test with the same id, if one waited for this press."""
        waiting = self._waiting.get(event.device)
        if waiting is None or not isinstance(event, ButtonPressed | ButtonTested):
            return event
        if isinstance(event, ButtonPressed) and event.late:  # of the time before the test
            return event
        if waiting.event != event.id and not self._is_open(waiting):
            return event
        waiting.event = event.id
        return _as_test(event, waiting.trial)

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


def _as_test(event: ButtonPressed | ButtonTested, trial: str) -> ButtonTested:
    if isinstance(event, ButtonTested):
        return replace(event, trial=trial)
    return ButtonTested(
        id=event.id,
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
    )
