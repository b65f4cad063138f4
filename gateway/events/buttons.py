"""What alarm buttons tell (一键式报警)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from gateway.events.base import Event


class PressKind(StrEnum):
    """How a button was pressed."""

    PRESS = "press"
    SILENT = "silent"
    DURESS = "duress"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonEvent(Event):
    """What all events of a button hold.

    Attributes:
        device: the button's id.
        name: its name for people, such as 东门岗亭.
        place: where it is, in words.
    """

    device: str
    name: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed(ButtonEvent):
    """Somebody asks for help.

    Attributes:
        kind: press, silent or duress; the last two must never show at the place itself.
        press_id: the device's own id of the press, if it gave one.
        seq: the device's counter, if it gave one.
        device_time: what the device's clock said, if it said so.
        late: true if the press waited (outage) before it reached the gateway.
        clock_wrong: true if the device's clock cannot be right.
        detail: more of it in the device's words, such as a panel's code and zone.
        out_of_service: true if two administrators took the button out of service: it is shown, and calls nobody out.
    """

    TYPE: ClassVar[str] = "campus.button.pressed"
    kind: PressKind = PressKind.PRESS
    press_id: str | None = None
    seq: int | None = None
    device_time: datetime | None = None
    late: bool = False
    clock_wrong: bool = False
    detail: str | None = None
    out_of_service: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonCleared(ButtonEvent):
    """The button's own condition is back to normal; the incident stays until it is resolved.

    Attributes:
        discreet: all that it ends was pressed silently or under duress: the place must not learn of the end either.
    """

    TYPE: ClassVar[str] = "campus.button.cleared"
    discreet: bool = False
    press_id: str | None = None
    seq: int | None = None
    device_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonTampered(ButtonEvent):
    """Somebody opened or moved the button."""

    TYPE: ClassVar[str] = "campus.button.tampered"
    press_id: str | None = None
    seq: int | None = None
    device_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonTested(ButtonEvent):
    """A press in test position, or the first press of a button while a test waits for it.

    Attributes:
        trial: the walk test or round-trip test that waited for it.
        kind: what the press would have been without the test.
        own_id: the id that its event would have had without the test.
    """

    TYPE: ClassVar[str] = "campus.button.tested"
    press_id: str | None = None
    trial: str | None = None
    kind: PressKind | None = None
    seq: int | None = None
    device_time: datetime | None = None
    own_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonTestDue(ButtonEvent):
    """Nobody pressed or tested the button for longer than its entry allows: a reminder to the guard."""

    TYPE: ClassVar[str] = "campus.button.test_due"
    last_test: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonLost(ButtonEvent):
    """A button was silent past its health deadline, or its last will arrived; no incident if it is out of service."""

    TYPE: ClassVar[str] = "campus.button.lost"
    reason: str = "silent"
    last_seen: datetime | None = None
    out_of_service: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonRestored(ButtonEvent):
    """A lost button speaks again."""

    TYPE: ClassVar[str] = "campus.button.restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLow(ButtonEvent):
    """A button's battery must be changed; `battery` in percent, None if the device says only that it is low."""

    TYPE: ClassVar[str] = "campus.button.battery_low"
    battery: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonServiceAsked(ButtonEvent):
    """An administrator, `actor`, wants the button out of service for `seconds`; another one has to confirm."""

    TYPE: ClassVar[str] = "campus.button.service_asked"
    actor: str
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonOutOfService(ButtonEvent):
    """The button is out of service (ISA-18.2) until `until`: `asked_by` asked for it, `actor` confirmed."""

    TYPE: ClassVar[str] = "campus.button.out_of_service"
    actor: str
    asked_by: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonInService(ButtonEvent):
    """The button counts as ever; `actor` is empty if its time was over, or nobody confirmed the request."""

    TYPE: ClassVar[str] = "campus.button.in_service"
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkTestStarted(Event):
    """Somebody walks from button to button: the first press of each of `devices` is a test, until `until`."""

    TYPE: ClassVar[str] = "campus.walktest.started"
    walk: str
    devices: tuple[str, ...]
    until: datetime
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkTestEnded(Event):
    """Presses are real again; `missing` are the devices that nobody pressed."""

    TYPE: ClassVar[str] = "campus.walktest.ended"
    walk: str
    pressed: int
    missing: tuple[str, ...] = ()
    actor: str = ""
