"""The watch-list on its way to the children, and what is asked of the gallery child."""

from dataclasses import dataclass, field
from typing import ClassVar

from gateway.wire.message import Message

WHOLE_LIST = -1


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
    """Parent to gallery child: one bounded chunk of the watch-list of revision `revision`, or of what changed.

    Attributes:
        base: the revision that `rows` and `removed` change; `WHOLE_LIST`: there is nobody but in `rows`.
        removed: ids of photos that are not on the list any more.
    """

    revision: int
    first: bool
    last: bool
    rows: tuple[SealedRow, ...]
    base: int = WHOLE_LIST
    removed: tuple[str, ...] = ()


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
        refusal: empty if accepted; else not_an_image, no_face, several_faces, too_small, blurred, no_vector,
            look_alike or photo_twice.
        detail: the refusal in words with figures.
        quality: the parts of the face's quality, 0 to 1, and its height in pixels.
        look_alikes: people of the list that the face is near to.
        own_distance: to the nearest other photo of the person; None if the list shows none.
        threshold: the largest distance of a match now.
        digest: of the file, under the person's key.
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
    own_distance: float | None = None
    threshold: float = 0.0
    digest: bytes = field(default=b"", repr=False)


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
