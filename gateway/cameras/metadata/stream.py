"""One camera's events from its metadata track: found over SOAP, read over RTSP."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from gateway.cameras.eventing.notices import Notice
from gateway.cameras.lane import Lane
from gateway.cameras.metadata.documents import notices_of
from gateway.cameras.metadata.profile import MetadataMedia, MetadataSource
from gateway.cameras.metadata.session import MetadataSession
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error

_SYNCHRONIZE_SECONDS = 60.0
_STALLED_AFTER = 3


@dataclass(frozen=True, slots=True)
class MetadataWay:
    """How a camera's metadata are reached.

    Attributes:
        lane: of all questions to the camera.
        begin: starts the clock of one operation; raises CameraError while the password may not be tried.
        media: finds the stream.
        session: makes the RTSP session of an address.
        where: the camera, for messages.
    """

    lane: Lane
    begin: Callable[[], None]
    media: MetadataMedia
    session: Callable[[str], MetadataSession]
    where: str


class MetadataStream:
    """An open stream of events; make it with `opened`.

    Once a minute all states are asked for anew. A camera that told them then, and three times does not, is stalled,
    although its RTSP server answers.
    """

    def __init__(self, way: MetadataWay, source: MetadataSource, session: MetadataSession) -> None:
        self._way = way
        self._source = source
        self._session = session
        self._synchronize_at = time.monotonic()
        self._asked = self._unanswered = 0
        self._answers = False

    @classmethod
    async def opened(cls, way: MetadataWay) -> Self:
        """Find the stream and play it.

        Raises:
            CameraError: `NO_EVENTS` if there is none; other states as they are.
            FaultError: the camera refuses what was asked.
        """

        def find() -> MetadataSource:
            way.begin()
            return way.media.find()

        source = await way.lane.run(find)
        session = way.session(source.url)
        try:
            await session.open()
        except BaseException:
            await session.close()
            raise
        return cls(way, source, session)

    async def next(self) -> tuple[Notice, ...]:
        """Wait for notifications; none, at least every ten seconds, is a sign of life.

        Raises:
            CameraError: the stream has ended, or stalled.
        """
        if time.monotonic() >= self._synchronize_at:
            await self._synchronize()
        document = await self._session.next()
        if document is None:
            return ()
        notices = await asyncio.to_thread(notices_of, document)
        if notices:
            self._unanswered = 0
            self._answers |= self._asked > 1 and any(each.initial for each in notices)
        return notices

    async def close(self) -> None:
        """End it."""
        await self._session.close()

    async def _synchronize(self) -> None:
        self._synchronize_at = time.monotonic() + _SYNCHRONIZE_SECONDS
        if self._unanswered >= _STALLED_AFTER:
            what = "its metadata stream brings no events any more"
            raise camera_error(CameraState.STREAM_DEAD, what, where=self._way.where)

        def ask() -> None:
            self._way.begin()
            self._way.media.synchronize(self._source)

        with contextlib.suppress(CameraError, FaultError):
            await self._way.lane.run(ask)
            self._asked += 1
            self._unanswered += self._answers
