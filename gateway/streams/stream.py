"""A camera's stream or a recording, kept open by one thread: the newest frame, the state, the counts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from av.video.frame import VideoFrame

from gateway.clock import Clock
from gateway.streams.backoff import Backoff
from gateway.streams.board import Board, StreamCounters
from gateway.streams.frame import Converter, Frame
from gateway.streams.latch import Latch, LatchSwitch
from gateway.streams.loss import StreamFaultError, opening_reason, reading_reason
from gateway.streams.ring import PacketRing
from gateway.streams.saver import Decode, Decoded, PacketPicker, Restart, Saver
from gateway.streams.session import Session, opened
from gateway.streams.source import StreamSource
from gateway.streams.sparing import RestSwitch, Sparing
from gateway.streams.states import LossReason, StreamLive, StreamLost, StreamState
from gateway.streams.timeline import ClockWatch, Pace, Timeline
from gateway.streams.watchdog import GRACE_SECONDS, Watchdog

# Live for so long, the next loss begins with short pauses again.
_PROVEN_SECONDS = 10.0
# A looker that takes longer for one picture that is made up for loses the rest of them, not the live stream.
_BACKLOG_SECONDS = 2.0
# A stream whose clock stands is opened anew at once, for that mends some cameras, and then once in so long: clips and
# looks can do without its clock, but not without its pictures.
_CLOCK_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why a session ended; final if none will follow."""

    reason: LossReason
    detail: str = ""
    is_final: bool = False


