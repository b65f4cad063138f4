"""Brings a part of a camera's own recording to the parent, as a clip: where our own packets had a gap."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

from gateway.cameras import (
    CameraError,
    CameraState,
    PasswordGuard,
    ReplayedPicture,
    ReplaySession,
    RtspDigest,
    Timeouts,
    Trust,
)
from gateway.cameras.replay import VideoTrack
from gateway.clock import SystemClock
from gateway.errors import GatewayError, PermanentError
from gateway.streams import TIMESCALE, FragmentWriter, RingPacket, StreamFormat
from gateway.vision.child import Outlet
from gateway.wire import (
    CLIP_PIECE_BYTES,
    CREDENTIALS_WRONG,
    NOT_PLAYABLE,
    NOT_RECORDED,
    UNREACHABLE,
    CameraAssigned,
    ChannelClosedError,
    ClipPiece,
    FetchRecording,
)

_LOG = logging.getLogger(__name__)
_REASONS = {
    CameraState.NO_RECORDING: NOT_RECORDED,
    CameraState.CREDENTIALS_WRONG: CREDENTIALS_WRONG,
    CameraState.UNREACHABLE: UNREACHABLE,
    CameraState.REFUSED: UNREACHABLE,
}
_TIMEOUTS = Timeouts(connect=3.0, read=10.0)
# A memory card may sleep before the first picture; behind the last that was asked for most cameras fall silent.
_FIRST_SECONDS, _SILENT_SECONDS, _DONE_SECONDS = 20.0, 10.0, 1.5
# What is missing, as `gateway.streams.ClipFollower` judges it.
_EDGE_SECONDS, _HOLE_SECONDS, _BACK_SECONDS = 0.5, 3.0, 2.0
_FRAGMENT_BYTES = 192 * 1024
_MOST_HELD, _MOST_HELD_BYTES = 10_000, 24 << 20
# No camera records more than 32 Mbit/s, nor replays slower than half as fast as it recorded.
_MOST_BYTES, _MOST_BYTES_PER_SECOND = 32 << 20, 4 << 20
_MOST_SECONDS, _SECONDS_PER_SECOND = 60.0, 2.0
# Slower than our own clips: presses and these go first.
_BYTES_PER_SECOND = 2 * 1024 * 1024


class ReplayWindow:
    """What of a replay is wanted: from the keyframe at or before one moment to another.

    Args:
        since, until: Unix seconds by the camera's clock.

    Attributes:
        over: nothing more is wanted.
        late_seconds, lost_seconds: what is missing of its beginning, and within.
    """

    def __init__(self, since: float, until: float) -> None:
        self._since, self._until = since, until
        self._held: list[RingPacket] = []
        self._held_bytes = 0
        self._first = 0.0
        self._newest: float | None = None
        self.over = False
        self.late_seconds = self.lost_seconds = 0.0

    @property
    def reached(self) -> bool:
        """Whether the end is there."""
        return self._newest is not None and self._newest >= self._until - _EDGE_SECONDS

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.reached and not (self.late_seconds or self.lost_seconds)

    def take(self, picture: ReplayedPicture) -> list[RingPacket]:
        """What is to be written because of a picture, in decoding order; the first ever is a keyframe.

        Raises:
            PermanentError: nothing can be made of it.
        """
        if picture.at is None:
            raise PermanentError("its replay does not tell of when its pictures are")
        if picture.at > self._until:
            self.over = picture.last or picture.at > self._until + _EDGE_SECONDS  # some are told out of their order
            return []
        if self._newest is not None and picture.at < self._newest - _BACK_SECONDS:
            self.over = True
            return []
        self.over = picture.last
        packet = RingPacket(picture.data, None, picture.keyframe, picture.at)
        if self._newest is None and picture.at <= self._since:
            self._hold(packet)
            return [] if not picture.last else self._begun()
        if self._held and picture.keyframe and self._held[-1].received < self._since - _HOLE_SECONDS:
            self._held = []  # nothing was recorded between, as of cameras that record on motion
        return [*self._begun(), *self._wanted(packet)]

    def _hold(self, packet: RingPacket) -> None:
        """Keep the group of pictures that may be the first."""
        if packet.keyframe:
            self._held, self._held_bytes = [], 0
        self._held.append(packet)
        self._held_bytes += len(packet.data)
        if self._held_bytes > _MOST_HELD_BYTES or len(self._held) > _MOST_HELD:
            raise PermanentError("its recording has too many pictures or bytes between two keyframes")

    def _begun(self) -> list[RingPacket]:
        held, self._held = self._held, []
        return [each for packet in held for each in self._wanted(packet)]

    def _wanted(self, packet: RingPacket) -> list[RingPacket]:
        at = packet.received
        if self._newest is None:
            self._first = self._newest = at
            self.late_seconds = at - self._since if at - self._since > _EDGE_SECONDS else 0.0
        if at - self._newest > _HOLE_SECONDS:
            self.lost_seconds += at - self._newest
        self._newest = max(self._newest, at)
        pts = round((at - self._first) * TIMESCALE)
        return [RingPacket(packet.data, pts, packet.keyframe, at)]


class RecordingFetch:
    """One part of one camera's recording; what it ends with is always said to the parent.

    Args:
        order: what is wanted.
        assigned: the camera.
        outlet: the way to the parent.
    """

    def __init__(self, order: FetchRecording, assigned: CameraAssigned, outlet: Outlet) -> None:
        self._order = order
        self._outlet = outlet
        where = f"camera {order.camera}"
        digest = RtspDigest(assigned.username, assigned.password) if assigned.username else None
        trust = Trust(assigned.tls_fingerprint, assigned.networks)
        guard = PasswordGuard(where, SystemClock())
        self._session = ReplaySession(order.url, digest, guard, trust, _TIMEOUTS, where)
        self._window = ReplayWindow(order.since, order.until)
        self._writer: FragmentWriter | None = None
        self._number, self._waiting = 0, 0

    async def run(self) -> None:
        """Bring it; ends by itself, whatever the camera does."""
        reason = NOT_PLAYABLE
        wanted = self._order.until - self._order.since
        try:
            async with asyncio.timeout(_MOST_SECONDS + _SECONDS_PER_SECOND * wanted):
                await self._fetch(_MOST_BYTES + _MOST_BYTES_PER_SECOND * wanted)
            reason = NOT_RECORDED
        except TimeoutError:
            self._note("it took too long")
        except CameraError as error:
            reason = _REASONS.get(error.state, NOT_PLAYABLE)
            self._note(error.what)
        except ChannelClosedError:
            return
        except GatewayError as error:
            self._note(error.what)
        except Exception as error:  # whatever a camera's bytes made of our libraries
            self._note(type(error).__name__)
        finally:
            with suppress(ChannelClosedError):
                await self._end(reason)
            await self._session.close()

    def _note(self, what: str) -> None:
        _LOG.info("camera %s: its own recording: %s", self._order.camera, what)

    async def _fetch(self, most_bytes: float) -> None:
        """Take pictures until nothing more is wanted, or comes.

        Raises:
            CameraError: the camera's fault, with its state.
            PermanentError: what it plays makes no clip.
        """
        track = await self._session.open(self._order.since, self._order.until)
        patience = _FIRST_SECONDS
        while not self._window.over and self._session.read_bytes < most_bytes:
            try:
                async with asyncio.timeout(patience):
                    picture = await self._session.next()
            except TimeoutError:
                return
            await self._write(self._window.take(picture), track)
            patience = _DONE_SECONDS if self._window.reached else _SILENT_SECONDS

    async def _write(self, packets: list[RingPacket], track: VideoTrack) -> None:
        if packets and self._writer is None:
            # The size is that of the first keyframe: the writer looks for it.
            format_ = StreamFormat(track.codec, 0, 0, Fraction(1, TIMESCALE), track.parameter_sets)
            self._writer = FragmentWriter(format_)
        if self._writer is not None:
            self._writer.add(packets)
            self._waiting += sum(len(packet.data) for packet in packets)
            if self._waiting >= _FRAGMENT_BYTES:
                self._waiting = 0
                await self._send(self._writer.cut())

    async def _end(self, reason: str) -> None:
        """Say that it is over, with what there is; why, if there is nothing."""
        try:
            if self._writer is not None:
                await self._send(self._writer.cut(last=True))
        except Exception as error:  # a first keyframe of which no header can be made
            self._note(type(error).__name__)
            reason = NOT_PLAYABLE
        cut_short = not (self._number and self._window.complete)
        await self._outlet.send_behind(
            self._piece(last=True, cut_short=cut_short, reason="" if self._number else reason)
        )

    async def _send(self, mp4: bytes) -> None:
        for piece in self._pieces(mp4):
            await self._outlet.send_behind(piece)
            self._number += 1
            await asyncio.sleep(len(piece.data) / _BYTES_PER_SECOND)

    def _pieces(self, mp4: bytes) -> Iterator[ClipPiece]:
        for begin in range(0, len(mp4), CLIP_PIECE_BYTES):
            end = begin + CLIP_PIECE_BYTES
            yield self._piece(mp4[begin:end], whole=end >= len(mp4))

    def _piece(
        self, data: bytes = b"", *, whole: bool = False, last: bool = False, cut_short: bool = False, reason: str = ""
    ) -> ClipPiece:
        order, window = self._order, self._window
        return ClipPiece(
            evidence=order.evidence,
            event=order.event,
            camera=order.camera,
            person=order.person,
            number=self._number,
            data=data,
            whole=whole,
            seconds=round(self._writer.ends / TIMESCALE, 3) if self._writer is not None else 0.0,
            last=last,
            cut_short=cut_short,
            late_seconds=round(window.late_seconds, 3),
            lost_seconds=round(window.lost_seconds, 3),
            trouble=reason,
            codec=self._writer.codecs if self._writer is not None else "",
            from_camera=True,
        )
