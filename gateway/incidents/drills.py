"""Drills (演练): one at a time, marked end to end, over by themselves, with a report of times.

A press is real unless the drill named its button and it is that button's first loud press of the drill. A silent or
duress press is always real.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.clock import Clock, wait_at_most
from gateway.events import (
    ButtonPressed,
    DrillEnded,
    DrillStarted,
    Event,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEvent,
    IncidentOpened,
    IncidentResolved,
    PressKind,
    Severity,
    button_source,
    derived_id,
    new_id,
)
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.ports import JournalPort
from gateway.storage import EventFilter, Stored

LONGEST = timedelta(hours=4)
_POLL_SECONDS = 30.0
_PAGE = 500
_MOST_PAST = 1000
_DRILLS = EventFilter(types=("campus.drill.",))
_OF_DRILLS = EventFilter(types=("campus.drill.", "campus.incident.", ButtonPressed.TYPE))
_STEPS: dict[type[Event], str] = {
    IncidentAcknowledged: "acknowledged",
    IncidentDispatched: "dispatched",
    IncidentResolved: "resolved",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill that is on, or was.

    Attributes:
        until: when it ends by itself.
        devices: whose next loud press belongs to it.
        pressed: those of them that were pressed.
        ended: when it ended; None while it is on.
        reason: why it ended.
        position: in the journal, of its start.
    """

    id: str
    actor: str
    started: datetime
    until: datetime
    devices: tuple[str, ...] = ()
    note: str = ""
    pressed: frozenset[str] = frozenset()
    ended: datetime | None = None
    reason: str = ""
    position: int = 0


