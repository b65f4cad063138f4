"""What cameras and the comparison of faces tell."""

from dataclasses import dataclass, field
from typing import ClassVar

from gateway.events.base import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEvent(Event):
    """What all events of a camera hold.

    Attributes:
        camera: the camera's id.
        name: its name for people.
        place: where it is, in words.
    """

    camera: str
    name: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceMatched(CameraEvent):
    """A face looks like somebody on the watch-list: a warning for a guard to verify, never a verdict.

    Attributes:
        person: id of the person on the watch-list; the name is not in the journal.
        category: the person's category.
        distance: fused distance of the looks to the person's best template (Euclidean for the dlib model).
        threshold: the threshold that it was compared with.
        margin: distance to the second-best person less `distance`; None if nobody else is near.
        looks: number of looks that voted.
        face_height: height of the best face in pixels of the full frame.
        quality: 0 to 1, of the best look.
        model: fingerprint of the embedding model.
        detector: name of the detector.
        passage: id of the passage: one visit, one warning.
        list_revision: revision of the watch-list that it was compared with.
        score: what was compared with `threshold`: `distance`, or worse for few looks, no margin or a far median.
        median_distance, look_distance: over the looks, and of the first look alone; None if unknown.
        face_size: small (under 40 px) or full; each has a threshold of its own.
        people: on the list that it was compared with.
        false_warnings_per_day: what is expected of the whole site at the thresholds in use; None if nobody said.
        threshold_basis: where that is from: site, factory or configured (a threshold set by hand).
    """

    TYPE: ClassVar[str] = "campus.face.matched"
    person: str
    category: str = ""
    distance: float
    threshold: float
    margin: float | None = None
    looks: int
    face_height: int
    quality: float
    model: str
    detector: str
    passage: str
    list_revision: int = 0
    score: float | None = None
    median_distance: float | None = None
    look_distance: float | None = None
    face_size: str = ""
    people: int = 0
    false_warnings_per_day: float | None = None
    threshold_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceVerified(CameraEvent):
    """A guard judged a face warning: confirmed, rejected or unsure."""

    TYPE: ClassVar[str] = "campus.face.verified"
    incident: str
    match: str
    verdict: str
    actor: str
    command_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLost(CameraEvent):
    """A camera gives no picture; `reason` is one of the named stream states or the worker's."""

    TYPE: ClassVar[str] = "campus.camera.lost"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRestored(CameraEvent):
    """A lost camera gives pictures again; `outage` in seconds."""

    TYPE: ClassVar[str] = "campus.camera.restored"
    outage: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFault(CameraEvent):
    """Something about a camera needs the installer: its state, the remedy in words, and a figure in `detail`.

    `figures`: what the console's text of the state names, such as a number of days.
    """

    TYPE: ClassVar[str] = "campus.camera.fault"
    state: str
    remedy: str = ""
    detail: str = ""
    figures: dict[str, str | int | float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInputTriggered(CameraEvent):
    """A dry contact of a camera changed.

    Attributes:
        input: the contact's token; empty if the camera does not say which.
        active: as the camera says it; whether that is closed depends on its wiring.
        initial: it was so when the camera was heard again: the change happened while nobody heard it.
        withheld: changes before it that came too fast to be told.
        discreet: a silent alarm button is wired to it, so the place must not learn of it.
    """

    TYPE: ClassVar[str] = "campus.camera.input_triggered"
    discreet: bool = False
    input: str = ""
    active: bool = True
    initial: bool = False
    withheld: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTampered(CameraEvent):
    """The camera says that it is covered, turned away or blinded (遮挡/移位); `active` False: no longer."""

    TYPE: ClassVar[str] = "campus.camera.tampered"
    active: bool = True
    detector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMotion(CameraEvent):
    """The camera's own detector saw motion begin; `withheld`: beginnings that came too fast to be told."""

    TYPE: ClassVar[str] = "campus.camera.motion"
    detector: str = ""
    withheld: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDay:
    """What became of one camera on one day, so far as the gateway knows.

    Attributes:
        well: nothing below is a trouble.
        losses: how often its picture was lost; a restart of the gateway begins a loss anew.
        seconds_without_picture: for how long in all; not while the gateway itself was off.
        lost: it gave no picture at the day's end.
        faults: how often each state of a `CameraFault` began.
        tampered: how often each ailment of the picture, or each of the camera's own detectors, began.
        events_heard: movements and tampering that the camera told; no contacts, for one may be a silent button.
        recording_gap: the camera's own recording has one, when the report was made.
        clock_offset_seconds, certificate_days_left: when the report was made; None if unknown.
    """

    camera: str
    name: str = ""
    place: str = ""
    well: bool = True
    losses: int = 0
    seconds_without_picture: float = 0.0
    lost: bool = False
    faults: dict[str, int] = field(default_factory=dict)
    tampered: dict[str, int] = field(default_factory=dict)
    events_heard: int = 0
    clock_offset_seconds: float | None = None
    certificate_days_left: int | None = None
    recording_gap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CamerasReported(Event):
    """The daily report of cameras; of two for one day the later one is right.

    Attributes:
        day: ISO 8601, by the gateway's time zone.
        complete: False if the day had more events than are read for a report.
    """

    TYPE: ClassVar[str] = "campus.camera.reported"
    day: str
    complete: bool = True
    cameras: tuple[CameraDay, ...] = ()
