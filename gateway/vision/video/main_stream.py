"""The main stream of a camera whose sub-stream is looked at: decoded only while somebody is there to be cut from it."""

import logging

from gateway.clock import Clock
from gateway.streams import (
    Backoff,
    Frame,
    LatchSwitch,
    PacketRing,
    StreamCounters,
    StreamLive,
    StreamLost,
    StreamSource,
    StreamState,
    VideoStream,
)

_LOG = logging.getLogger(__name__)
# Farther apart, a face that walks has left the place where the sub-stream shows it.
_APART_SECONDS = 0.3


class MainStream:
    """Read all the time, for clips; its newest picture is at hand while the latch is open.

    Args:
        source: the main stream.
        clock: the gateway's.
        camera: the camera's id.
        ring: gets every packet, for clips.
        backoff: the pauses between attempts.
    """

    def __init__(
        self,
        source: StreamSource,
        clock: Clock,
        camera: str,
        ring: PacketRing | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._camera = camera
        self._latch = LatchSwitch()
        self._stream = VideoStream(
            source, clock=clock, name=f"{camera}-main", ring=ring, latch=self._latch, backoff=backoff
        )
        self._newest: Frame | None = None

    def start(self) -> None:
        """Begin to read."""
        self._stream.start()

    def stop(self) -> None:
        """End; waits for a reader that hangs as long as its timeouts are."""
        self._stream.stop()

    @property
    def state(self) -> StreamState:
        """How it is now: live also while nothing of it is decoded."""
        return self._stream.state

    @property
    def lost(self) -> str | None:
        """Why it is lost; empty while it is live, None while it is tried."""
        state = self._stream.state
        if isinstance(state, StreamLost):
            return state.reason.value if state.retry_seconds is not None else None
        return "" if isinstance(state, StreamLive) else None

    @property
    def counters(self) -> StreamCounters:
        """What was decoded of it and what that cost."""
        return self._stream.counters

    @property
    def refused_passwords(self) -> int:
        """How often the camera refused the password in a row."""
        return self._stream.refused_passwords

    @property
    def hangs(self) -> bool:
        """Whether its reader hangs in the library."""
        return self._stream.hangs

    @property
    def ended(self) -> bool:
        """Whether its reader is over."""
        return self._stream.ended

    def want(self, *, pictures: bool) -> None:
        """Open the latch while somebody is followed."""
        self._latch.want(pictures=pictures)
        if not pictures:
            self._newest = None

    def near(self, frame: Frame) -> Frame | None:
        """The main stream's picture of about the same moment; None if there is none yet."""
        found = self._stream.next(0)
        if isinstance(found, Frame):
            self._newest = found
        elif isinstance(found, StreamLost):
            self._newest = None
            _LOG.warning(
                "camera %s: the main stream is lost (%s). %s", self._camera, found.reason.value, found.reason.remedy
            )
        newest = self._newest
        return newest if newest is not None and abs(newest.received - frame.received) <= _APART_SECONDS else None