class DrillDesk:
    """Drills of one gateway.

    Args:
        site: for the sources of drill presses.
        source: of events about drills.
        journal: where everything about a drill is, so that a restart goes on with it.
        device: name and place of an alarm device; None if there is none.
    """

    def __init__(
        self,
        journal: JournalPort,
        clock: Clock,
        *,
        site: str,
        source: str,
        device: Callable[[str], tuple[str, str] | None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._site = site
        self._source = source
        self._device = device
        self._drill: Drill | None = None
        self._ends = 0.0
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def current(self) -> Drill | None:
        """The drill that is on."""
        return self._drill

    async def load(self) -> None:
        """Go on with the drill that was on when the last run ended; its time ran on meanwhile."""
        last = await self._journal.tail(1, _DRILLS)
        if not last or not isinstance(last[0].event, DrillStarted):
            return
        drill = _drill_of(last[0].event, last[0])
        async for stored in self._since(drill.position):
            event = stored.event
            if isinstance(event, ButtonPressed) and event.drill:
                drill = replace(drill, pressed=drill.pressed | {event.device})
        left = min(max(timedelta(0), drill.until - self._clock.now()), drill.until - drill.started)
        self._drill, self._ends = drill, self._clock.monotonic() + left.total_seconds()

    def report(self, event: Event, store: Callable[[Event], Awaitable[Stored]]) -> Awaitable[Stored]:
        """Store what a device says, marked if it is the press that the drill waits for."""
        drill = self._drill
        if drill is None or not isinstance(event, ButtonPressed) or not self._awaits(drill, event):
            return store(event)
        return self._take_part(drill, event, store)

    async def _take_part(
        self, drill: Drill, event: ButtonPressed, store: Callable[[Event], Awaitable[Stored]]
    ) -> Stored:
        self._drill = replace(drill, pressed=drill.pressed | {event.device})
        try:
            stored = await store(replace(event, drill=True))
        except BaseException:
            self._give_back(drill.id, event.device)
            raise
        if not stored.event.drill:
            self._give_back(drill.id, event.device)  # the same press came before the drill
        return stored

    def _awaits(self, drill: Drill, event: ButtonPressed) -> bool:
        return (
            event.kind is PressKind.PRESS
            and not event.late
            and event.device in drill.devices
            and event.device not in drill.pressed
            and self._clock.monotonic() < self._ends
        )

    def _give_back(self, drill: str, device: str) -> None:
        if self._drill is not None and self._drill.id == drill:
            self._drill = replace(self._drill, pressed=self._drill.pressed - {device})

    async def start(self, *, actor: str, seconds: float, devices: tuple[str, ...] = (), note: str = "") -> Drill:
        """Begin a drill.

        Raises:
            ConflictError: one is on.
            BadCommandError: too long, or an unknown device.
        """
        time = timedelta(seconds=seconds)
        if not timedelta(0) < time <= LONGEST:
            hours = LONGEST.total_seconds() / 3600
            remedy = f"At most {hours:g} hours from now."
            raise BadCommandError(
                "a drill ends in the future, and soon", remedy=remedy, code="drill_length", hours=hours
            )
        for device in devices:
            if self._device(device) is None:
                raise BadCommandError("there is no such device", where=f"device {device}", code="no_such_device")
        async with self._lock:
            if self._drill is not None:
                what = f"a drill is on, begun by {self._drill.actor}"
                raise ConflictError(
                    what, state="on", owner=self._drill.actor, since=self._drill.started, code="drill_on"
                )
            now = self._clock.now()
            event = DrillStarted(
                **self._common(), drill_id=new_id(), actor=actor, until=now + time, devices=devices, note=note
            )
            stored = await self._journal.append(event)
            self._drill, self._ends = _drill_of(event, stored), self._clock.monotonic() + seconds
            self._changed.set()
            return self._drill

    def _common(self) -> dict[str, Any]:
        return {
            "id": new_id(),
            "source": self._source,
            "subject": "drill",
            "time": self._clock.now(),
            "severity": Severity.MEDIUM,
            "drill": True,
        }

    async def press(self, device: str, *, actor: str, command_id: str) -> Stored:
        """A drill press at a device, without touching it.

        Raises:
            ConflictError: no drill is on.
            BadCommandError: there is no such device.
        """
        drill, known = self._drill, self._device(device)
        if drill is None:
            raise ConflictError("no drill is on", state="off", owner="", since=None, code="no_drill")
        if known is None:
            raise BadCommandError("there is no such device", where=f"device {device}", code="no_such_device")
        return await self._journal.append(
            ButtonPressed(
                id=derived_id("drill press", drill.id, actor, command_id),
                source=button_source(self._site, device),
                subject=device,
                time=self._clock.now(),
                severity=Severity.CRITICAL,
                drill=True,
                device=device,
                name=known[0],
                place=known[1],
            )
        )

    async def make_real(self, press: str) -> Stored:
        """A press that was taken for the drill's was real: it is told anew, to everybody, as what it is.

        Raises:
            BadCommandError: it is no press of a drill.
        """
        found = await self._journal.find(press)
        event = found.event if found is not None else None
        if not isinstance(event, ButtonPressed) or not event.drill:
            raise BadCommandError("only a press of a drill can turn out to be real", code="no_drill_press")
        return await self._journal.append(
            replace(event, id=derived_id("real", event.id), drill=False, press_id=None, recorded=None)
        )

    async def end(self, *, actor: str) -> Drill:
        """End the drill before its time.

        Raises:
            ConflictError: none is on.
        """
        return await self._end(actor, f"ended by {actor}")

    async def _end(self, actor: str, reason: str) -> Drill:
        async with self._lock:
            drill = self._drill
            if drill is None:
                raise ConflictError("no drill is on", state="off", owner="", since=None, code="no_drill")
            event = DrillEnded(**self._common(), drill_id=drill.id, actor=actor, reason=reason)
            await self._journal.append(event)
            self._drill = None
            return replace(drill, ended=event.time, reason=reason)

    async def run(self) -> None:
        """End the drill when its time is over, for ever."""
        while True:
            self._changed.clear()
            left = self._ends - self._clock.monotonic() if self._drill is not None else _POLL_SECONDS
            if self._drill is not None and left <= 0:
                with suppress(ConflictError):  # somebody ended it meanwhile
                    await self._end("", "its time was over")
                continue
            await wait_at_most(self._clock, min(left, _POLL_SECONDS), self._changed)

    async def past(self, limit: int) -> list[Drill]:
        """The newest drills, newest first, the one that is on among them."""
        drills: dict[str, Drill] = {}
        for stored in await self._journal.tail(2 * limit, _DRILLS):
            event = stored.event
            if isinstance(event, DrillStarted):
                drills[event.drill_id] = _drill_of(event, stored)
            elif isinstance(event, DrillEnded) and event.drill_id in drills:
                drills[event.drill_id] = replace(drills[event.drill_id], ended=event.time, reason=event.reason)
        return list(reversed(drills.values()))[:limit]

    async def get(self, drill: str) -> Drill:
        """One drill.

        Raises:
            NotFoundError: there is none of that id among the last thousand.
        """
        found = next((each for each in await self.past(_MOST_PAST) if each.id == drill), None)
        if found is None:
            raise NotFoundError("there is no such drill", where=f"drill {drill}")
        return found

    async def times(self, drill: Drill) -> list[dict[str, Any]]:
        """The report of a drill: for each press of its time, after how many seconds what was done, and by whom.

        Real presses in between are in it, too, marked; a fault is no alarm, and a silent press is told to nobody. What
        nobody resolved ended with the drill: by nobody.
        """
        rows: dict[str, dict[str, Any]] = {}
        async for stored in self._since(drill.position):
            event = stored.event
            if isinstance(event, DrillEnded) and event.drill_id == drill.id:
                _end_with_drill(rows.values(), event)
                break
            if isinstance(event, IncidentOpened) and event.kind == ButtonPressed.TYPE and not event.discreet:
                rows[event.incident] = _row(event)
            elif isinstance(event, IncidentEvent) and event.incident in rows:
                _note_step(rows[event.incident], event)
        return [{name: value for name, value in row.items() if name != "moment"} for row in rows.values()]

    async def _since(self, position: int) -> AsyncIterator[Stored]:
        while page := await self._journal.read(position, _PAGE, _OF_DRILLS):
            for stored in page:
                yield stored
            position = page[-1].position


def _row(event: IncidentOpened) -> dict[str, Any]:
    moment = event.recorded or event.time
    device = event.origin.rsplit("/", 1)[-1]
    about = {"incident": event.incident, "drill": event.drill, "device": device, "place": event.place}
    return about | {"name": event.title, "opened": moment, "moment": moment} | dict.fromkeys(_STEPS.values())


def _note_step(row: dict[str, Any], event: IncidentEvent) -> None:
    step = _STEPS.get(type(event))
    by_itself = isinstance(event, IncidentResolved) and not event.actor
    if step is not None and row[step] is None and not by_itself:
        row[step] = _step_of(row, event, event.actor)


def _end_with_drill(rows: Iterable[dict[str, Any]], ended: DrillEnded) -> None:
    for row in rows:
        if row["drill"] and row["resolved"] is None:
            row["resolved"] = _step_of(row, ended, "")


def _step_of(row: dict[str, Any], event: Event, by: str) -> dict[str, Any]:
    seconds = ((event.recorded or event.time) - row["moment"]).total_seconds()
    return {"seconds": round(seconds, 1), "by": by}


def _drill_of(event: DrillStarted, stored: Stored) -> Drill:
    return Drill(
        id=event.drill_id,
        actor=event.actor,
        started=event.time,
        until=event.until,
        devices=event.devices,
        note=event.note,
        position=stored.position,
    )
