"""The values of incidents and of the posts that watch them."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.events import Severity


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that opened an incident or joined it."""

    event: str
    position: int


@dataclass(frozen=True, slots=True)
class Check:
    """A step of the procedure that was done."""

    step: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hidden:
    """A loss that stands behind another one, so that it has no incident of its own."""

    event: str
    position: int
    source: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Put aside: until when, by whom, why."""

    until: datetime
    since: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Late:
    """A press that waited on its way, in an outage: when it was made and when it arrived."""

    pressed: datetime
    arrived: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as the replay of its events gives it.

    Attributes:
        state: raised, acknowledged, dispatched or resolved.
        kind: type of the event that opened it.
        source, subject: of that event.
        key: what further events of the same source and kind share that join it.
        count: triggers so far.
        events: positions of its timeline, its triggers among them.
        verdict: of its resolution.
        verification: a guard's judgement of a face warning: confirmed, rejected or unsure.
        discreet: from a silent or duress press.
        press: how its button was pressed: press, silent, or duress if one of its presses was; empty if none was told.
        late: its newest press that was late; None if none was.
        out_of_service: its button was out of service: it drives no output and does not escalate.
        level: of escalation.
        active: the source's own condition; False once it cleared.
        raised: when it began to wait for an acknowledgement; escalation counts from there.
        triggered: when its newest trigger came.
        lasting: its source says when the condition is over; until then only force resolves it.
        during_drill: it is real, though a drill was on.
        hidden: losses behind it that it inhibits.
        cleared: position of the newest event that said that its condition is over; triggers before it are over, too.
        shelf: set while it is shelved.
        checks: steps of the procedure that are done.
    """

    id: str
    state: str
    severity: Severity
    kind: str
    source: str
    subject: str
    title: str
    place: str
    opened: datetime
    updated: datetime
    owner: str = ""
    count: int = 1
    triggers: tuple[Trigger, ...] = ()
    events: tuple[int, ...] = ()
    verdict: str = ""
    note: str = ""
    verification: str = ""
    discreet: bool = False
    drill: bool = False
    level: int = 0
    active: bool = True
    raised: datetime | None = None
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    key: str = ""
    triggered: datetime | None = None
    lasting: bool = False
    during_drill: bool = False
    press: str = ""
    late: Late | None = None
    out_of_service: bool = False
    hidden: tuple[Hidden, ...] = ()
    cleared: int = 0
    shelf: Shelf | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Deadline:
    """Since when an incident waits, so that a restart within the same boot knows it whatever the wall clock did.

    Attributes:
        wait: what it waits for, and since which moment by the journal; another one is a new wait.
        boot: the kernel's boot id.
        monotonic: seconds of that boot's CLOCK_MONOTONIC at which the wait began.
        wall: the same moment by the wall clock.
    """

    incident: str
    wait: str
    boot: str
    monotonic: float
    wall: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A browser that an administrator enrolled as a guard's post; `key` is the SHA-256 of its token, in hex.

    Attributes:
        discreet_safe: nobody but guards sees its screen: it may show silent and duress presses.
    """

    id: str
    key: str = field(repr=False)
    name: str
    place: str = ""
    discreet_safe: bool = False
    created: datetime
    created_by: str
    seen: datetime | None = None
