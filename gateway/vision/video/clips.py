"""Records the clips of one camera: from its ring to the parent in pieces, behind everything that is more urgent."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.errors import GatewayError, PermanentError
from gateway.events import new_id
from gateway.settings import EvidenceSettings, VisionSettings
from gateway.streams import ClipFollower, ClipFragment, PacketRing
from gateway.vision.child import Outlet
from gateway.wire import CLIP_PIECE_BYTES, ChannelClosedError, ClipPiece, ClipRequest, EvidencePicture, Message

_LOG = logging.getLogger(__name__)
# At once: so many passers-by cannot take a press's clip away.
_MOST_OF_MATCHES, _MOST_OF_PRESSES = 4, 8
# A clip's past crosses the wall no faster, so that the parent's loop has time for presses between two pieces.
_BYTES_PER_SECOND = 8 * 1024 * 1024
# A match is decided, and a press is heard of, a little after the moment.
_SLACK_SECONDS = 5.0
_STOP_SECONDS = 1.0


# Whether somebody who is on no list may have been there between two moments (monotonic s).
Strangers = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a clip belongs to."""

    evidence: str
    event: str
    person: str


class ClipRecorder:
    """One camera's ring of packets and the clips that are being made of it, each by a thread of its own.

    Args:
        camera: its id.
        vision: how much memory the ring takes.
        evidence: how long clips are.
        outlet: the way to the parent.
        clock: the child's.
        strangers: who was seen there.
    """

    def __init__(
        self,
        camera: str,
        vision: VisionSettings,
        evidence: EvidenceSettings,
        outlet: Outlet,
        clock: Clock,
        strangers: Strangers,
    ) -> None:
        self._camera = camera
        self._evidence = evidence
        self._outlet = outlet
        self._clock = clock
        self._strangers = strangers
        self._stopping = threading.Event()
        self._threads: dict[threading.Thread, _Subject] = {}
        self._lock = threading.Lock()
        reach = evidence.clip_before_seconds + _SLACK_SECONDS
        self.ring = PacketRing(seconds=reach, max_bytes=vision.ring_megabytes << 20) if evidence.clips else None

    def follow(self, messages: Iterable[Message]) -> tuple[ClipPiece, ...]:
        """Record a clip for each picture of a match among the messages that were just sent; what to say if none is."""
        subjects = [
            _Subject(new_id(), each.event, each.person)
            for each in messages
            if isinstance(each, EvidencePicture) and each.person
        ]
        return tuple(refusal for each in subjects for refusal in self._start(each, ago=0.0))

    def record(self, request: ClipRequest) -> tuple[ClipPiece, ...]:
        """Record a clip that the parent asks for; what to say if none is."""
        return self._start(_Subject(request.evidence, request.event, ""), ago=request.ago_seconds)

    def stop(self) -> None:
        """End all clips with what there is."""
        self._stopping.set()
        for thread in tuple(self._threads):
            thread.join(_STOP_SECONDS)

    def _start(self, subject: _Subject, *, ago: float) -> tuple[ClipPiece, ...]:
        if self.ring is None:
            return ()
        at = self._clock.monotonic() - ago
        with self._lock:
            self._threads = {thread: of for thread, of in self._threads.items() if thread.is_alive()}
            most = _MOST_OF_MATCHES if subject.person else _MOST_OF_PRESSES
            if sum(bool(each.person) == bool(subject.person) for each in self._threads.values()) >= most:
                return (self._refusal(subject, f"{most} clips of its kind are being recorded already"),)
            thread = threading.Thread(
                target=self._run, args=(self.ring, subject, at), name=f"{self._camera}-clip", daemon=True
            )
            self._threads[thread] = subject
            thread.start()
            return ()

    def _run(self, ring: PacketRing, subject: _Subject, at: float) -> None:
        follower = ClipFollower(
            ring,
            at=at,
            before=self._evidence.clip_before_seconds,
            after=self._evidence.clip_after_seconds,
            stop=self._stopping,
            now=self._clock.monotonic,
        )
        try:
            self._send(follower, subject)
        except ChannelClosedError:
            return
        except GatewayError as error:
            self._refuse(subject, str(error))
        except Exception:  # a fault in a clip must not go unsaid, and must not end its siblings
            _LOG.exception("camera %s: a clip failed", self._camera)

    def _refusal(self, subject: _Subject, why: str) -> ClipPiece:
        return replace(self._piece(subject, 0, seconds=0.0), last=True, cut_short=True, trouble=why)

    def _refuse(self, subject: _Subject, why: str) -> None:
        """From a clip's own thread, before its first piece."""
        with suppress(ChannelClosedError):
            self._outlet.post_behind(self._refusal(subject, why))

    def _send(self, follower: ClipFollower, subject: _Subject) -> None:
        number, seconds = 0, 0.0
        try:
            for fragment in follower.fragments():
                seconds = fragment.seconds
                for piece in self._pieces(fragment, subject, number):
                    self._outlet.post_behind(_described(piece, follower))
                    number += 1
                    self._stopping.wait(len(piece.data) / _BYTES_PER_SECOND)
        except Exception as error:  # before the first piece nobody would ever hear of this clip
            if number or isinstance(error, GatewayError):
                raise
            _LOG.exception("camera %s: a clip could not begin", self._camera)
            raise PermanentError(f"no clip can be made of this stream ({type(error).__name__})") from None
        finally:
            if number:
                last = replace(
                    self._piece(subject, number, seconds=seconds), last=True, cut_short=not follower.complete
                )
                others = self._strangers(follower.begins, follower.ends)
                self._outlet.post_behind(_described(replace(last, others=others), follower))
        if not number:
            raise PermanentError("no picture came")

    def _pieces(self, fragment: ClipFragment, subject: _Subject, number: int) -> Iterator[ClipPiece]:
        size = len(fragment.mp4)
        for begin in range(0, size, CLIP_PIECE_BYTES):
            end = begin + CLIP_PIECE_BYTES
            data = fragment.mp4[begin:end]
            yield self._piece(subject, number, data=data, whole=end >= size, seconds=fragment.seconds)
            number += 1

    def _piece(
        self,
        subject: _Subject,
        number: int,
        *,
        seconds: float,
        data: bytes = b"",
        whole: bool = False,
    ) -> ClipPiece:
        return ClipPiece(
            evidence=subject.evidence,
            event=subject.event,
            camera=self._camera,
            person=subject.person,
            number=number,
            data=data,
            whole=whole,
            seconds=round(seconds, 3),
        )


def _described(piece: ClipPiece, follower: ClipFollower) -> ClipPiece:
    return replace(
        piece,
        late_seconds=round(follower.late_seconds, 3),
        lost_seconds=round(follower.lost_seconds, 3),
        codec=follower.codecs,
    )
