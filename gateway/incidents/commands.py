"""Takes commands about incidents: one at a time, each once, and who was first wins."""

from collections.abc import Callable, Set
from typing import Any, Required, TypedDict

from gateway.clock import Clock
from gateway.events import (
    Event,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEvent,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    derived_id,
)
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.follower import INCIDENT, Follower
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.replay import ACKNOWLEDGED, DISPATCHED, RAISED, RESOLVED
from gateway.incidents.rules import common_of
from gateway.storage import Incident, UnreadableEvent

OPEN = frozenset({RAISED, ACKNOWLEDGED, DISPATCHED})
_MADE_BY: dict[str, tuple[type[Event], ...]] = {
    RAISED: (IncidentOpened, IncidentRaisedAgain),
    ACKNOWLEDGED: (IncidentAcknowledged,),
    DISPATCHED: (IncidentDispatched,),
    RESOLVED: (IncidentResolved,),
}
Make = Callable[[dict[str, Any]], IncidentEvent | FaceVerified]
Refuse = Callable[[Incident], None]


class By(TypedDict, total=False):
    """Who gives a command.

    Attributes:
        actor: the account.
        command_id: the client's own; the same one again answers the first result.
        expected_state: the state that the sender saw; another one is a conflict.
        post: the enrolled post that it was given at.
    """

    actor: Required[str]
    command_id: Required[str]
    expected_state: str | None
    post: str


def _nothing(_incident: Incident) -> None:
    return


class Commands:
    """What all commands share."""

    def __init__(self, journal: JournalPort, store: StorePort, follower: Follower, clock: Clock) -> None:
        self._journal = journal
        self._store = store
        self._follower = follower
        self._clock = clock

    async def get(self, incident: str) -> Incident:
        """One incident.

        Raises:
            NotFoundError: there is none of that id.
        """
        known = await self._follower.find(incident)
        if known is None:
            raise NotFoundError("there is no such incident", where=f"incident {incident}")
        return known

    async def take(
        self,
        incident: str,
        by: By,
        allowed: Set[str],
        make: Make,
        *,
        refuse: Refuse = _nothing,
        verifying: bool = False,
    ) -> Incident:
        """Do one command.

        Args:
            incident: its id.
            by: who gives it.
            allowed: states in which it is possible.
            make: the event of it, of what all events of an incident hold.
            refuse: raises why an incident cannot be treated so now; not asked when the command was done before.
            verifying: it is refused where a judgement stands.

        Raises:
            NotFoundError, ConflictError, BadCommandError: why not.
        """
        async with self._follower.lock:
            await self._follower.refresh()
            known = await self.get(incident)
            event = make(self.common(known) | self._of(by))
            if (first := await self._store.command(by["command_id"])) is not None:
                return await self._repeated(event, first)
            judged = verifying and known.verification not in ("", "unsure")
            expected = by.get("expected_state") or known.state
            if known.state not in allowed or expected != known.state or judged:
                raise await self._conflict(known, judged=judged)
            refuse(known)
            return await self._follower.record(event)

    @staticmethod
    def _of(by: By) -> dict[str, Any]:
        command = by["command_id"]
        identity = derived_id("command", command)
        return {"id": identity, "actor": by["actor"], "command_id": command, "post": by.get("post", "")}

    def common(self, incident: Incident) -> dict[str, Any]:
        """What an event about an incident says of it, now."""
        return common_of(incident, "") | {"time": self._clock.now()}

    async def _repeated(self, event: IncidentEvent | FaceVerified, first: str) -> Incident:
        """The first answer to a command that comes again; an id that served another command is a fault of the client.

        Raises:
            BadCommandError: the id was used for something else.
        """
        stored = await self._journal.find(event.id)
        was = stored.event if stored is not None and not isinstance(stored.event, UnreadableEvent) else event
        if type(was) is not type(event) or getattr(was, "incident", "") != event.incident:
            remedy = "Take a new command_id for each command."
            what = "this command_id was used for another command"
            raise BadCommandError(what, where=event.command_id, remedy=remedy, code="command_id_used")
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
        code = "judged_already" if judged else f"{incident.state}_already"
        return ConflictError(what, state=incident.state, owner=actor or incident.owner, since=since, code=code)
