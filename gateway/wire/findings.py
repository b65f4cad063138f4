"""What a video child has seen: events, pictures, clips, counts."""

from dataclasses import dataclass, field

from gateway.wire.message import Message

CLIP_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Message):
    """Child to parent: an event that happened, as CloudEvents JSON; the parent journals it."""

    event: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSaid(Message):
    """Devices child to parent: how a camera's dry contact is; it may be an alarm button.

    Attributes:
        input: the contact's token; empty if the camera does not say which.
        active: as the camera says it.
        initial: it is so when the camera is heard again; nobody saw it change.
        at: when, in Unix seconds by this machine's clock.
    """

    camera: str
    input: str
    active: bool
    initial: bool
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsHeard(Message):
    """Devices child to parent, again and again: whether a camera's contacts can be heard, and if not why.

    Attributes:
        by: the way by which its events come: pull, push or metadata; empty while it is not heard.
    """

    camera: str
    heard: bool
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePicture(Message):
    """Child to parent, behind its report: a picture that belongs to the event.

    Attributes:
        evidence: id of the piece of evidence.
        event: id of the event.
        person: watch-list person whose evidence key seals it; empty if nobody's.
        kind: crop or scene.
        jpeg: the picture.
    """

    evidence: str
    event: str
    camera: str
    person: str
    kind: str
    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest(Message):
    """Parent to video child: record a clip around an event that is not the child's own, such as a press.

    Attributes:
        evidence: id that the clip is to have.
        event: id of the event.
        ago_seconds: how long ago the event was when this was sent.
    """

    evidence: str
    event: str
    camera: str
    ago_seconds: float = 0.0

    def refused(self, why: str) -> "ClipPiece":
        """What to say if no clip is begun for it."""
        return ClipPiece(
            evidence=self.evidence,
            event=self.event,
            camera=self.camera,
            person="",
            number=0,
            data=b"",
            last=True,
            cut_short=True,
            trouble=why,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPiece(Message):
    """Child to parent, as a clip grows: the next bytes of fragmented MP4, at most `CLIP_PIECE_BYTES`.

    Attributes:
        evidence: id of the clip; the same in all its pieces.
        event: id of the event.
        person: watch-list person whose evidence key seals it; empty if nobody's.
        number: counts the clip's pieces from 0.
        data: empty in a last piece that only says that the clip is over.
        whole: with this piece the clip is playable to its end.
        seconds: what the clip lasts up to the last whole piece.
        last: no piece follows.
        cut_short: with `last`: something of the clip is missing.
        late_seconds: what is missing of its beginning, so far as is known.
        lost_seconds: what is missing within, up to here.
        codec: what a browser must know to play it (RFC 6381), as ``hvc1.1.6.L93.B0``.
        others: with `last`: it may show people who are on no list; False if who was seen in all of it is on one.
        trouble: with `last`: why the clip is given up; empty if it is not.
        from_camera: it is the camera's own recording, asked for by `FetchRecording`; `trouble` is one of its reasons.
    """

    evidence: str
    event: str
    camera: str
    person: str
    number: int
    data: bytes = field(repr=False)
    whole: bool = False
    seconds: float = 0.0
    last: bool = False
    cut_short: bool = False
    late_seconds: float = 0.0
    lost_seconds: float = 0.0
    codec: str = ""
    others: bool = True
    trouble: str = ""
    from_camera: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageOver(Message):
    """Video child to parent: who was warned of has gone; of anybody else nothing is said.

    Attributes:
        events: ids of the passage's matches.
        first_ago_seconds, last_ago_seconds: how long ago its first and its last face was seen when this was sent.
    """

    camera: str
    events: tuple[str, ...]
    first_ago_seconds: float
    last_ago_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackDistances:
    """How near tracks came by one rule: counts in bins of 0.01 from 0 to 1.5, the last bin holds the rest.

    Attributes:
        size: of the faces: small (under 40 px) or full.
        rule: look, median, mean or track (ISO/IEC 19795-1: best scores of non-mated searches).
    """

    size: str
    rule: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageStatistics(Message):
    """Video child to parent, hourly and in sum: how near passers-by came; no passage, template or time of one.

    Attributes:
        passages: visits that ended since the last message; `warned` of them were warned of and are in no histogram.
        seconds: how long was counted.
        people: on the list that they were compared with.
        model: fingerprint of the face network.
    """

    camera: str
    passages: int
    warned: int
    seconds: float = 0.0
    people: int = 0
    model: str = ""
    distances: tuple[TrackDistances, ...] = ()
