"""What is true of the whole site for a time: a drill (演练), a flood of alarms."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from gateway.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillStarted(Event):
    """A drill began. It ends by itself at `until`.

    Attributes:
        drill_id: of this drill.
        actor: who announced it.
        devices: alarm devices of which the next press each belongs to the drill; all other presses are real.
        note: what is drilled, in words.
    """

    TYPE: ClassVar[str] = "campus.drill.started"
    drill_id: str
    actor: str
    until: datetime
    devices: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillEnded(Event):
    """A drill is over; `reason` says why: ``ended by …`` or ``its time was over``."""

    TYPE: ClassVar[str] = "campus.drill.ended"
    drill_id: str
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodStarted(Event):
    """More incidents opened than a guard can follow; what is no emergency is grouped from now on.

    Attributes:
        count: incidents that opened in the window.
        first: id of the one that was first (first-out).
    """

    TYPE: ClassVar[str] = "campus.flood.started"
    count: int
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodEnded(Event):
    """Alarms come slowly enough again."""

    TYPE: ClassVar[str] = "campus.flood.ended"
    grouped: int = 0
