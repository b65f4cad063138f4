"""Follows the journal: decides about new events, projects incident events, keeps both so that a crash harms nothing."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from pydantic import TypeAdapter

from gateway.errors import TransientError
from gateway.events import Event, FaceVerified, IncidentEvent, IncidentOpened, IncidentRaisedAgain
from gateway.incidents.board import Board, concerns
from gateway.incidents.keys import CLEARING, LOSSES, Key, group_key, is_group, key_of, name_of_loss
from gateway.incidents.policy import Policy
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.replay import RESOLVED, apply
from gateway.incidents.rules import decide, decisions_of, explains, settled
from gateway.incidents.situation import CALM, Situation, advance, flood_begins, is_of_situation
from gateway.storage import EventFilter, Incident, Stored

INCIDENT = TypeAdapter(Incident)
Transition = Callable[[Incident, Event], None]
_POLL_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_PAGE = 64
_SKIPPED = 500
_RECENT = 256
_CLEARINGS = 1000
_GROUPS = 5
_SITUATIONS = ("campus.flood.", "campus.drill.")
_log = logging.getLogger(__name__)


class Follower:
    """The journal's reader for incidents; whoever changes one holds `lock`.

    What a former run decided stands in the journal. So a trigger of that time is decided only once all of the former
    run's events are projected, and only if the journal has no decision about it.

    Args:
        journal, store: where events and the projection are kept.
        on_transition: told of each incident event behind its commit; after a crash perhaps again.
    """

    def __init__(self, journal: JournalPort, store: StorePort, policy: Policy, on_transition: Transition) -> None:
        self._journal = journal
        self._store = store
        self._policy = policy
        self._on_transition = on_transition
        self._position = 0
        self._stored_position = 0
        self._history = 0
        self._quiet = 0
        self._undecided: list[Stored] = []
        self._stale = False
        self._unsettled = True
        self._released: list[Incident] = []
        self._clearings: dict[str, list[Stored]] = {}
        self.situation = CALM
        self.board = Board()
        self.lock = asyncio.Lock()
        self.changed = asyncio.Event()

    async def load(self) -> None:
        """Take up where the store ends."""
        self.board.clear()
        self._undecided.clear()
        self._clearings.clear()
        self._position = self._stored_position = await self._store.position()
        self._history = self._journal.last_position
        self.situation = await self._restored()
        for stored in await self._journal.tail(_CLEARINGS, EventFilter(types=tuple(each.TYPE for each in CLEARING))):
            if stored.position <= self._position:
                self._note_clearing(stored)
        self._unsettled = True
        for incident in await self._store.unresolved():
            self.board.keep(incident)
        self._stale = False

    async def _restored(self) -> Situation:
        """The situation out of the journal's end; what is there twice counts once."""
        known = [await self._journal.tail(1, EventFilter(types=(kind,))) for kind in _SITUATIONS]
        opened = await self._journal.tail(_RECENT, EventFilter(types=(IncidentOpened.TYPE,)))
        situation = CALM
        for stored in sorted([*opened, *known[0], *known[1]], key=lambda each: each.position):
            situation = advance(situation, stored, self._policy)
        return situation

    async def rebuild(self) -> None:
        """Make the projection anew from the whole journal; nobody is told of what is old."""
        async with self.lock:
            self._quiet = self._journal.last_position
            await self._store.clear()
            await self.load()
        await self.catch_up()

    async def run(self) -> None:
        """Follow the journal, until cancelled; what is only temporary, such as a full disk, does not end it."""
        with self._journal.subscribe() as subscription:
            while True:
                try:
                    await self.catch_up()
                except TransientError as error:
                    _log.error("incidents wait for the store: %s", error)
                    await asyncio.sleep(_RETRY_SECONDS)
                await subscription.wait(self._position, _POLL_SECONDS)

    async def catch_up(self) -> None:
        """Take in everything that the journal has; commands get their turn between two pages."""
        while True:
            async with self.lock:
                if not await self._page():
                    return

    async def refresh(self) -> None:
        """Take in what the journal has by now; the caller holds the lock."""
        until = self._journal.last_position
        while self._stale or self._undecided or self._position < until:
            if not await self._page():
                return

    async def _page(self) -> bool:
        """Take in the next events; False if there are none."""
        if self._stale:
            await self.load()
        events = await self._journal.read(self._position, _PAGE)
        self._stale = True
        for stored in events:
            await self._take(stored)
        if not events:
            await self._decide_rest()
            await self._settle()
        self._stale = False
        return bool(events)

    async def _take(self, stored: Stored) -> None:
        changed = await self._project(stored)
        if key_of(stored.event) is not None:
            changed += await self._judge(stored)
        self._position = stored.position
        if changed:
            await self._persist(changed, _command_of(stored.event, changed[0]))
        elif self._safe_position - self._stored_position >= _SKIPPED:
            await self._persist(())

    async def _judge(self, stored: Stored) -> list[Incident]:
        if self._undecided or stored.position <= self._history:
            if not await self._was_decided(stored):
                self._undecided.append(stored)
            return []
        return await self._decide(stored)

    async def _was_decided(self, stored: Stored) -> bool:
        found = [await self._journal.find(each) for each in decisions_of(stored.event.id)]
        return any(each is not None for each in found)

    async def _decide(self, stored: Stored) -> list[Incident]:
        await self._begin_flood()  # that a crash left out
        event, board = stored.event, self.board
        key = key_of(event)
        known = board.of_key(key) if key is not None else None
        group_by = self._group_by(event)
        group = board.of_key(group_by) if group_by is not None else None
        causes = board.all() if isinstance(event, LOSSES) and self._policy.inhibitions else ()
        cause = next((each for each in causes if explains(each, stored, self._policy)), None)
        decided = decide(known, stored, self._policy, self.situation, group, cause, group_by)
        return await self._decided(decided)

    def _group_by(self, event: Event) -> Key | None:
        """How a flood groups an event: by its place, and once there are many groups of its kind by the kind alone."""
        if not self.situation.flood:
            return None
        narrow = group_key(event)
        if self.board.of_key(narrow) is not None:
            return narrow
        groups = sum(is_group(each) and each.kind == narrow[1] for each in self.board.all())
        return narrow if groups < _GROUPS else group_key(event, everywhere=True)

    async def _decided(self, events: Sequence[Event]) -> list[Incident]:
        """Store what was decided, and a flood that it begins."""
        changed: list[Incident] = []
        for event in events:
            changed += await self._project(await self._journal.append(event))
        await self._begin_flood()
        return changed

    async def _begin_flood(self) -> None:
        if (flood := flood_begins(self.situation, self._policy)) is not None:
            await self._project(await self._journal.append(flood))

    async def _settle(self) -> None:
        """What follows from the state as it is: after a crash before it, it is done at the next look."""
        if not self._unsettled:
            return
        self._unsettled = False
        over = [each for each in self.board.all() if not each.active and each.hidden and not is_group(each)]
        for cause in [*over, *self._released]:
            await self._release(cause)
        self._released.clear()
        for event in list(settled(self.board.all(), self.situation)):
            await self._persist(await self._decided([event]))
        await self._begin_flood()

    async def _release(self, cause: Incident) -> None:
        """Losses that an incident hid, and that last on without it, open their own."""
        for each in cause.hidden:
            stored = await self._journal.find(each.event)
            if stored is not None:
                await self._persist(await self._decide(stored))

    async def _decide_rest(self) -> None:
        while self._undecided:
            changed = await self._decide(self._undecided[0])
            self._undecided.pop(0)
            await self._persist(changed)

    async def _project(self, stored: Stored) -> list[Incident]:
        event = stored.event
        if is_of_situation(event) or isinstance(event, IncidentEvent):
            self.situation = advance(self.situation, stored, self._policy)
            self._unsettled = True
        known: list[Incident | None] = []
        if isinstance(event, IncidentEvent | FaceVerified):
            known = [await self.find(event.incident)]
            known += self.board.hiding(event) if isinstance(event, IncidentOpened) else []
        elif isinstance(event, CLEARING):
            self._note_clearing(stored)
            known += self.board.cleared_by(event)
        changed = [after for each in known if (after := self._apply(each, stored)) is not None]
        if isinstance(event, IncidentOpened | IncidentRaisedAgain):
            changed = [self._cleared_meanwhile(each, event.trigger_position) for each in changed]
        return changed

    def _note_clearing(self, stored: Stored) -> None:
        name = name_of_loss(stored.event)
        self._clearings[name] = [*self._clearings.pop(name, []), stored][-_PAGE:]
        while len(self._clearings) > _CLEARINGS:
            self._clearings.pop(next(iter(self._clearings)))

    def _cleared_meanwhile(self, incident: Incident, trigger: int) -> Incident:
        """The incident after clearings that stand between its trigger and what was decided about that."""
        names = {incident.source, *(each.source for each in incident.hidden)}
        for name in sorted(names & self._clearings.keys()):
            for stored in self._clearings[name]:
                if stored.position > trigger and concerns(stored.event, incident):
                    incident = self._apply(incident, stored) or incident
        return incident

    def _apply(self, known: Incident | None, stored: Stored) -> Incident | None:
        incident = apply(known, stored)
        if incident is None or incident is known:
            return None
        self._unsettled = True
        self.board.keep(incident)
        if incident.state == RESOLVED and incident.hidden:
            self._released.append(incident)
        self._tell(incident, stored)
        return incident

    def _tell(self, incident: Incident, stored: Stored) -> None:
        self.changed.set()
        if stored.position <= self._quiet:
            return
        try:
            self._on_transition(incident, stored.event)
        except Exception:  # a fault in an output must not stop incidents
            _log.exception("an output failed at %s", stored.event.TYPE)

    @property
    def _safe_position(self) -> int:
        return self._undecided[0].position - 1 if self._undecided else self._position

    async def _persist(self, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        position = self._safe_position
        await self._store.apply(position, incidents, command)
        self._stored_position = position

    async def record(self, event: IncidentEvent | FaceVerified) -> Incident:
        """Store an event that somebody caused, and what it makes of its incident; the caller holds the lock."""
        self._stale = True
        changed = await self._project(await self._journal.append(event))
        for incident in changed:
            await self._persist([incident], _command_of(event, incident))
        self._stale = False
        return changed[0]

    async def note_situation(self, event: Event) -> None:
        """Store an event about the whole site; the caller holds the lock."""
        self._stale = True
        await self._project(await self._journal.append(event))
        self._stale = False

    async def find(self, incident: str) -> Incident | None:
        """An incident, resolved or not."""
        return self.board.get(incident) or await self._store.get(incident)


def _command_of(event: Event, incident: Incident) -> tuple[str, str] | None:
    command = event.command_id if isinstance(event, IncidentEvent | FaceVerified) else ""
    return (command, INCIDENT.dump_json(incident).decode()) if command else None
