"""How near passers-by came to the list, in sum: counts of best distances by day and camera, no passage, no template."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.errors import PermanentError
from gateway.storage.state import State
from gateway.storage.statements import load_statements

_SQL = load_statements("calibration")
_BINS = 151
_MOST = 10**9
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceRow:
    """Counts of best distances of tracks at one camera.

    Attributes:
        size: of the faces: small or full.
        rule: look, median, mean or track.
        people: on the list that they were compared with.
        counts: bin i holds distances from i/100 on; the last one the rest.
    """

    camera: str
    size: str
    rule: str
    people: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWarning:
    """A warning of a face: how near it came by each rule, and what a guard said of it."""

    day: date
    camera: str
    size: str
    people: int
    scores: Mapping[str, float]
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPassages:
    """What a window of days has seen, by one model.

    Attributes:
        distances: of tracks of which nobody was warned.
        days: per camera, how long it counted.
        warnings: in the window.
    """

    distances: tuple[DistanceRow, ...] = ()
    days: Mapping[str, float]
    warnings: tuple[FaceWarning, ...] = ()


class Histograms:
    """The site's own measure of its false-warning rate (ISO/IEC 19795-1: from non-mated searches)."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, day: date, model: str, seconds: float, camera: str, rows: Sequence[DistanceRow]) -> None:
        """Add what one camera counted for so many seconds.

        Raises:
            PermanentError: the counts are none.
        """
        if any(len(row.counts) > _BINS or not all(0 <= each < _MOST for each in row.counts) for row in rows):
            raise PermanentError("the counts of distances are none", where=f"camera {camera}")
        if not 0 <= seconds < _MOST:
            raise PermanentError(f"counts of {seconds} seconds", where=f"camera {camera}")
        named = day.isoformat()
        values = [
            (named, camera, row.size, row.rule, model, row.people, number, count)
            for row in rows
            for number, count in enumerate(row.counts)
            if count
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_SQL["add"], values)
            connection.execute(_SQL["add_time"], (named, camera, seconds))

        await self._state.write(work)

    async def seen(self, since: date, model: str) -> SeenPassages:
        """Everything counted from a day on with vectors of this model."""

        def query(connection: sqlite3.Connection) -> SeenPassages:
            first = since.isoformat()
            days = dict(connection.execute(_SQL["times"], (first,)))
            return SeenPassages(
                distances=_gathered(connection.execute(_SQL["distances"], (first, model))),
                days={camera: seconds / _DAY_SECONDS for camera, seconds in days.items()},
                warnings=tuple(_warning(row) for row in connection.execute(_SQL["warnings"], (first, model))),
            )

        return await self._state.read(query)

    async def position(self) -> int:
        """The journal's position up to which warnings and verdicts were taken in."""
        return int(await self._state.read(lambda c: c.execute(_SQL["position"]).fetchone()[0]))

    async def warned(self, position: int, event: str, model: str, warning: FaceWarning) -> None:
        """Keep a warning, and the journal's position that it is of."""
        row = (event, warning.day.isoformat(), warning.camera, warning.size, model, warning.people)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["warned"], (*row, json.dumps(dict(warning.scores))))
            connection.execute(_SQL["move"], (position, position))

        await self._state.write(work)

    async def judged(self, position: int, event: str, verdict: str) -> None:
        """Keep a guard's verdict on a warning, and the journal's position that it is of."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SQL["judge"], (verdict, event))
            connection.execute(_SQL["move"], (position, position))

        await self._state.write(work)

    async def move(self, position: int) -> None:
        """The journal was read up to here; nothing in between was of interest."""
        await self._state.write(lambda c: c.execute(_SQL["move"], (position, position)).rowcount)

    async def drift(self) -> str:
        """The alarm that stands: above, below, or empty."""
        return str(await self._state.read(lambda c: c.execute(_SQL["drift"]).fetchone()[0]))

    async def set_drift(self, drift: str) -> None:
        """Remember the alarm that stands, so that it is raised once and cleared once."""
        await self._state.write(lambda c: c.execute(_SQL["set_drift"], (drift,)).rowcount)

    async def trim(self, before: date) -> None:
        """Forget what is older than a day."""

        def work(connection: sqlite3.Connection) -> None:
            for name in ("trim_distances", "trim_times", "trim_warnings"):
                connection.execute(_SQL[name], (before.isoformat(),))

        await self._state.write(work)


def _gathered(rows: sqlite3.Cursor) -> tuple[DistanceRow, ...]:
    found: dict[tuple[str, str, str, int], list[int]] = defaultdict(lambda: [0] * _BINS)
    for camera, size, rule, people, number, count in rows:
        found[camera, size, rule, people][number] = count
    return tuple(
        DistanceRow(camera=camera, size=size, rule=rule, people=people, counts=tuple(counts))
        for (camera, size, rule, people), counts in found.items()
    )


def _warning(row: tuple[str, str, str, int, str, str]) -> FaceWarning:
    day, camera, size, people, scores, verdict = row
    return FaceWarning(
        day=date.fromisoformat(day),
        camera=camera,
        size=size,
        people=people,
        scores=json.loads(scores),
        verdict=verdict,
    )
