"""Incidents as a projection of the journal: rows and the reader's position change in one transaction."""

import logging
import sqlite3
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from gateway.storage.incident_values import Deadline, Incident
from gateway.storage.state import State, moment_of, text_of
from gateway.storage.statements import load_statements

_SQL = load_statements("incidents")
_COMMANDS = 100_000
_LOOKED_AT = 10_000
_ADAPTER = TypeAdapter(Incident)
_log = logging.getLogger(__name__)


class IncidentStore:
    """What the incident desk knows; can be made anew from the journal at any time."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def position(self) -> int:
        """The journal's position up to which events were taken in."""
        return int(await self._state.read(lambda c: c.execute(_SQL["position"]).fetchone()[0]))

    async def apply(self, position: int, incidents: Sequence[Incident], command: tuple[str, str] | None = None) -> None:
        """Keep incidents, the position that they are of, and the result of a command by its id, all or nothing."""

        def work(connection: sqlite3.Connection) -> None:
            for each in incidents:
                row = (each.id, each.state, each.source, each.kind, text_of(each.opened), _to_json(each))
                connection.execute(_SQL["put"], row)
            connection.execute(_SQL["move"], (position, position))
            if command is not None:
                connection.execute(_SQL["remember"], command)
                connection.execute(_SQL["trim"], (_COMMANDS,))

        await self._state.write(work)

    async def get(self, incident: str) -> Incident | None:
        """The incident of that id."""
        row = await self._state.read(lambda c: c.execute(_SQL["get"], (incident,)).fetchone())
        return _from_json(row[0]) if row else None

    async def find_open(self, source: str, kind: str) -> Incident | None:
        """The newest incident of a source and kind that is not resolved."""
        row = await self._state.read(lambda c: c.execute(_SQL["find_open"], (source, kind)).fetchone())
        return _from_json(row[0]) if row else None

    async def unresolved(self) -> list[Incident]:
        """All incidents that are not resolved, oldest first."""
        rows = await self._state.read(lambda c: c.execute(_SQL["unresolved"]).fetchall())
        return [found for row in rows if (found := _from_json(row[0]))]

    async def command(self, command_id: str) -> str | None:
        """The first result of a command, if it was done before."""
        row = await self._state.read(lambda c: c.execute(_SQL["command"], (command_id,)).fetchone())
        return row[0] if row else None

    async def clear(self) -> None:
        """Forget all incidents, so that they can be made anew from position 0; commands stay known."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["clear"])
            connection.execute(_SQL["rewind"])

        await self._state.write(work)

    async def make_anew(self, last: int, look_back: int, most: int) -> int:
        """Where a body cannot be read, forget it, and what the journal's end gives anew; how many could not be read.

        It begins `look_back` positions before `last`, or where the oldest incident that is not resolved begins, but at
        most `most` before it. Incidents that were over by then stay.
        """
        rows = await self._state.read(lambda c: c.execute(_SQL["bodies"], (_LOOKED_AT,)).fetchall())
        found = {identity: _from_json(body) for identity, body, _over in rows}
        bad = sum(each is None for each in found.values())
        if not bad:
            return 0
        known = [each for each in found.values() if each is not None]
        begun = [min(each.events) - 1 for each in known if each.state != "resolved" and each.events]
        start = max(0, last - most, min(last - look_back, *begun, last))
        gone = [identity for identity, each in found.items() if each is None or not _is_over(each, start)]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_SQL["delete"], [(each,) for each in gone])
            connection.execute(_SQL["set"], (start,))

        await self._state.write(work)
        return bad

    async def deadlines(self) -> list[Deadline]:
        """Since when incidents wait, as it was kept last."""
        rows = await self._state.read(lambda c: c.execute(_SQL["deadlines"]).fetchall())
        return [Deadline(one, wait, boot, began, moment_of(wall)) for one, wait, boot, began, wall in rows]

    async def keep_deadlines(self, begun: Sequence[Deadline], over: Sequence[str]) -> None:
        """Keep waits that began, and forget those of the incidents in `over`, all or nothing."""

        def work(connection: sqlite3.Connection) -> None:
            rows = [(each.incident, each.wait, each.boot, each.monotonic, text_of(each.wall)) for each in begun]
            connection.executemany(_SQL["keep_deadline"], rows)
            connection.executemany(_SQL["drop_deadline"], [(each,) for each in over])

        await self._state.write(work)

    async def list(
        self, states: Sequence[str] = (), limit: int = 100, before: str | None = None, *, discreet: bool = True
    ) -> list[Incident]:
        """Incidents, newest first.

        Args:
            states: all if empty.
            limit: the most of them.
            before: the id of the last one of the page before.
            discreet: also those of silent and duress presses.
        """
        names = ", ".join("?" for _ in states) or "NULL"
        query = _SQL["list"].replace(":states", names)
        values = (len(states), *states, before, before, discreet, limit)
        rows = await self._state.read(lambda c: c.execute(query, values).fetchall())
        return [found for row in rows if (found := _from_json(row[0]))]


def _is_over(incident: Incident, position: int) -> bool:
    return incident.state == "resolved" and max(incident.events, default=0) <= position


def _from_json(body: str | bytes) -> Incident | None:
    """The incident; None if its row was damaged: the next start makes it anew."""
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError:
        _log.error("an incident of the store cannot be read and is left out")
        return None


def _to_json(incident: Incident) -> str:
    return _ADAPTER.dump_json(incident).decode()
