"""One client's stream: numbers its packets, reports on them, and drops pictures when the client is too slow."""

import time
from collections.abc import Callable

from gateway.simulators.camera.playback import Picture, Playback
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.rtp import CLOCK_RATE, RtpStream
from gateway.simulators.camera.rtsp.channel import Channel

_REPORT_EVERY_SECONDS = 5.0
_JUMP = 3600 * CLOCK_RATE
_MAX_BACKLOG = 8 * 1024 * 1024


class StreamSession:
    """A viewer of a playback that sends it over a channel; `hang_up` ends the client's connection."""

    def __init__(self, playback: Playback, channel: Channel, quirks: Quirks, hang_up: Callable[[], None]) -> None:
        self.channel = channel
        self.rtp = RtpStream()
        self._playback = playback
        self._quirks = quirks
        self._hang_up = hang_up
        self._played_since: float | None = None
        self._reported_at = -_REPORT_EVERY_SECONDS
        self._skips_to_keyframe = False
        self._last: Picture | None = None

    @property
    def is_playing(self) -> bool:
        """Whether PLAY was asked and neither PAUSE nor the end came."""
        return self._played_since is not None

    def play(self) -> None:
        """Begin or go on to send, live."""
        if not self.is_playing:
            self._played_since = time.monotonic()
            self._playback.attach(self)

    def pause(self) -> None:
        """Send nothing until the next `play`."""
        self._playback.detach(self)
        self._played_since = None

    def close(self) -> None:
        """End the stream and free its channel."""
        self.pause()
        self.channel.close()

    def show(self, picture: Picture) -> None:
        """Send one picture, unless a quirk or a full buffer forbids it."""
        self._last = picture
        if self._is_over("stream-dies"):
            self._hang_up()
            return
        if not self._is_over("stall") and self._has_room(picture):
            self.channel.send_rtp(self.rtp.packets(picture.payloads, self._told_time(picture)))
        self._report(picture)

    def end(self) -> None:
        """Say goodbye: the recording is over."""
        if self._last is not None:
            self.channel.send_rtcp(self.rtp.bye(self._last.captured, self._last.timestamp))
        self._hang_up()

    def _is_over(self, quirk: str) -> bool:
        after = self._quirks.value(quirk)
        return after is not None and self._played_since is not None and time.monotonic() - self._played_since >= after

    def _told_time(self, picture: Picture) -> int:
        """The time of a picture as it is sent, which quirks bend."""
        if "rtp-stuck" in self._quirks:
            return 0
        return picture.timestamp + (_JUMP if self._is_over("rtp-jump") else 0)

    def _has_room(self, picture: Picture) -> bool:
        """After a drop, pictures are skipped up to the next keyframe: the rest could not be decoded."""
        if self.channel.backlog > _MAX_BACKLOG:
            self._skips_to_keyframe = True
        elif picture.keyframe:
            self._skips_to_keyframe = False
        return not self._skips_to_keyframe

    def _report(self, picture: Picture) -> None:
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_EVERY_SECONDS:
            self._reported_at = now
            self.channel.send_rtcp(self.rtp.sender_report(picture.captured, picture.timestamp))
