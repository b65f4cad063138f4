"""Everything that may cross the wall between the alarm house and the vision house, as frozen values."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings

CLIP_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The root of all messages; `REQUEST` of the subclasses pairs a reply with its request."""

    FDS: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """Parent to child, first: who the child is and what it works with.

    Attributes:
        role: video, devices or gallery.
        worker: the child's name, such as ``video-1``.
        site: for the sources of its events.
        models_directory: where model files and caches are.
        people_key: the key that opens wrapped person keys; for the gallery child alone, else empty.
        evidence: how long clips are.
    """

    role: str
    worker: str
    site: str
    vision: VisionSettings
    matching: MatchingSettings
    models_directory: str
    people_key: bytes = b""
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Message):
    """Child to parent, once: it can work; `detail` says with what (detector, model)."""

    worker: str
    detail: str = ""
    detector: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Message):
    """Parent to child: end in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """One camera as its child sees it.

    Attributes:
        state: connecting, live, lost or idle.
        reason: the named reason of a loss, free of secrets.
        width, height: of the picture in pixels; 0 if unknown.
        frames_seen, frames_looked, frames_skipped: since the child started.
        looks_per_second, frames_per_second: looked at and decoded over the last heartbeat.
        frame_age_ms: age of the newest frame; negative if there is none.
        decode_ms, detect_ms, embed_ms: mean CPU milliseconds per frame, look and face lately.
        passages: visits that ended since the child started.
        frames_rested: packets not decoded because the scene was still; resting: whether it is so now.
        gate_asked, gate_moved: how often the motion gate was asked, and how often something moved.
        gate: never_shuts or never_opens if it seems to hang; else empty.
        decision_age_ms, decision_age_p95_ms: age of the picture when its look was done, lately; negative if unknown.
    """

    camera: str
    state: str
    reason: str = ""
    width: int = 0
    height: int = 0
    frames_seen: int = 0
    frames_looked: int = 0
    frames_skipped: int = 0
    looks_per_second: float = 0.0
    frames_per_second: float = 0.0
    frame_age_ms: float = -1.0
    decode_ms: float = 0.0
    detect_ms: float = 0.0
    embed_ms: float = 0.0
    passages: int = 0
    frames_rested: int = 0
    resting: bool = False
    gate_asked: int = 0
    gate_moved: int = 0
    gate: str = ""
    decision_age_ms: float = -1.0
    decision_age_p95_ms: float = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Message):
    """Child to parent, each `vision.heartbeat_seconds`: it lives, and how its cameras are."""

    worker: str
    cameras: tuple[CameraStatus, ...] = ()
    resident_megabytes: float = 0.0
    list_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Message):
    """Child to parent: an event that happened, as CloudEvents JSON; the parent journals it."""

    event: bytes


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
        cut_short: with `last`: the stream ended before the clip did.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAssigned(Message):
    """Parent to video or devices child: this camera is yours; again for the same id replaces it.

    Attributes:
        url: as configured: ``onvif://``, ``rtsp://`` or ``file://``, without credentials.
        sub_url: of the sub-stream, if it is configured.
    """

    camera: str
    name: str
    place: str
    url: str
    watch_faces: bool
    loop: bool
    looks_per_second: float
    sub_url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraWithdrawn(Message):
    """Parent to child: this camera is no longer yours."""

    camera: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAddress(Message):
    """Devices child to parent to video child: where an ONVIF camera streams; no credentials in `url`."""

    camera: str
    url: str
    sub_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLost(Message):
    """Video child to parent to devices child: the address no longer works; please look again."""

    camera: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDescribed(Message):
    """Devices child to parent: what an ONVIF camera said of itself, or why it could not be asked.

    Attributes:
        state: ok, unreachable, refused, not_onvif, credentials_wrong, clock_off, no_media_profile or stream_dead.
        description: manufacturer, model, firmware, serial, profiles, clock offset, as JSON values.
    """

    camera: str
    state: str
    remedy: str = ""
    description: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest(Message):
    """Parent to child, on the channel of pictures: the newest picture, at most `width` pixels wide."""

    request: int
    camera: str
    width: int = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReply(Message):
    """Child to parent, on the channel of pictures: a JPEG, or why there is none."""

    request: int
    camera: str
    jpeg: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """One template as it lies in the store: only the gallery child can open it.

    Attributes:
        person, photo: ids; both are in the seal's associated data.
        wrapped_key: the person's key, wrapped under the people key.
        template: the sealed template (float32, little-endian).
        fingerprint: of the model that made it; another model's is never compared.
    """

    person: str
    category: str
    photo: str
    wrapped_key: bytes
    template: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryRows(Message):
    """Parent to gallery child: one bounded chunk of the watch-list of revision `revision`."""

    revision: int
    first: bool
    last: bool
    rows: tuple[SealedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySnapshot(Message):
    """Gallery child to parent to video children, with one descriptor: the sealed shared memory of a revision.

    The memory may be that of the last revision, filled further.

    Attributes:
        skipped: rows that were left out (another model's, or unreadable).
        rows: up to where its templates may be read, with those that were removed; `numbered` likewise its people.
    """

    FDS: ClassVar[int] = 1

    revision: int
    people: int
    templates: int
    size: int
    fingerprint: str
    skipped: int = 0
    rows: int = 0
    numbered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryApplied(Message):
    """Video child to parent: it compares with this revision from the next frame on."""

    worker: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDistance:
    """A person of the watch-list and the distance of the best template."""

    person: str
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest(Message):
    """Parent to gallery child: make a template of an enrolment photo.

    Attributes:
        wrapped_key: the person's wrapped key; empty for a new person, then the reply brings one.
    """

    request: int
    person: str
    photo: str
    wrapped_key: bytes
    image: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedReply(Message):
    """Gallery child to parent: the sealed template and photo, or why the photo is refused.

    Attributes:
        refusal: empty if accepted; else not_an_image, no_face, several_faces, too_small, blurred or look_alike.
        detail: the refusal in words with figures.
        quality: the parts of the face's quality, 0 to 1, and its height in pixels.
        look_alikes: people of the list that the face is near to.
    """

    request: int
    refusal: str = ""
    detail: str = ""
    quality: dict[str, float] = field(default_factory=dict)
    wrapped_key: bytes = b""
    template: bytes = b""
    sealed_photo: bytes = b""
    fingerprint: str = ""
    look_alikes: tuple[PersonDistance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRequest(Message):
    """Parent to gallery child: open this enrolment photo for somebody who may see it."""

    request: int
    person: str
    photo: str
    wrapped_key: bytes
    sealed_photo: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoReply(Message):
    """Gallery child to parent: the photo as JPEG, or why it cannot be opened."""

    request: int
    jpeg: bytes = b""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReembedRequest(Message):
    """Parent to gallery child: make the template of an enrolled photo anew, by the model configured now."""

    request: int
    person: str
    photo: str
    wrapped_key: bytes
    sealed_photo: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReembedReply(Message):
    """Gallery child to parent: the sealed template, or why there is none.

    Attributes:
        refusal: empty if made; else key_unusable, not_an_image, no_face or several_faces.
        detail: the refusal in words.
        quality: the parts of the face's quality, 0 to 1, and its height in pixels.
    """

    request: int
    refusal: str = ""
    detail: str = ""
    quality: dict[str, float] = field(default_factory=dict)
    template: bytes = b""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyRequest(Message):
    """Parent to gallery child: who on the list is near the one face of this photo; nothing is kept."""

    request: int
    image: bytes = field(repr=False)
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyReply(Message):
    """Gallery child to parent: the nearest people in order, or why the photo cannot be used."""

    request: int
    refusal: str = ""
    detail: str = ""
    quality: dict[str, float] = field(default_factory=dict)
    candidates: tuple[PersonDistance, ...] = ()
    threshold: float = 0.0
    revision: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTracks:
    """Histogram of unconfirmed (or of confirmed) tracks of one camera and face size, with a list of `people`."""

    camera: str
    size: str
    rule: str
    people: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksPerDay:
    """Unknown tracks a day at a camera, with faces of a size."""

    camera: str
    size: str
    per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRequest(Message):
    """Parent to gallery child: what do thresholds mean for this site?

    Attributes:
        people: size of the list to tell it for; negative for the one that is built.
        tracks_per_day: traffic to tell it for; negative for what was counted.
        unconfirmed, confirmed: what the site's tracks came to.
        traffic: what was counted; empty while less than a day was.
        warned, warned_days: unconfirmed warnings lately, and in how many days.
    """

    request: int
    people: int = -1
    tracks_per_day: float = -1.0
    unconfirmed: tuple[CountedTracks, ...] = ()
    confirmed: tuple[CountedTracks, ...] = ()
    traffic: tuple[TracksPerDay, ...] = ()
    warned: int = 0
    warned_days: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One threshold of one rule.

    Attributes:
        fmr: chance that an unknown track matches one listed person; fpir: that it matches anybody of the list.
        per_day, at_least, at_most: false warnings a day, with the 95 % interval.
        fnmr: share of listed people's tracks that are missed.
        from_site: whether the site's own tracks outweigh the factory model.
        decades: how many powers of ten below anything counted the figure lies.
    """

    rule: str
    threshold: float
    fmr: float
    fpir: float
    per_day: float
    at_least: float
    at_most: float
    fnmr: float
    from_site: bool
    decades: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraThresholds:
    """The thresholds of one camera by the size of the face."""

    camera: str
    full: float
    small: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReply(Message):
    """Gallery child to parent: the thresholds to use, what they cost, and a table of others.

    Attributes:
        refusal: empty, or why there is none.
        people, templates: of the list that it is told for.
        tracks_per_day: unknown tracks a day; `traffic_counted` if the site counted them itself.
        tracks_seen: unconfirmed tracks that it rests on.
        configured: the threshold is set by hand.
        default: for cameras that have counted nothing yet (its `camera` is empty).
        in_use: the thresholds in use as one row, over all cameras.
        drift: above or below if warnings lately left the interval that was expected; else empty.
        source: where the factory model comes from.
    """

    request: int
    refusal: str = ""
    people: int = 0
    templates: int = 0
    tracks_per_day: float = 0.0
    traffic_counted: bool = False
    tracks_seen: int = 0
    configured: bool = False
    default: CameraThresholds | None = None
    cameras: tuple[CameraThresholds, ...] = ()
    in_use: CalibrationRow | None = None
    rows: tuple[CalibrationRow, ...] = ()
    drift: str = ""
    model: str = ""
    revision: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedThresholds(Message):
    """Parent to video child: compare with these from the next look on.

    Attributes:
        default: of cameras that are not in `cameras`.
        warnings_per_day: false warnings a day that are expected of the whole site.
        basis: site, factory or configured.
    """

    default: CameraThresholds
    cameras: tuple[CameraThresholds, ...]
    warnings_per_day: float
    basis: str
