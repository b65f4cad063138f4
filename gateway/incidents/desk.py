"""The desk: takes the guards' commands, one thing at a time, each once; who was first wins."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Unpack

from gateway.clock import Clock
from gateway.events import (
    Event,
    FaceMatched,
    FaceVerified,
    IncidentAcknowledged,
    IncidentChecked,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentNoted,
    IncidentResolved,
    IncidentShelved,
    IncidentUnshelved,
    Severity,
    derived_id,
)
from gateway.incidents.commands import OPEN, By, Commands
from gateway.incidents.faults import BadCommandError, ConflictError
from gateway.incidents.follower import Follower, Transition
from gateway.incidents.policy import Policy
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.replay import ACKNOWLEDGED, DISPATCHED, RAISED, RESOLVED
from gateway.incidents.rules import timed_out
from gateway.incidents.situation import Situation, flood_ends
from gateway.storage import Incident

VERDICTS = ("genuine", "false_alarm", "test", "duplicate")
VERIFICATIONS = ("confirmed", "rejected", "unsure")
LONGEST_SHELF = timedelta(hours=8)
_OF_INCIDENTS = ("post", "was", "discreet", "out_of_service")


class IncidentDesk:
    """All incidents of one gateway.

    Args:
        journal, store: where events and the projection are kept.
        on_transition: told of each incident event behind its commit, for button feedback and outputs; after a crash
            perhaps once more. It must not wait. What it makes of a discreet incident must never show at the place.
        policy: what the site decided.
        longest_shelf: how long something may be put aside.
    """

    def __init__(
        self,
        journal: JournalPort,
        store: StorePort,
        clock: Clock,
        on_transition: Transition = lambda _incident, _event: None,
        policy: Policy | None = None,
        longest_shelf: timedelta = LONGEST_SHELF,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._policy = policy or Policy()
        self._longest_shelf = longest_shelf
        self._follower = Follower(journal, store, self._policy, on_transition, clock)
        self._commands = Commands(journal, store, self._follower, clock)
        self.changed = self._follower.changed
        self.get = self._commands.get

    @property
    def waits(self) -> bool:
        """Whether the store takes nothing now, so that no incident opens."""
        return self._follower.waits

    async def load(self) -> None:
        """Take up where the last run ended; call it once before anything else."""
        await self._follower.load()

    async def rebuild(self) -> None:
        """Make the projection anew from the whole journal."""
        await self._follower.rebuild()

    async def run(self) -> None:
        """Follow the journal, until cancelled."""
        await self._follower.run()

    async def catch_up(self) -> None:
        """Take in everything that the journal has."""
        await self._follower.catch_up()

    def unresolved(self) -> tuple[Incident, ...]:
        """All incidents that are not resolved."""
        return self._follower.board.all()

    @property
    def situation(self) -> Situation:
        """Whether there is a flood, or a drill."""
        return self._follower.situation

    async def acknowledge(self, incident: str, **by: Unpack[By]) -> Incident:
        """Own an incident. Only one that is raised can be acknowledged: who was first wins.

        Raises:
            NotFoundError, ConflictError, BadCommandError: as every command.
        """
        return await self._commands.take(incident, by, {RAISED}, lambda common: IncidentAcknowledged(**common))

    async def dispatch(self, incident: str, *, to: str = "", **by: Unpack[By]) -> Incident:
        """Say who was sent."""
        allowed = {ACKNOWLEDGED, DISPATCHED}
        return await self._commands.take(incident, by, allowed, lambda common: IncidentDispatched(to=to, **common))

    async def note(self, incident: str, *, note: str, **by: Unpack[By]) -> Incident:
        """Add a remark, also to a resolved incident."""
        allowed = OPEN | {RESOLVED}
        return await self._commands.take(incident, by, allowed, lambda common: IncidentNoted(note=note, **common))

    async def check(
        self, incident: str, *, procedure: str, step: str, text: str, done: bool, **by: Unpack[By]
    ) -> Incident:
        """Say that a step of the procedure is done, or is not after all."""

        def make(common: dict[str, Any]) -> IncidentEvent:
            return IncidentChecked(procedure=procedure, step=step, text=text, done=done, **common)

        return await self._commands.take(incident, by, OPEN, make)

    async def resolve(
        self,
        incident: str,
        *,
        verdict: str,
        note: str = "",
        force: bool = False,
        reason: str = "",
        **by: Unpack[By],
    ) -> Incident:
        """End an incident with a verdict; while its source says that the condition goes on, only by force.

        Raises:
            BadCommandError: the verdict is none, or `force` comes without a reason.
            ConflictError: the condition goes on.
        """
        if verdict not in VERDICTS:
            raise BadCommandError(
                f"verdict {verdict!r}", remedy=f"One of {', '.join(VERDICTS)}.", code="unknown_verdict"
            )
        if force and not reason:
            raise BadCommandError("a forced resolve needs a reason", remedy="Say why.", code="reason_needed")

        def make(common: dict[str, Any]) -> IncidentEvent:
            return IncidentResolved(verdict=verdict, note=note, forced=force, reason=reason, **common)

        def refuse(known: Incident) -> None:
            if known.lasting and known.active and not force:
                what = "its source has not cleared: it can be resolved by force only, with a reason"
                raise ConflictError(
                    what, state=known.state, owner=known.owner, since=known.triggered, code="not_cleared"
                )

        return await self._commands.take(incident, by, OPEN, make, refuse=refuse)

    async def shelve(self, incident: str, *, seconds: float, reason: str, **by: Unpack[By]) -> Incident:
        """Put an incident aside for a time: it neither sounds nor escalates; never an emergency.

        Raises:
            BadCommandError: an emergency, too long, or without a reason.
        """
        time = timedelta(seconds=seconds)
        if not reason.strip():
            raise BadCommandError("shelving needs a reason", remedy="Say why.", code="reason_needed")
        if not timedelta(0) < time <= self._longest_shelf:
            hours = self._longest_shelf.total_seconds() / 3600
            remedy = f"At most {hours:g} hours."
            raise BadCommandError("so long nothing may be shelved", remedy=remedy, code="shelf_length", hours=hours)

        def make(common: dict[str, Any]) -> IncidentEvent:
            return IncidentShelved(until=common["time"] + time, reason=reason, **common)

        def refuse(known: Incident) -> None:
            if known.severity is Severity.CRITICAL:
                raise BadCommandError(
                    "an emergency cannot be shelved", remedy="Acknowledge it.", code="emergency_not_shelved"
                )

        return await self._commands.take(incident, by, OPEN, make, refuse=refuse)

    async def unshelve(self, incident: str, **by: Unpack[By]) -> Incident:
        """Take it back before its time.

        Raises:
            ConflictError: it is not shelved.
        """

        def refuse(known: Incident) -> None:
            if known.shelf is None:
                what = "it is not shelved"
                raise ConflictError(what, state=known.state, owner=known.owner, since=known.updated, code="not_shelved")

        def make(common: dict[str, Any]) -> IncidentEvent:
            return IncidentUnshelved(reason="taken back", **common)

        return await self._commands.take(incident, by, OPEN, make, refuse=refuse)

    async def verify(self, incident: str, *, verdict: str, **by: Unpack[By]) -> Incident:
        """Judge a face warning: confirmed, rejected or unsure; an unsure one may be judged again.

        Raises:
            BadCommandError: it is no face warning, or the verdict is none.
        """
        if verdict not in VERIFICATIONS:
            raise BadCommandError(
                f"verdict {verdict!r}", remedy=f"One of {', '.join(VERIFICATIONS)}.", code="unknown_verdict"
            )
        known = await self.get(incident)
        if known.kind != FaceMatched.TYPE:
            raise BadCommandError(
                "only a face warning can be verified", where=f"incident {incident}", code="no_face_warning"
            )
        camera = known.source.rsplit("/", 1)[-1]
        match = known.triggers[-1].event

        def make(common: dict[str, Any]) -> FaceVerified:
            kept = {name: value for name, value in common.items() if name not in _OF_INCIDENTS}
            kept["severity"] = Severity.INFO
            return FaceVerified(verdict=verdict, match=match, camera=camera, place=known.place, **kept)

        return await self._commands.take(incident, by, OPEN, make, verifying=True)

    async def escalate(self, incident: str, level: int, reason: str, *, unattended: bool = False) -> None:
        """Nobody acknowledged in time: raise the level, once per raise."""

        def make(known: Incident) -> Event | None:
            if known.state != RAISED or known.level >= level or known.shelf is not None:
                return None
            raised = (known.raised or known.opened).isoformat()
            common = self._commands.common(known) | {"id": derived_id("escalated", known.id, raised, str(level))}
            common |= {"kind": known.kind, "title": known.title, "place": known.place}
            return IncidentEscalated(level=level, reason=reason, unattended=unattended, **common)

        await self._of_itself(incident, make)

    async def time_out(self, incident: str) -> None:
        """Acknowledged, and nobody was sent in time: raise it again."""

        def make(known: Incident) -> Event | None:
            return timed_out(known, self._clock.now()) if known.state == ACKNOWLEDGED else None

        await self._of_itself(incident, make)

    async def end_shelf(self, incident: str) -> None:
        """The time on the shelf is over."""

        def make(known: Incident) -> Event | None:
            if known.shelf is None:
                return None
            identity = derived_id("unshelved", known.id, known.shelf.since.isoformat())
            return IncidentUnshelved(reason="its time was over", **(self._commands.common(known) | {"id": identity}))

        await self._of_itself(incident, make)

    async def end_flood(self) -> None:
        """End the flood if alarms come slowly enough again."""
        if flood_ends(self._follower.situation, self._clock.now(), self._policy) is None:
            return
        async with self._follower.lock:
            await self._follower.refresh()
            over = flood_ends(self._follower.situation, self._clock.now(), self._policy)
            if over is not None:
                await self._follower.note_situation(over)

    async def _of_itself(self, incident: str, make: Callable[[Incident], Event | None]) -> None:
        """Store what time makes of an incident, if it still does."""
        async with self._follower.lock:
            await self._follower.refresh()
            known = self._follower.board.get(incident)
            event = make(known) if known is not None else None
            if isinstance(event, IncidentEvent):
                await self._follower.record(event)
