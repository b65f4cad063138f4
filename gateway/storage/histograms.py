"""How near passers-by came to the list, per camera, in sum: counts of best distances, no passage and no template."""

import sqlite3
from collections.abc import Sequence

from gateway.storage.state import State

_ADD = """
INSERT INTO histogram (camera, bin, count) VALUES (?, ?, ?)
ON CONFLICT (camera, bin) DO UPDATE SET count = count + excluded.count
"""


class Histograms:
    """The site's own measure of its false-warning rate (ISO/IEC 19795-1: from non-mated searches)."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, camera: str, counts: Sequence[int]) -> None:
        """Add the counts of one camera's hour; bin i holds distances from i/100 on."""

        def work(connection: sqlite3.Connection) -> None:
            rows = [(camera, number, count) for number, count in enumerate(counts) if count]
            connection.executemany(_ADD, rows)

        await self._state.write(work)

    async def of(self, camera: str) -> dict[int, int]:
        """Bin → count of one camera since the beginning."""
        query = "SELECT bin, count FROM histogram WHERE camera = ?"
        return dict(await self._state.read(lambda c: c.execute(query, (camera,)).fetchall()))
