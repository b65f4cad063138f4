"""Plays the camera's own recording to one client (ONVIF Streaming Specification §6): a range of time."""

import asyncio
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.simulators.camera.archive import Archive
from gateway.simulators.camera.playback import Picture
from gateway.simulators.camera.recording import Recording
from gateway.simulators.camera.rtp import NTP_EPOCH, RtpStream
from gateway.simulators.camera.rtsp.channel import Channel

FEATURE = "onvif-replay"
_CLOCK = re.compile(r"clock=(\d{8}T\d{6}(?:\.\d+)?Z)-(\d{8}T\d{6}(?:\.\d+)?Z)?$")
_PROFILE, _WORDS = 0xABAC, 3
_CLEAN, _ENDS, _BREAKS, _LAST = 0x80, 0x40, 0x20, 0x10
_MOST_WAITING, _PAUSE_SECONDS = 256 * 1024, 0.01


@dataclass(frozen=True, slots=True)
class Asked:
    """What PLAY asks for: from when to when, aware, and whether as fast as it goes."""

    since: datetime
    until: datetime
    hurries: bool


def asked_range(text: str, archive: Archive, *, hurries: bool) -> Asked | None:
    """A Range header in UTC (RFC 2326 §3.7) as far as the recording goes; None if nothing of it is there.

    Raises:
        ValueError: it is no such header.
    """
    begins, ends = archive.begins, archive.ends
    if not text:
        return Asked(begins, ends, hurries)
    match = _CLOCK.match(text.strip())
    if match is None:
        raise ValueError(f"no range of time: {text!r}")
    since = max(begins, _moment(match[1]))
    until = min(ends, _moment(match[2]) if match[2] else ends)
    return Asked(since, until, hurries) if since < until else None


def said_range(asked: Asked) -> str:
    """The Range header of the reply."""
    return f"clock={asked.since:%Y%m%dT%H%M%S.%fZ}-{asked.until:%Y%m%dT%H%M%S.%fZ}"


def _moment(text: str) -> datetime:
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.strptime(f"{whole}.{part[:6] or '0'}", "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)


class ReplaySession:
    """One client's replay; sends when `play` was called after `ask`."""

    def __init__(self, recording: Recording, archive: Archive, channel: Channel, hang_up: Callable[[], None]) -> None:
        self.channel = channel
        self.rtp = RtpStream()
        self._recording = recording
        self._archive = archive
        self._hang_up = hang_up
        self._asked: Asked | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_playing(self) -> bool:
        """Whether it is sending."""
        return self._sending is not None and not self._sending.done()

    def ask(self, asked: Asked) -> None:
        """What is to be sent next."""
        self.pause()
        self._asked = asked

    def play(self) -> None:
        """Begin to send what was asked for."""
        if self._asked is not None and not self.is_playing:
            self._sending = asyncio.create_task(self._send(self._asked), name="replay")

    def pause(self) -> None:
        """Send nothing until the next `play`."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def close(self) -> None:
        """End it and free its channel."""
        self.pause()
        self.channel.close()

    async def _send(self, asked: Asked) -> None:
        pictures = list(self._archive.pictures(self._recording, asked.since, asked.until))
        quirks = self._archive.quirks
        dies, stalls = quirks.value("replay-dies"), quirks.value("replay-stalls")
        if "replay-floods" in quirks:
            await self._flood()
        for number, (at, picture) in enumerate(pictures):
            if dies is not None and number >= dies:
                self._hang_up()
                return
            if stalls is not None and number >= stalls:
                return
            if number and not asked.hurries:
                await asyncio.sleep((at - pictures[number - 1][0]).total_seconds())
            await self._room()
            extension = self._extension(at, picture, first=not number, last=number + 1 == len(pictures))
            if "replay-timeless" in quirks:
                extension = b""
            self.channel.send_rtp(self.rtp.packets(picture.payloads, picture.timestamp, extension))

    async def _room(self) -> None:
        while self.channel.backlog > _MOST_WAITING:  # noqa: ASYNC110  # a transport tells nobody that it has room
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _flood(self) -> None:
        begins = self._archive.begins
        at, picture = next(self._archive.pictures(self._recording, begins, begins))
        extension = self._extension(at, picture, first=False, last=False)
        while True:
            await self._room()
            self.channel.send_rtp(self.rtp.packets(picture.payloads, picture.timestamp, extension))
            await asyncio.sleep(0)

    def _extension(self, at: datetime, picture: Picture, *, first: bool, last: bool) -> bytes:
        """The RTP header extension of replay: the time as in NTP, and what is particular about the picture."""
        unix = at.timestamp()
        seconds = int(unix)
        flags = _CLEAN * picture.keyframe | (_ENDS | _LAST) * last | _BREAKS * first
        return struct.pack(
            "!HHIIBBH", _PROFILE, _WORDS, seconds + NTP_EPOCH, int((unix - seconds) * 2**32), flags, 0, 0
        )
