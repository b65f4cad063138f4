"""The desk: takes the guards' commands, one thing at a time, each once; who was first wins."""

from collections.abc import Callable
from typing import Any

from gateway.clock import Clock
from gateway.events import (
    Event,
    FaceMatched,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    Severity,
    derived_id,
)
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.follower import INCIDENT, Follower, Transition
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.replay import ACKNOWLEDGED, DISPATCHED, RAISED, RESOLVED
from gateway.incidents.rules import Policy
from gateway.storage import Incident

VERDICTS = ("genuine", "false_alarm", "test", "duplicate")
VERIFICATIONS = ("confirmed", "rejected", "unsure")
_OPEN = frozenset({RAISED, ACKNOWLEDGED, DISPATCHED})
_MADE_BY: dict[str, tuple[type[Event], ...]] = {
    RAISED: (IncidentOpened, IncidentRaisedAgain),
    ACKNOWLEDGED: (IncidentAcknowledged,),
    DISPATCHED: (IncidentDispatched,),
    RESOLVED: (IncidentResolved,),
}
_Make = Callable[[dict[str, Any]], IncidentEvent | FaceVerified]


class IncidentDesk:
    """All incidents of one gateway.

    Args:
        journal, store: where events and the projection are kept.
        on_transition: told of each incident event behind its commit, for button feedback and outputs; after a crash
            perhaps once more. It must not wait. What it makes of a discreet incident must never show at the place.
        policy: what the site decided.
    """

    def __init__(
        self,
        journal: JournalPort,
        store: StorePort,
        clock: Clock,
        on_transition: Transition = lambda _incident, _event: None,
        policy: Policy | None = None,
    ) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._follower = Follower(journal, store, policy or Policy(), on_transition)
        self.changed = self._follower.changed

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

    async def get(self, incident: str) -> Incident:
        """One incident.

        Raises:
            NotFoundError: there is none of that id.
        """
        known = await self._follower.find(incident)
        if known is None:
            raise NotFoundError("there is no such incident", where=f"incident {incident}")
        return known

    async def acknowledge(
        self, incident: str, *, actor: str, command_id: str, expected_state: str | None = None
    ) -> Incident:
        """Own an incident. Only one that is raised can be acknowledged: who was first wins.

        Raises:
            NotFoundError, ConflictError, BadCommandError: as every command.
        """
        return await self._command(
            incident, actor, command_id, expected_state, {RAISED}, lambda common: IncidentAcknowledged(**common)
        )

    async def dispatch(
        self, incident: str, *, actor: str, command_id: str, to: str = "", expected_state: str | None = None
    ) -> Incident:
        """Say who was sent."""
        allowed = {ACKNOWLEDGED, DISPATCHED}
        return await self._command(
            incident, actor, command_id, expected_state, allowed, lambda common: IncidentDispatched(to=to, **common)
        )

    async def note(
        self, incident: str, *, actor: str, command_id: str, note: str, expected_state: str | None = None
    ) -> Incident:
        """Add a remark, also to a resolved incident."""
        allowed = _OPEN | {RESOLVED}
        return await self._command(
            incident, actor, command_id, expected_state, allowed, lambda common: IncidentNoted(note=note, **common)
        )

    async def resolve(
        self,
        incident: str,
        *,
        actor: str,
        command_id: str,
        verdict: str,
        note: str = "",
        force: bool = False,
        reason: str = "",
        expected_state: str | None = None,
    ) -> Incident:
        """End an incident with a verdict.

        Raises:
            BadCommandError: the verdict is none, or `force` comes without a reason.
        """
        if verdict not in VERDICTS:
            raise BadCommandError(f"verdict {verdict!r}", remedy=f"One of {', '.join(VERDICTS)}.")
        if force and not reason:
            raise BadCommandError("a forced resolve needs a reason", remedy="Say why.")

        def make(common: dict[str, Any]) -> IncidentEvent:
            return IncidentResolved(verdict=verdict, note=note, forced=force, reason=reason, **common)

        return await self._command(incident, actor, command_id, expected_state, _OPEN, make)

    async def verify(
        self, incident: str, *, actor: str, command_id: str, verdict: str, expected_state: str | None = None
    ) -> Incident:
        """Judge a face warning: confirmed, rejected or unsure; an unsure one may be judged again.

        Raises:
            BadCommandError: it is no face warning, or the verdict is none.
        """
        if verdict not in VERIFICATIONS:
            raise BadCommandError(f"verdict {verdict!r}", remedy=f"One of {', '.join(VERIFICATIONS)}.")
        known = await self.get(incident)
        if known.kind != FaceMatched.TYPE:
            raise BadCommandError("only a face warning can be verified", where=f"incident {incident}")
        camera = known.source.rsplit("/", 1)[-1]
        match = known.triggers[-1].event

        def make(common: dict[str, Any]) -> FaceVerified:
            common = common | {"severity": Severity.INFO}
            return FaceVerified(verdict=verdict, match=match, camera=camera, place=known.place, **common)

        return await self._command(incident, actor, command_id, expected_state, _OPEN, make, verifying=True)

    async def escalate(self, incident: str, level: int, reason: str) -> None:
        """Nobody acknowledged in time: raise the level, once per raise."""
        async with self._follower.lock:
            await self._follower.refresh()
            known = self._follower.board.get(incident)
            if known is None or known.state != RAISED or known.level >= level:
                return
            common = {
                "id": derived_id("escalated", incident, str(known.count), str(level)),
                **self._common(known, "", ""),
            }
            await self._follower.record(IncidentEscalated(level=level, reason=reason, **common))

    async def _command(
        self,
        incident: str,
        actor: str,
        command_id: str,
        expected_state: str | None,
        allowed: set[str] | frozenset[str],
        make: _Make,
        *,
        verifying: bool = False,
    ) -> Incident:
        async with self._follower.lock:
            await self._follower.refresh()
            known = await self.get(incident)
            event = make({"id": derived_id("command", command_id), **self._common(known, actor, command_id)})
            if (first := await self._store.command(command_id)) is not None:
                return await self._repeated(event, first)
            judged = verifying and known.verification not in ("", "unsure")
            if known.state not in allowed or (expected_state or known.state) != known.state or judged:
                raise await self._conflict(known, judged=judged)
            return await self._follower.record(event)

    async def _repeated(self, event: IncidentEvent | FaceVerified, first: str) -> Incident:
        """The first answer to a command that comes again; an id that served another command is a fault of the client.

        Raises:
            BadCommandError: the id was used for something else.
        """
        stored = await self._journal.find(event.id)
        was = stored.event if stored is not None else event
        if type(was) is not type(event) or getattr(was, "incident", "") != event.incident:
            remedy = "Take a new command_id for each command."
            raise BadCommandError("this command_id was used for another command", where=event.command_id, remedy=remedy)
        return INCIDENT.validate_json(first)

    async def _conflict(self, incident: Incident, *, judged: bool) -> ConflictError:
        kinds = (FaceVerified,) if judged else _MADE_BY[incident.state]
        state = f"judged {incident.verification}" if judged else incident.state
        actor, since = "", incident.updated
        for position in reversed(incident.events):
            found = [each.event for each in await self._journal.read(position - 1, 1) if each.position == position]
            if found and isinstance(found[0], kinds):
                actor, since = getattr(found[0], "actor", ""), found[0].recorded or found[0].time
                break
        who = f" by {actor}" if actor else ""
        what = f"it is {RAISED}" if state == RAISED else f"already {state}{who}"
        return ConflictError(what, state=incident.state, owner=actor or incident.owner, since=since)

    def _common(self, incident: Incident, actor: str, command_id: str) -> dict[str, Any]:
        return {
            "source": incident.source,
            "subject": incident.id,
            "time": self._clock.now(),
            "severity": incident.severity,
            "drill": incident.drill,
            "incident": incident.id,
            "actor": actor,
            "command_id": command_id,
        }
