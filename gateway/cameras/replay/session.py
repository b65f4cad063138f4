"""One RTSP session that plays a range of a camera's own recording (ONVIF Streaming Specification §6, RFC 2326 §3.7)."""

from collections import deque
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.cameras.replay.pictures import PictureAssembler, ReplayedPicture
from gateway.cameras.replay.sdp import VideoTrack, video_track
from gateway.cameras.rtsp import RtspSession
from gateway.cameras.states import CameraError, CameraState

_CODECS = ("h264", "hevc")
_INVALID_RANGE = 457


class ReplaySession(RtspSession):
    """A camera's recording of a range of time, picture by picture, as fast as it gives them.

    Attributes:
        read_bytes: of media so far.
    """

    always = MappingProxyType({"Require": "onvif-replay"})
    read_bytes = 0

    async def open(self, since: float, until: float) -> VideoTrack:
        """Connect, find the track, set it up and play from one moment to another (Unix s by the camera's clock).

        Raises:
            CameraError: `NO_RECORDING` if the camera has nothing of that time; other states as they are.
        """
        await self._connect()
        track = video_track(await self._describe())
        if track is None or track.codec not in _CODECS:
            found = "no pictures" if track is None else f"pictures of {track.codec[:40] or 'no named codec'}"
            raise self._error(CameraState.STREAM_DEAD, f"RTSP: its recording has {found}, not H.264 or H.265")
        await self._set_up(self._address_of(track.control))
        self._assembler = PictureAssembler(track.codec, track.rate)
        self._pictures: deque[ReplayedPicture] = deque()
        await self._play({"Range": f"clock={_utc(since)}-{_utc(until)}", "Rate-Control": "no", "Immediate": "yes"})
        return track

    async def next(self) -> ReplayedPicture:
        """The next picture.

        Raises:
            CameraError: the session has ended, or is silent.
        """
        while not self._pictures:
            packet = await self._packet()
            if packet is not None:
                self.read_bytes += len(packet.data)
                self._pictures.extend(self._assembler.take(packet.data))
        return self._pictures.popleft()

    def _failure(self, method: str, status: int) -> CameraError:
        if status == _INVALID_RANGE:
            return self._error(CameraState.NO_RECORDING, "RTSP: its recording has nothing of that time")
        return super()._failure(method, status)


def _utc(seconds: float) -> str:
    """A moment in UTC (RFC 2326 §3.7)."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S.%f}"[:-3] + "Z"
