"""The metadata track: which profiles have one, and who is sent the events in it (ONVIF Streaming §5.1.2.1)."""

import asyncio
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.simulators.camera.onvif import notification
from gateway.simulators.camera.onvif.device import MetadataSettings
from gateway.simulators.camera.onvif.happenings import Happening, Happenings
from gateway.simulators.camera.quirks import Quirks
from gateway.simulators.camera.rtp import CLOCK_RATE, RtpStream
from gateway.simulators.camera.rtsp.channel import Channel

PAYLOAD_TYPE = 107
TRACK = "trackID=1"
_MOST_PAYLOAD = 1400
_MAX_BACKLOG = 1024 * 1024
_NAMESPACES = (
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:acme="http://simulated.invalid/topics"'
)


def document(happenings: list[Happening], quirks: Quirks) -> bytes:
    """A tt:MetadataStream with events, compressed if a quirk asks for it."""
    messages = "".join(notification.message(each, quirks) for each in happenings)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<tt:MetadataStream {_NAMESPACES}><tt:Event>{messages}</tt:Event>'
        "</tt:MetadataStream>"
    )
    return gzip.compress(text.encode()) if "metadata-gzip" in quirks else text.encode()


def pieces(content: bytes, limit: int = _MOST_PAYLOAD) -> tuple[bytes, ...]:
    """The RTP payloads of one document; the marker is to be on the last."""
    return tuple(content[start : start + limit] for start in range(0, len(content), limit))


@dataclass(slots=True)
class MetadataTrack:
    """One camera's metadata.

    Args:
        happenings: the events.
        settings: which profiles have metadata, and whether with events.
        quirks: what it does wrong.

    Attributes:
        sessions: those that play.
    """

    happenings: Happenings
    settings: MetadataSettings
    quirks: Quirks
    sessions: "set[MetadataSession]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self.settings.synchronize = self.synchronize

    @property
    def encoding(self) -> str:
        """As in the description of the stream."""
        return "vnd.onvif.metadata.gzip" if "metadata-gzip" in self.quirks else "vnd.onvif.metadata"

    def is_offered(self, path: str) -> bool:
        """Whether the profile behind an RTSP path has metadata."""
        return f"profile_{path.strip('/')}" in self.settings.profiles

    def describe(self) -> bytes:
        """Its part of the stream's description."""
        lines = (
            f"m=application 0 RTP/AVP {PAYLOAD_TYPE}",
            f"a=rtpmap:{PAYLOAD_TYPE} {self.encoding}/{CLOCK_RATE}",
            "a=recvonly",
            f"a=control:{TRACK}",
        )
        return ("\r\n".join(lines) + "\r\n").encode()

    def synchronize(self) -> None:
        """Tell all states anew to everybody."""
        for session in tuple(self.sessions):
            session.tell(self.happenings.initial())


class MetadataSession:
    """One client's metadata over a channel; `hang_up` ends the client's connection."""

    def __init__(self, track: MetadataTrack, channel: Channel, hang_up: Callable[[], None]) -> None:
        self.channel = channel
        self.rtp = RtpStream(payload_type=PAYLOAD_TYPE)
        self._track = track
        self.hang_up = hang_up
        self._began = time.monotonic()
        self._stop_listening: Callable[[], None] = lambda: None
        self._end: asyncio.TimerHandle | None = None

    def play(self) -> None:
        """Begin to send: first all states."""
        if self in self._track.sessions:
            return
        self._began = time.monotonic()
        self._track.sessions.add(self)
        self._stop_listening = self._track.happenings.listen(lambda each: self.tell([each]))
        dies = self._track.quirks.value("stream-dies")
        if dies is not None:
            self._end = asyncio.get_running_loop().call_later(dies, self.hang_up)
        self.tell(self._track.happenings.initial())

    def pause(self) -> None:
        """Send nothing until the next `play`."""
        self._stop_listening()
        self._track.sessions.discard(self)
        if self._end is not None:
            self._end.cancel()

    def close(self) -> None:
        """End it and free its channel."""
        self.pause()
        self.channel.close()

    def tell(self, happenings: list[Happening]) -> None:
        """Send one document, if events are configured and the client takes what was sent before."""
        stalls = self._track.quirks.value("stall")
        elapsed = time.monotonic() - self._began
        stalled = stalls is not None and elapsed >= stalls
        if self._track.settings.events and not stalled and self.channel.backlog <= _MAX_BACKLOG:
            content = document(happenings, self._track.quirks)
            self.channel.send_rtp(self.rtp.packets(pieces(content), round(elapsed * CLOCK_RATE)))
