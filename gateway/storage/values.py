"""The values that this room hands out and takes."""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.events import Event, Severity


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the journal.

    Attributes:
        position: 1, 2, 3, …; a later commit has a higher one.
        event: with `recorded` set.
        body: its CloudEvents JSON, serialised once.
    """

    position: int
    event: Event
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events somebody wants; what is empty or None lets all through.

    Attributes:
        types: whole CloudEvents types, or prefixes that end with a dot.
        since, until: bounds of the time that it happened, both inclusive.
    """

    types: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, event: Event, type_: str) -> bool:
        """Whether an event of this type passes."""
        return (
            self._has_type(type_)
            and (not self.severities or event.severity in self.severities)
            and (self.source is None or event.source == self.source)
            and (self.since is None or event.time >= self.since)
            and (self.until is None or event.time <= self.until)
        )

    def _has_type(self, type_: str) -> bool:
        prefixes = tuple(each for each in self.types if each.endswith("."))
        return not self.types or type_ in self.types or (bool(prefixes) and type_.startswith(prefixes))


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How far a destination has got.

    Attributes:
        low: every position up to it is settled.
        settled: settled positions above it.
        dead: how many events it refused for good and has not taken since.
    """

    low: int
    settled: frozenset[int]
    dead: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a destination refused for good."""

    position: int
    event: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one event at one destination; `state` is accepted, refused or retrying."""

    position: int
    event: str
    state: str
    attempts: int
    error: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoInfo:
    """An enrolment photo without its content.

    Attributes:
        own_distance: to the nearest other photo of the person when it was added; None if none is known.
        threshold: the largest distance of a match then.
    """

    id: str
    fingerprint: str
    quality: dict[str, float] = field(default_factory=dict)
    created: datetime
    own_distance: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the watch-list, and by what right.

    Attributes:
        category: such as wanted, barred, threat, missing.
        reason, authority, valid_until: why, by whose decision, and until when; an entry without them is not lawful.
    """

    id: str
    name: str
    category: str
    reason: str
    authority: str
    valid_until: datetime
    created: datetime
    updated: datetime
    created_by: str
    notes: str = ""
    photos: tuple[PhotoInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPhoto:
    """A photo and its template as the gallery child sealed them under the person's key.

    Attributes:
        digest: of the file, under the person's key: the same for the same file of the same person; empty if unknown.
        own_distance, threshold: as `PhotoInfo`.
    """

    id: str
    person: str
    fingerprint: str
    quality: dict[str, float]
    created: datetime
    photo: bytes
    template: bytes
    digest: bytes = b""
    own_distance: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template made anew of a photo that is there, sealed under the person's key."""

    photo: str
    fingerprint: str
    quality: dict[str, float]
    template: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """One template for the gallery child, still sealed."""

    person: str
    category: str
    photo: str
    wrapped_key: bytes
    template: bytes
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipState:
    """How far a clip has got.

    Attributes:
        state: recording, whole, or cut_short: something is missing, because the stream, the child, the gateway or the
            disk's room ended before it, or of what `late_seconds` and `lost_seconds` say; or missing: there is none.
        seconds: what it lasts.
        size: bytes of MP4.
        others: it may show people who are on no list; it goes when its evidence goes all the same.
        late_seconds: what is missing of its beginning.
        lost_seconds: what is missing within.
        codec: what a browser must know to play it (RFC 6381), as ``avc1.64001F``; empty of a clip from before.
        clock_offset_seconds: of a camera's own recording: how far the camera's clock, by which it is, was ahead of
            ours; None of what we recorded.
        reason: why it is missing; one of those of `gateway.wire.recordings`.
    """

    state: str = "recording"
    seconds: float = 0.0
    size: int = 0
    others: bool = True
    late_seconds: float = 0.0
    lost_seconds: float = 0.0
    codec: str = ""
    clock_offset_seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A picture or a clip that belongs to an event.

    Attributes:
        person: the watch-list person under whose evidence key it is sealed; empty if nobody.
        kind: crop, scene, clip, or camera_clip: the camera's own recording.
        purge_after: when it goes.
        clip: how far it has got; None if it is a picture.
        first_seen, last_seen: of a match: when the passage that it shows began and ended; None if that is not known.
    """

    id: str
    event: str
    camera: str
    person: str
    kind: str
    created: datetime
    purge_after: datetime
    clip: ClipState | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPart:
    """The next bytes of a clip that grows.

    Attributes:
        evidence: what it is part of; its `clip` is the state to begin with.
        number: counts the clip's parts from 0.
        whole: with it the clip is playable to its end.
        seconds: what the clip lasts up to the last whole part.
        last: no part follows.
        cut_short: with `last`: something of the clip is missing.
        late_seconds, lost_seconds: what is missing of its beginning, and within.
        others: with `last`: it may show people who are on no list.
        trouble: with `last`: why the clip is given up; empty if it is not.
    """

    evidence: Evidence
    number: int
    data: bytes = field(repr=False)
    whole: bool = False
    seconds: float = 0.0
    last: bool = False
    cut_short: bool = False
    late_seconds: float = 0.0
    lost_seconds: float = 0.0
    others: bool = True
    trouble: str = ""


USER_NAME = r"^[\w.@-]{1,64}$"
"""Names of accounts: 1 to 64 letters of any script, digits and _ . @ -; no spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account; its name is a `USER_NAME`, `password` is an argon2id hash in PHC form."""

    name: str
    role: str
    password: str = field(repr=False)
    disabled: bool = False
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A sign-in; `key` is the SHA-256 of its token, in hex."""

    key: str
    user: str
    created: datetime
    seen: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token of a program; `key` is the SHA-256 of its secret, in hex."""

    id: str
    key: str
    name: str
    role: str
    created: datetime
    ends: datetime | None = None
    used: datetime | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Failed sign-ins of one account from one network."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A device, camera or destination that was made by API.

    Attributes:
        kind: device, camera or destination.
        body: its settings as JSON, without secrets.
        secrets: by key; sealed at rest.
    """

    kind: str
    id: str
    body: str
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, chained to the entry before it."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
