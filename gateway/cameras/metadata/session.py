"""One RTSP session for a metadata track alone, interleaved in its TCP connection (RFC 2326 §10, §12.37)."""

from gateway.cameras.metadata.documents import DocumentAssembler
from gateway.cameras.metadata.sdp import MetadataTrack, metadata_tracks
from gateway.cameras.rtsp import RtspSession
from gateway.cameras.states import CameraState


class MetadataSession(RtspSession):
    """One camera's metadata track."""

    async def open(self) -> None:
        """Connect, find the track, set it up and play it.

        Raises:
            CameraError: `NO_EVENTS` if there is no track that can be read; other states as they are.
        """
        await self._connect()
        track = await self._described()
        await self._set_up(self._address_of(track.control))
        self._documents = DocumentAssembler()
        await self._play({"Range": "npt=0.000-"})

    async def next(self) -> bytes | None:
        """The next document; None, at least every ten seconds, is a sign of life.

        Raises:
            CameraError: the session has ended, or is silent.
        """
        while (packet := await self._packet()) is not None:
            if (document := self._documents.take(packet.data)) is not None:
                return document
        return None

    async def _described(self) -> MetadataTrack:
        track = next(iter(metadata_tracks(await self._describe())), None)
        if track is None:
            raise self._error(CameraState.NO_EVENTS, "its stream has no metadata track")
        if not track.is_plain:
            what = f"its metadata are compressed ({track.encoding}), which is not read: choose none in the camera"
            raise self._error(CameraState.NO_EVENTS, what)
        return track
