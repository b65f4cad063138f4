"""What supervision knows of alarm devices, with the journal's position that it is of, so that a restart goes on."""

import sqlite3
from collections.abc import Mapping

from gateway.storage.state import State
from gateway.storage.statements import load_statements

_SQL = load_statements("devices")


class DeviceStore:
    """One body of JSON for each device; what the journal says behind the position comes on top of it."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def load(self) -> tuple[int, dict[str, str]]:
        """The position and the bodies, by device."""

        def query(connection: sqlite3.Connection) -> tuple[int, dict[str, str]]:
            position = int(connection.execute(_SQL["position"]).fetchone()[0])
            return position, dict(connection.execute(_SQL["devices"]).fetchall())

        return await self._state.read(query)

    async def save(self, position: int, bodies: Mapping[str, str]) -> None:
        """Keep these bodies, and no other device's, with the position that they are of."""

        def work(connection: sqlite3.Connection) -> None:
            known = dict(connection.execute(_SQL["devices"]).fetchall())
            for device in known.keys() - bodies.keys():
                connection.execute(_SQL["delete"], (device,))
            changed = [(device, body) for device, body in bodies.items() if known.get(device) != body]
            connection.executemany(_SQL["put"], changed)
            connection.execute(_SQL["move"], (position,))

        await self._state.write(work)
