"""What this room needs of others: where the children's findings go and where the watch-list's rows come from."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.events import Event
from gateway.wire import (
    CameraDescribed,
    ClipPiece,
    ContactSaid,
    ContactsHeard,
    EvidencePicture,
    PassageOver,
    PassageStatistics,
    SealedRow,
)

# The newest revision of the watch-list and all its templates whose people have not expired.
RowSource = Callable[[], Awaitable[tuple[int, Sequence[SealedRow]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """Where findings go; the composition root binds it.

    A TransientError of one of them is tried again, any other GatewayError is logged and final.

    Attributes:
        on_report: journals events, in order and all or nothing; returns once they are durable.
        on_evidence: keeps a picture that belongs to an event that was reported before it.
        on_clip: takes the next piece of a clip without waiting; a clip whose child is gone gets a last piece, too.
        on_passage: notes that who was warned of has gone; the second argument is when that was said.
        on_statistics: adds up an hour's passages of one camera.
        on_described: notes what a camera said of itself.
        on_contact: takes how a camera's dry contact is, which may be an alarm button; returns once that is durable.
        on_heard: notes whether a camera's contacts are heard.
    """

    on_report: Callable[[Sequence[Event]], Awaitable[object]]
    on_evidence: Callable[[EvidencePicture], Awaitable[object]]
    on_clip: Callable[[ClipPiece], None]
    on_passage: Callable[[PassageOver, datetime], Awaitable[object]]
    on_statistics: Callable[[PassageStatistics], Awaitable[object]]
    on_described: Callable[[CameraDescribed], Awaitable[object]]
    on_contact: Callable[[ContactSaid], Awaitable[object]]
    on_heard: Callable[[ContactsHeard], Awaitable[object]]
