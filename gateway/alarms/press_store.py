"""Stores a press so that none hides behind another: one that bears the id of a former one is stored under a new id."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.alarms import complaints
from gateway.alarms.presses import PressBook
from gateway.alarms.trials import Claim
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.events import ButtonEvent, Cause, Event, Severity

_COPIES_COME_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Complaint:
    """A fault of the device that a press made known."""

    cause: Cause
    severity: Severity


class PressStore:
    """Makes presses durable.

    Args:
        presses: tells a copy from another press.
        report: journals an event; returns it once it is durable, or the one before that has its id.
        unstored: shows an event that could not be stored, so that a guard sees it all the same.
    """

    def __init__(
        self,
        presses: PressBook,
        *,
        report: Callable[[Event], Awaitable[Event]],
        unstored: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._presses = presses
        self._report = report
        self._unstored = unstored
        self._clock = clock

    async def store(
        self, claim: Claim, received: Callable[[ButtonEvent], None]
    ) -> tuple[ButtonEvent, Complaint | None]:
        """Store a press, also one that bears the id of another, as from a device that counts from 1 again.

        Args:
            claim: the press, or the test that it is.
            received: told of what is durable, at once.

        Returns:
            The event that stands for it, and what is wrong with its id.

        Raises:
            GatewayError: it could not be stored; it was shown to the guards all the same.
        """
        event: ButtonEvent = claim.event
        bearer: Event | None = claim.bearer
        try:
            before = await self._report(event)
            other = self._presses.other_press(event, before)
            if other is not None:
                bearer = before
                event, before = await self._store_other(event.id, other)
        except GatewayError:
            self._unstored(event)
            raise
        received(event)
        return event, self._complaint(before, bearer)

    async def _store_other(self, bearing: str, event: ButtonEvent) -> tuple[ButtonEvent, Event]:
        """Store a press that bears the id of another; with it what stands under its id, which may be a former one."""
        before = await self._report(event)
        anew = self._presses.worn_out(bearing, event) if self._is_of_long_ago(before) else None
        return (event, before) if anew is None else (anew, await self._report(anew))

    def _complaint(self, before: Event, bearer: Event | None) -> Complaint | None:
        if self._is_of_long_ago(before):
            return Complaint(complaints.press_id_repeated(before), Severity.HIGH)
        return Complaint(complaints.press_id_reused(bearer), Severity.MEDIUM) if bearer is not None else None

    def _is_of_long_ago(self, before: Event) -> bool:
        return before.recorded is not None and self._clock.now() - before.recorded > _COPIES_COME_WITHIN
