"""The RTSP server: many clients at once, each its own session, over TCP or UDP."""

import asyncio
import secrets
from collections.abc import Mapping

from gateway.simulators.camera.archive import Archive
from gateway.simulators.camera.digest import DigestRealm
from gateway.simulators.camera.mutation import Mutator
from gateway.simulators.camera.playback import Playback
from gateway.simulators.camera.rtsp.connection import RtspConnection
from gateway.simulators.camera.rtsp.metadata import MetadataTrack


class RtspServer:
    """Serves playbacks by path, for example ``/main`` and ``/sub``, behind Digest authentication.

    Attributes:
        open_sessions: connections that have set up a stream.
        mutator: spoils answers; None without that quirk.
    """

    def __init__(
        self, playbacks: Mapping[str, Playback], realm: DigestRealm, archive: Archive, metadata: MetadataTrack
    ) -> None:
        self._playbacks = playbacks
        self._metadata = metadata
        self._realm = realm
        self._archive = archive
        self._quirks = quirks = archive.quirks
        self._session_number = secrets.randbits(31)
        self.open_sessions: set[RtspConnection] = set()
        seed = quirks.value("mutated-rtsp")
        self.mutator = None if seed is None else Mutator(seed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends; its session ends with it."""
        if "frozen" in self._quirks:
            await asyncio.Event().wait()
        connection = RtspConnection(
            self._playbacks, self._realm, self._archive, writer, self._session_number, self._metadata
        )
        connection.may_set_up = lambda: self._may_set_up(connection)
        connection.mutator = self.mutator
        try:
            await connection.answer_all(reader)
        finally:
            connection.close()
            self.open_sessions.discard(connection)

    def cut(self) -> None:
        """End all sessions, as a restart of the server does."""
        for connection in tuple(self.open_sessions):
            connection.hang_up()

    def _may_set_up(self, connection: RtspConnection) -> bool:
        if "one-session" in self._quirks and self.open_sessions - {connection}:
            return False
        self.open_sessions.add(connection)
        return True
