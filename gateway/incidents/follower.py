"""Follows the journal: decides about new events, projects incident events, keeps both so that a crash harms nothing."""

import asyncio
import logging
from collections.abc import Callable, Sequence, Set
from itertools import islice

from pydantic import TypeAdapter

from gateway.clock import Clock
from gateway.errors import TransientError
from gateway.events import Event, FaceVerified, IncidentEvent, IncidentOpened
from gateway.incidents.keys import CLEARING, key_of
from gateway.incidents.plan import Plan
from gateway.incidents.policy import Policy
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.projection import Projection
from gateway.incidents.rules import decisions_of, settled
from gateway.incidents.situation import CALM, Situation, advance, flood_begins
from gateway.storage import EventFilter, Incident, Stored

INCIDENT = TypeAdapter(Incident)
Transition = Callable[[Incident, Event], None]
_POLL_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_PAGE = 64
_BREATH = 8
_SKIPPED = 500
_RECENT = 256
_CLEARINGS = 1000
_CLEARING_TYPES = tuple(each.TYPE for each in CLEARING)
_SITUATIONS = ("campus.flood.", "campus.drill.")
_log = logging.getLogger(__name__)


class Follower:
    """The journal's reader for incidents; whoever changes one holds `lock`.

    A page of events is decided about in memory, its decisions are stored in one transaction of the journal and its
    incidents in one of the store: a burst of one button must not let another one, or a command, wait.

    What a former run decided stands in the journal. So a trigger of that time is decided only once all of the former
    run's events are projected, and only if the journal has no decision about it.

    Args:
        journal, store: where events and the projection are kept.
        policy: the site's.
        on_transition: told of each incident event behind its commit; after a crash perhaps again.
        clock: tells when what is decided will be recorded, about.

    Attributes:
        waits: for a store that takes nothing now, so that no incident opens.
    """

    def __init__(
        self, journal: JournalPort, store: StorePort, policy: Policy, on_transition: Transition, clock: Clock
    ) -> None:
        self._journal = journal
        self._store = store
        self._policy = policy
        self._on_transition = on_transition
        self._clock = clock
        self._position = 0
        self._stored_position = 0
        self._history = 0
        self._quiet = 0
        self._breath = 0
        self._undecided: list[Stored] = []
        self._stale = False
        self._view = Projection(policy, self._tell)
        self.board = self._view.board
        self.lock = asyncio.Lock()
        self.changed = asyncio.Event()
        self.waits = False

    @property
    def situation(self) -> Situation:
        """Whether there is a flood, or a drill."""
        return self._view.situation

    async def load(self) -> None:
        """Take up where the store ends."""
        self._undecided.clear()
        self._position = self._stored_position = await self._store.position()
        self._history = self._journal.last_position
        situation = await self._restored()
        clearings = await self._journal.tail(_CLEARINGS, EventFilter(types=_CLEARING_TYPES))
        known = [each for each in clearings if each.position <= self._position]
        self._view.load(await self._store.unresolved(), situation, known)
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
                    self.waits = False
                except TransientError as error:
                    self.waits = True
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
        self._view.aside.clear()
        if events:
            await self._take(events)
        else:
            await self._decide_rest()
            await self._settle()
        self._stale = False
        return bool(events)

    async def _take(self, events: Sequence[Stored]) -> None:
        await self._lay_aside(events)
        due = {each.position for each in events if key_of(each.event) is not None and await self._is_due(each)}
        decided = await self._decisions(events, due)
        made = iter(await self._append([each for meaning in decided for each in meaning]))
        for stored, meaning in zip(events, decided, strict=True):
            changed = self._view.take(stored)
            for each in islice(made, len(meaning)):
                self._view.take(each)
            self._position = stored.position
            await self._breathe()
            if changed and (command := _command_of(stored.event, changed[0])) is not None:
                await self._persist(command)
        if self._view.changed or self._safe_position - self._stored_position >= _SKIPPED:
            await self._persist()

    async def _is_due(self, stored: Stored) -> bool:
        """Whether a trigger is decided about now: not one of a former run, nor one behind such a one."""
        if not self._undecided and stored.position > self._history:
            return True
        found = [await self._journal.find(each) for each in decisions_of(stored.event.id)]
        if all(each is None for each in found):
            self._undecided.append(stored)
        return False

    async def _decisions(self, events: Sequence[Stored], due: Set[int]) -> list[list[Event]]:
        """What is to be stored because of each event; only those at the positions in `due` are decided about."""
        decided: list[list[Event]] = [[] for _ in events]
        plan = self._plan() if due else None
        for stored, meaning in zip(events, decided, strict=True):
            if plan is not None:
                plan.read(stored)
                meaning.extend(plan.decide(stored) if stored.position in due else ())
                await self._breathe()
        return decided

    async def _breathe(self) -> None:
        """Let presses come in between: they must not wait for a whole page."""
        self._breath += 1
        if self._breath % _BREATH == 0:
            await asyncio.sleep(0)

    def _plan(self) -> Plan:
        return Plan(self._view, self._policy, last=self._journal.last_position, now=self._clock.now())

    async def _append(self, events: Sequence[Event]) -> Sequence[Stored]:
        """Store what was decided, all or nothing."""
        stored = await self._journal.append_all(events) if events else []
        await self._lay_aside(stored)
        return stored

    async def _lay_aside(self, events: Sequence[Stored]) -> None:
        """Have resolved incidents at hand that events are about."""
        for stored in events:
            name = self._view.misses(stored.event)
            incident = await self._store.get(name) if name else None
            if incident is not None:
                self._view.aside[name] = incident

    async def _conclude(self, events: Sequence[Event]) -> None:
        for stored in await self._append(events):
            self._view.take(stored)

    async def _decide(self, events: Sequence[Stored]) -> None:
        """Decide about events that were taken before."""
        plan = self._plan()
        await self._conclude([decided for each in events for decided in plan.decide(each)])

    async def _decide_rest(self) -> None:
        while self._undecided:
            page = self._undecided[:_PAGE]
            await self._decide(page)
            del self._undecided[: len(page)]
            await self._persist()

    async def _settle(self) -> None:
        """What follows from the state as it is: after a crash before it, it is done at the next look."""
        view = self._view
        while view.unsettled:
            view.unsettled = False
            await self._release([each.event for cause in view.let_go() for each in cause.hidden])
            await self._conclude(list(settled(view.board.all(), view.situation)))
            flood = flood_begins(view.situation, self._policy)
            await self._conclude([flood] if flood is not None else [])
            if view.changed:
                await self._persist()

    async def _release(self, losses: Sequence[str]) -> None:
        """Losses that an incident hid, and that last on without it, open their own."""
        for start in range(0, len(losses), _PAGE):
            found = [await self._journal.find(each) for each in losses[start : start + _PAGE]]
            await self._decide([each for each in found if each is not None])
            await self._persist()

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
        return min(self._position, self._undecided[0].position - 1) if self._undecided else self._position

    async def _persist(self, command: tuple[str, str] | None = None) -> None:
        position = self._safe_position
        await self._store.apply(position, list(self._view.changed.values()), command)
        self._view.changed.clear()
        self._stored_position = position

    async def record(self, event: IncidentEvent | FaceVerified) -> Incident:
        """Store an event that somebody caused, and what it makes of its incident; the caller holds the lock."""
        self._stale = True
        stored = await self._journal.append(event)
        await self._lay_aside([stored])
        await self._clear_before(stored.position)
        changed = self._view.take(stored)
        await self._persist(_command_of(event, changed[0]))
        self._stale = False
        return changed[0]

    async def _clear_before(self, position: int) -> None:
        """Take in clearings that came just before an event: a rebuild reads them first, and so must this."""
        after = self._position
        while page := await self._journal.read(after, _PAGE, EventFilter(types=_CLEARING_TYPES)):
            for stored in page:
                if stored.position > position:
                    return
                self._view.take(stored)
            after = page[-1].position

    async def note_situation(self, event: Event) -> None:
        """Store an event about the whole site; the caller holds the lock."""
        self._stale = True
        self._view.take(await self._journal.append(event))
        self._stale = False

    async def find(self, incident: str) -> Incident | None:
        """An incident, resolved or not."""
        return self._view.get(incident) or await self._store.get(incident)


def _command_of(event: Event, incident: Incident) -> tuple[str, str] | None:
    command = event.command_id if isinstance(event, IncidentEvent | FaceVerified) else ""
    return (command, INCIDENT.dump_json(incident).decode()) if command else None