class VideoStream:
    """Reads a source in a thread of its own and reconnects for ever; the newest frame wins.

    That thread alone opens, reads and closes the container. Memory is bounded: one frame waits, and the ring's bytes.

    Args:
        source: what to read.
        clock: for states, ages and the pace of recordings.
        name: the camera's id; names the thread.
        ring: gets every packet, for clips.
        sparing: how decoding is saved while the scene is still; None decodes all.
        latch: if given, instead: only while it is open anything is decoded.
        backoff: the pauses between attempts.

    Attributes:
        certificate: what a camera with TLS showed when it was opened last, in DER; else empty.
    """

    def __init__(
        self,
        source: StreamSource,
        *,
        clock: Clock,
        name: str = "stream",
        ring: PacketRing | None = None,
        sparing: Sparing | None = None,
        latch: LatchSwitch | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._ring = ring
        self._sparing, self._latch = sparing, latch
        self._switch = RestSwitch()
        self._backoff = backoff or Backoff()
        self._board = Board(clock)
        self._stopping = threading.Event()
        self._timeline, self._converter = Timeline(), Converter()
        self._pace = Pace()
        self._watchdog = Watchdog(source, clock)
        self._number = 0
        self._clock_doubted = False
        self.certificate = b""
        # A daemon: a reader that hangs in the library must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name=f"{name}-reader", daemon=True)

    def start(self) -> None:
        """Begin to connect; may be called once."""
        self._thread.start()

    def stop(self) -> bool:
        """End the reader; waits at most the longer of the source's timeouts.

        Returns:
            Whether it ended. If not, it hangs in the library and only the end of the process frees it.
        """
        self._stopping.set()
        if self._thread.ident is not None:
            longest = max(self._source.open_timeout_seconds, self._source.read_timeout_seconds)
            self._thread.join(longest + GRACE_SECONDS)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def next(self, timeout: float) -> Frame | StreamLost | None:
        """The newest frame not yet taken, or a loss not yet told; waits at most `timeout` seconds.

        A loss is told once per reason, before any later frame; a frame after it says that the stream is back, but for
        one whose clock stood still: that is back when its state is live, which takes a clock that goes on.

        Returns:
            None if nothing came in time, or the stream was stopped.
        """
        found = self._board.take(timeout)
        if found is None and self._is_overdue():
            # The reader's own timeouts did not fire: it hangs in the library.
            self._board.lost(LossReason.STALLED, self._backoff.failures, 0.0)
            found = self._board.take(0)
        return found

    def spare(self, *, still: bool, somebody: bool = False) -> None:
        """Say whether the scene is still and whether a face is followed.

        Of a still scene's groups of pictures the rest is left out from the next keyframe on (`Saver`), until something
        moves; then what was left out is decoded and handed over in order (`Frame.backlog`). Without a `sparing` it has
        no effect.
        """
        self._switch.ask(rest=still, somebody=somebody)

    @property
    def resting(self) -> bool:
        """Whether something of each group of pictures is left out now."""
        return self._switch.resting

    @property
    def wakes(self) -> int:
        """How often motion ended a rest."""
        return self._switch.wakes

    @property
    def refused_passwords(self) -> int:
        """How often the camera refused the password in a row."""
        return self._backoff.refused_passwords

    @property
    def hangs(self) -> bool:
        """Whether the reader hangs in the library, so that only the end of the process frees it."""
        return self._watchdog.hangs

    @property
    def ended(self) -> bool:
        """Whether the reader's thread is over, or never began."""
        return not self._thread.is_alive()

    @property
    def state(self) -> StreamState:
        """How the stream is now."""
        return self._board.state

    @property
    def counters(self) -> StreamCounters:
        """What was counted since it was made."""
        return self._board.counters

    @property
    def frame_age_seconds(self) -> float | None:
        """Seconds since the newest frame was decoded; None if there was none yet."""
        return self._board.frame_age()

    def _is_overdue(self) -> bool:
        age = self._board.silence()
        limit = self._source.read_timeout_seconds + GRACE_SECONDS
        live = not self._source.is_recording and isinstance(self._board.state, StreamLive)
        return live and age is not None and age > limit

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                ending = self._attempt()
                self._watchdog.outside()
                if ending is None:
                    continue
                if ending.is_final:
                    self._board.lost(ending.reason, self._backoff.failures, None)
                    return
                pause = self._backoff.fail(ending.reason)
                self._board.lost(ending.reason, self._backoff.failures, pause, ending.detail)
                self._stopping.wait(pause)
        finally:
            self._watchdog.outside()
            if self._ring is not None:
                self._ring.close()
            self._board.stopped()

    def _attempt(self) -> _Ending | None:
        """One session; None if the next one is to begin at once."""
        self._board.connecting(self._backoff.failures + 1)
        begun = self._clock.monotonic()
        session_began: float | None = None
        shown = False
        self._watchdog.opening()
        try:
            with opened(self._source, self._note_certificate) as container:
                self._watchdog.reading()
                session = Session(
                    container, self._ring, self._clock.monotonic, self._board.count_corrupt, self._picker()
                )
                session_began = self._clock.monotonic()
                shown = self._play(session)
        except Exception as error:  # a camera's reader must outlive whatever the library raises
            return self._broken(error, begun, session_began)
        self._forgive(self._clock.monotonic() - session_began)
        if self._stopping.is_set() or (shown and self._source.is_recording and self._source.loop):
            return None
        return _Ending(LossReason.ENDED, is_final=shown and self._source.is_recording)

    def _picker(self) -> Callable[[Decode, Restart], PacketPicker] | None:
        if self._latch is not None:
            return partial(Latch, self._latch)
        return partial(Saver, self._sparing, self._switch) if self._sparing is not None else None

    def _broken(self, error: Exception, begun: float, session_began: float | None) -> _Ending:
        now = self._clock.monotonic()
        detail = type(error).__name__
        if session_began is None:
            return _Ending(opening_reason(error, now - begun, self._source.open_timeout_seconds), detail)
        reason = reading_reason(error)
        self._forgive(now - session_began)
        self._clock_doubted = self._clock_doubted or reason is LossReason.CLOCK_STUCK
        return _Ending(reason, detail)

    def _note_certificate(self, shown: bytes) -> None:
        self.certificate = shown

    def _forgive(self, live_seconds: float) -> None:
        if live_seconds >= _PROVEN_SECONDS:
            self._backoff.succeed()

    def _play(self, session: Session) -> bool:
        """Hand over a session's pictures until it ends or is to stop; whether there were any."""
        self._timeline.new_session()
        # Pictures come in another order than packets, and those that are made up for behind newer packets.
        stuck_seconds = _CLOCK_SECONDS if self._clock_doubted else self._source.read_timeout_seconds
        watches = {left_out: ClockWatch(stuck_seconds) for left_out in (True, False)}
        came = self._clock.monotonic()
        shown = False
        for decoded in session.pictures():
            self._watchdog.reading()
            if self._stopping.is_set():
                break
            now = self._clock.monotonic()
            self._check_clock(watches[decoded.picture is None], decoded, now)
            if decoded.resting:
                came, shown = now, True
                self._rest(decoded, now, session)
            if decoded.picture is None:
                self._check_age(now - came)
                continue
            frame = self._frame(decoded, decoded.picture)
            came = now
            shown = True
            self._board.put(frame, session.codec, decoded.cost_ms, doubted=self._clock_doubted)
            if frame.backlog:
                self._board.wait_until_taken(_BACKLOG_SECONDS, self._stopping)
        return shown

    def _check_clock(self, watch: ClockWatch, decoded: Decoded, now: float) -> None:
        """Where no picture is decoded, the packet's time tells; a recording's times are its own business."""
        if not self._source.is_recording:
            watch.check(decoded.time if decoded.picture is None else decoded.picture.time, now)
            self._clock_doubted = self._clock_doubted and not watch.goes

    def _rest(self, decoded: Decoded, now: float, session: Session) -> None:
        """A packet that was left out: the stream lives, and a recording keeps its pace."""
        self._board.skip(now, *session.size, session.codec, doubted=self._clock_doubted)
        if self._source.is_recording and decoded.time is not None:
            seconds = self._timeline.of(decoded.time)
            self._stopping.wait(self._pace.wait_seconds(seconds, now))

    def _check_age(self, age: float) -> None:
        """Packets come but no pictures: no timeout of the library sees that."""
        if age > self._source.read_timeout_seconds:
            raise StreamFaultError(LossReason.STALLED)

    def _frame(self, decoded: Decoded, picture: VideoFrame) -> Frame:
        """The frame, held back to its time if it is a recording's."""
        received = decoded.arrived
        media = None if self._clock_doubted else picture.time
        seconds = self._timeline.place(media, received, live=not self._source.is_recording)
        if self._source.is_recording and not decoded.backlog:
            self._stopping.wait(self._pace.wait_seconds(seconds, self._clock.monotonic()))
            received = self._clock.monotonic()
        self._number += 1
        width, height = picture.width, picture.height
        return Frame(seconds, received, self._number, width, height, picture, self._converter, decoded.backlog)
