"""Out of service (ISA-18.2): one administrator asks, another one confirms, and it has an end.

It quiets what a device raises, and hides none of it: a press is recorded and shown, marked, on every post. A press that
was made before is as real as ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.clock import Clock
from gateway.events import (
    ButtonInService,
    ButtonLost,
    ButtonOutOfService,
    ButtonPressed,
    ButtonServiceAsked,
    Event,
    PressKind,
    Severity,
    button_source,
    new_id,
)
from gateway.incidents.faults import BadCommandError, ConflictError
from gateway.incidents.ports import JournalPort
from gateway.storage import EventFilter, Stored

LONGEST = timedelta(days=30)
_ANSWER_WITHIN = timedelta(hours=1)
_LOOK_SECONDS = 1.0
_MOST = 10_000
_KINDS = (ButtonServiceAsked, ButtonOutOfService, ButtonInService)
_OF_SERVICE = EventFilter(types=tuple(each.TYPE for each in _KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfService:
    """A device that is out of service, or that somebody wants to be.

    Attributes:
        seconds: how long it is to be, from its confirmation on.
        asked: when it was asked for, by `asked_by`.
        confirmed_by: the second administrator; empty while nobody has confirmed.
        since, until: when it is, or was to be, out of service; None before.
    """

    device: str
    reason: str
    seconds: float
    asked_by: str
    asked: datetime
    confirmed_by: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def confirmed(self) -> bool:
        """Whether it counts."""
        return self.since is not None


class ServiceDesk:
    """Which devices are out of service; all that is known of it is in the journal.

    Args:
        device: name and place of an alarm device; None if there is none.
        returned: told of a device that is in service again.
    """

    def __init__(
        self,
        journal: JournalPort,
        clock: Clock,
        *,
        site: str,
        device: Callable[[str], tuple[str, str] | None],
        returned: Callable[[str], None] = lambda _device: None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._site = site
        self._device = device
        self._returned = returned
        self._known: dict[str, OutOfService] = {}
        self._ends: dict[str, float] = {}
        self._lock = asyncio.Lock()

    def all(self) -> tuple[OutOfService, ...]:
        """Every device that is out of service, or asked to be."""
        return tuple(self._known.values())

    async def load(self) -> None:
        """Go on with what the last run left; time ran on meanwhile."""
        for stored in await self._journal.tail(_MOST, _OF_SERVICE):
            event = stored.event
            if isinstance(event, ButtonServiceAsked):
                self._known[event.device] = _asked(event)
            elif isinstance(event, ButtonOutOfService) and event.device in self._known:
                self._known[event.device] = _confirmed(self._known[event.device], event)
            elif isinstance(event, ButtonInService):
                self._known.pop(event.device, None)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for each in self._known.values():
            until, whole = each.until or each.asked + _ANSWER_WITHIN, each.seconds
            left = (until - now).total_seconds()
            longest = whole if each.confirmed else _ANSWER_WITHIN.total_seconds()
            self._ends[each.device] = monotonic + min(left, longest)

    def report(self, event: Event, store: Callable[[Event], Awaitable[Stored]]) -> Awaitable[Stored]:
        """Store what a device says; marked, if it is a press or a loss of one that is out of service."""
        return store(self._marked(event))

    def _marked(self, event: Event) -> Event:
        if not isinstance(event, ButtonPressed | ButtonLost):
            return event
        if isinstance(event, ButtonPressed) and event.kind is PressKind.DURESS:
            return event  # no fault of a button makes up the code of somebody under threat
        known = self._known.get(event.device)
        if known is None or known.since is None or self._is_over(event.device):
            return event
        if self._device(event.device) is None or _is_of_before(event, known.since):
            return event
        return replace(event, out_of_service=True)

    def _is_over(self, device: str) -> bool:
        return self._clock.monotonic() >= self._ends[device]

    async def ask(self, device: str, *, actor: str, seconds: float, reason: str) -> OutOfService:
        """Ask for a device to be out of service; nothing changes until another administrator confirms.

        Raises:
            BadCommandError: there is no such device, or the time is too long.
            ConflictError: it is out of service, or somebody asked for it.
        """
        if self._device(device) is None:
            raise BadCommandError("there is no such device", where=f"device {device}", code="no_such_device")
        if not 0 < seconds <= LONGEST.total_seconds():
            days = LONGEST.days
            remedy = f"At most {days} days from now."
            raise BadCommandError("it must have an end", remedy=remedy, code="service_length", days=days)
        async with self._lock:
            if (known := self._known.get(device)) is not None:
                what = f"it was asked for by {known.asked_by}"
                state = "out" if known.confirmed else "asked"
                raise ConflictError(
                    what, state=state, owner=known.asked_by, since=known.asked, code="service_asked_already"
                )
            event = ButtonServiceAsked(**self._common(device), actor=actor, seconds=seconds, reason=reason)
            await self._journal.append(event)
            self._known[device] = _asked(event)
            self._ends[device] = self._clock.monotonic() + _ANSWER_WITHIN.total_seconds()
            return self._known[device]

    async def confirm(self, device: str, *, actor: str, asked: datetime) -> OutOfService:
        """Take it out of service, as another one asked for.

        Args:
            device: its id.
            actor: who confirms.
            asked: when it was asked for what he saw; a request that took its place meanwhile is another.

        Raises:
            BadCommandError: it is the administrator who asked.
            ConflictError: nobody asked, or for something else, or it is out of service.
        """
        async with self._lock:
            known = self._known.get(device)
            if known is None or (not known.confirmed and self._is_over(device)):
                raise ConflictError("nobody asked for it", state="in", owner="", since=None, code="service_not_asked")
            if known.confirmed:
                what = f"it was confirmed by {known.confirmed_by}"
                raise ConflictError(
                    what, state="out", owner=known.confirmed_by, since=known.since, code="service_confirmed_already"
                )
            if known.asked != asked:
                what = "another request took its place"
                raise ConflictError(
                    what, state="asked", owner=known.asked_by, since=known.asked, code="service_other_request"
                )
            if known.asked_by == actor:
                remedy = "Another administrator has to confirm."
                raise BadCommandError("two administrators are needed", remedy=remedy, code="same_administrator")
            common = self._common(device) | {"severity": Severity.MEDIUM}
            until = common["time"] + timedelta(seconds=known.seconds)
            event = ButtonOutOfService(**common, actor=actor, asked_by=known.asked_by, until=until, reason=known.reason)
            await self._journal.append(event)
            self._known[device] = _confirmed(known, event)
            self._ends[device] = self._clock.monotonic() + known.seconds
            return self._known[device]

    async def end(self, device: str, *, actor: str, reason: str = "", only: OutOfService | None = None) -> None:
        """Back in service before its time, or a request withdrawn; one administrator is enough for that.

        Args:
            device: its id.
            actor: who says so; empty: nobody.
            reason: why.
            only: end nothing but this; what was confirmed meanwhile is another.

        Raises:
            ConflictError: it is in service.
        """
        async with self._lock:
            known = self._known.get(device)
            if known is None or (only is not None and known is not only):
                raise ConflictError("it is in service", state="in", owner="", since=None, code="in_service_already")
            await self._journal.append(ButtonInService(**self._common(device), actor=actor, reason=reason))
            del self._known[device], self._ends[device]
        if known.confirmed:
            self._returned(device)

    async def run(self) -> None:
        """End what is over, for ever."""
        while True:
            await self.end_what_is_over()
            await self._clock.sleep(_LOOK_SECONDS)

    async def end_what_is_over(self) -> None:
        """Put back in service what was out for its time, forget requests that nobody confirmed, and devices that went.

        Another device may come under the id of one that is gone, and its presses are real.
        """
        for each in self.all():
            gone = self._device(each.device) is None
            if gone or self._is_over(each.device):
                why = "the device is gone" if gone else "its time was over" if each.confirmed else "nobody confirmed it"
                with suppress(ConflictError):  # somebody ended it meanwhile, or confirmed it
                    await self.end(each.device, actor="", reason=why, only=each)

    def _common(self, device: str) -> dict[str, Any]:
        name, place = self._device(device) or ("", "")
        return {
            "id": new_id(),
            "source": button_source(self._site, device),
            "subject": device,
            "time": self._clock.now(),
            "device": device,
            "name": name,
            "place": place,
        }


def _is_of_before(event: ButtonPressed | ButtonLost, since: datetime) -> bool:
    """Whether a device's own clock says that it was pressed before; ours may have been set back meanwhile."""
    dated = isinstance(event, ButtonPressed) and (event.late or event.device_time is not None)
    return dated and event.time < since


def _asked(event: ButtonServiceAsked) -> OutOfService:
    return OutOfService(
        device=event.device, reason=event.reason, seconds=event.seconds, asked_by=event.actor, asked=event.time
    )


def _confirmed(known: OutOfService, event: ButtonOutOfService) -> OutOfService:
    return replace(known, confirmed_by=event.actor, since=event.time, until=event.until)
