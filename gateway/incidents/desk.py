"""The desk: follows the journal, opens incidents, and takes the guards' commands; one thing at a time."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.events import (
    ButtonCleared,
    Event,
    FaceMatched,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentEvent,
    IncidentNoted,
    IncidentResolved,
    Severity,
    derived_id,
)
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.rules import ACKNOWLEDGED, DISPATCHED, RAISED, RESOLVED, apply, decide, key_of
from gateway.storage import Incident, Stored

VERDICTS = ("genuine", "false_alarm", "test", "duplicate")
VERIFICATIONS = ("confirmed", "rejected", "unsure")
_POLL_SECONDS = 5.0
_PAGE = 500
_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)
_INCIDENT = TypeAdapter(Incident)
_Key = tuple[str, str, str]


class IncidentDesk:
    """All incidents of one gateway.

    Args:
        journal, store: where events and the projection are kept.
        on_transition: told of each incident event behind its commit, for button feedback and outputs; must not wait.
    """

    def __init__(
        self,
        journal: JournalPort,
        store: StorePort,
        clock: Clock,
        on_transition: Callable[[Incident, Event], None] = lambda _incident, _event: None,
    ) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._on_transition = on_transition
        self._lock = asyncio.Lock()
        self._position = 0
        self._open: dict[str, Incident] = {}
        self._keys: dict[_Key, str] = {}
        self._persons: dict[str, str] = {}
        self._stale = False
        self.changed = asyncio.Event()

    async def load(self) -> None:
        """Take up where the last run ended; call it once before anything else."""
        for known in (self._open, self._keys, self._persons):
            known.clear()
        self._position = await self._store.position()
        for incident in await self._store.unresolved():
            self._keep(incident)
        await self._find_persons()
        self._stale = False

    async def _find_persons(self) -> None:
        """The person of each open face incident is in its trigger, not in the projection."""
        for incident in [each for each in self._open.values() if each.kind == FaceMatched.TYPE]:
            first = incident.triggers[0].position
            for stored in await self._journal.read(first - 1, 1):
                if isinstance(stored.event, FaceMatched):
                    self._persons[incident.id] = stored.event.person
                    self._keep(incident)

    async def rebuild(self) -> None:
        """Make the projection anew from the whole journal."""
        async with self._lock:
            await self._store.clear()
            await self.load()
        await self.catch_up()

    async def run(self) -> None:
        """Follow the journal, until cancelled."""
        with self._journal.subscribe() as subscription:
            while True:
                try:
                    await self.catch_up()
                except TransientError as error:
                    _log.error("incidents wait for the store: %s", error)
                    await asyncio.sleep(_RETRY_SECONDS)
                await subscription.wait(self._position, _POLL_SECONDS)

    async def catch_up(self) -> None:
        """Take in everything that the journal has."""
        while events := await self._journal.read(self._position, _PAGE):
            async with self._lock:
                if await self._reload():
                    continue
                for stored in events:
                    await self._take(stored)

    async def _reload(self) -> bool:
        """After a write that failed, memory may be ahead of the store: begin anew from what the store has."""
        if self._stale:
            await self.load()
            return True
        return False

    async def _persist(self, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        self._stale = True
        await self._store.apply(self._position, incidents, command)
        self._stale = False

    async def _take(self, stored: Stored) -> None:
        if stored.position <= self._position:
            return
        changed = await self._triggered(stored)
        changed += self._replayed(stored)
        self._position = stored.position
        if changed:
            await self._persist(changed)
            self.changed.set()
        elif stored.position % _PAGE == 0:
            await self._persist(())

    async def _triggered(self, stored: Stored) -> list[Incident]:
        key = key_of(stored.event)
        if key is None:
            return []
        known = self._open.get(self._keys.get(key, ""))
        changed = []
        for event in decide(known, stored):
            if isinstance(stored.event, FaceMatched):
                self._persons[event.incident] = stored.event.person
            incident = self._apply(await self._journal.append(event))
            if incident is not None:
                changed.append(incident)
        return changed

    def _replayed(self, stored: Stored) -> list[Incident]:
        event = stored.event
        if isinstance(event, IncidentEvent | FaceVerified):
            known = self._open.get(event.incident)
            if known is not None and stored.position in known.events:
                return []
            incident = self._apply(stored)
            return [incident] if incident is not None else []
        if isinstance(event, ButtonCleared):
            of_source = [each for each in self._open.values() if each.source == event.source]
            cleared = [changed for each in of_source if (changed := apply(each, stored)) is not None]
            for each in cleared:
                self._keep(each)
            return cleared
        return []

    def _apply(self, stored: Stored) -> Incident | None:
        event = stored.event
        known = self._open.get(getattr(event, "incident", ""))
        incident = apply(known, stored)
        if incident is None or incident is known:
            return None
        self._keep(incident)
        self._on_transition(incident, event)
        return incident

    def _keep(self, incident: Incident) -> None:
        key = (incident.source, incident.kind, self._persons.get(incident.id, ""))
        if incident.state == RESOLVED:
            self._open.pop(incident.id, None)
            self._persons.pop(incident.id, None)
            if self._keys.get(key) == incident.id:
                del self._keys[key]
        else:
            self._open[incident.id] = incident
            self._keys[key] = incident.id

    def unresolved(self) -> tuple[Incident, ...]:
        """All incidents that are not resolved."""
        return tuple(self._open.values())

    async def acknowledge(
        self, incident: str, *, actor: str, command_id: str, expected_state: str | None = None
    ) -> Incident:
        """Own an incident. Only one that is raised can be acknowledged: who was first wins."""
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
        allowed = {RAISED, ACKNOWLEDGED, DISPATCHED, RESOLVED}
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

        allowed = {RAISED, ACKNOWLEDGED, DISPATCHED}
        return await self._command(incident, actor, command_id, expected_state, allowed, make)

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
            common = common | {"source": known.source, "severity": Severity.INFO}
            return FaceVerified(verdict=verdict, match=match, camera=camera, place=known.place, **common)

        allowed = {RAISED, ACKNOWLEDGED, DISPATCHED}
        return await self._command(incident, actor, command_id, expected_state, allowed, make, verifying=True)

    async def escalate(self, incident: str, level: int, reason: str) -> None:
        """Nobody acknowledged in time: raise the level, once per raise."""
        async with self._lock:
            known = self._open.get(incident)
            if known is None or known.state != RAISED or known.level >= level:
                return
            event = IncidentEscalated(
                id=derived_id("escalated", incident, str(known.count), str(level)),
                level=level,
                reason=reason,
                **self._common(known, "", ""),
            )
            changed = self._apply(await self._journal.append(event))
            if changed is not None:
                await self._persist([changed])

    async def get(self, incident: str) -> Incident:
        """One incident.

        Raises:
            NotFoundError: there is none of that id.
        """
        known = self._open.get(incident) or await self._store.get(incident)
        if known is None:
            raise NotFoundError("there is no such incident", where=f"incident {incident}")
        return known

    async def _command(
        self,
        incident: str,
        actor: str,
        command_id: str,
        expected_state: str | None,
        allowed: set[str],
        make: Callable[[dict[str, Any]], Event],
        *,
        verifying: bool = False,
    ) -> Incident:
        async with self._lock:
            await self._reload()
            if (first := await self._store.command(command_id)) is not None:
                return _INCIDENT.validate_json(first)
            known = await self.get(incident)
            judged = verifying and known.verification not in ("", "unsure")
            if known.state not in allowed or (expected_state or known.state) != known.state or judged:
                raise _conflict(known)
            common = {"id": derived_id("command", command_id), **self._common(known, actor, command_id)}
            stored = await self._journal.append(make(common))
            changed = self._apply_command(known, stored)
            await self._persist([changed], (command_id, _INCIDENT.dump_json(changed).decode()))
            self.changed.set()
            return changed

    def _apply_command(self, known: Incident, stored: Stored) -> Incident:
        changed = apply(known, stored) or known
        if known.state == RESOLVED:
            return changed
        self._keep(changed)
        self._on_transition(changed, stored.event)
        return changed

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


def _conflict(incident: Incident) -> ConflictError:
    since = incident.resolved or incident.acknowledged or incident.updated
    who = f" by {incident.owner}" if incident.owner else ""
    return ConflictError(f"already {incident.state}{who}", state=incident.state, owner=incident.owner, since=since)
