"""How a child begins, lives and ends."""

from dataclasses import dataclass, field

from gateway.settings import EvidenceSettings, MatchingSettings, VisionSettings
from gateway.wire.message import Message


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
class Failed(Message):
    """Child to parent, last: why it cannot go on, free of secrets, and what somebody can do about it."""

    worker: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Message):
    """Parent to child: end in order."""


# A reason of CameraStatus and of camera.lost: over ONVIF the camera has told no address; why, its CameraDescribed says.
NO_STREAM_ADDRESS = "no_stream_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """One camera as its child sees it.

    Attributes:
        state: connecting, live, lost or idle.
        reason: the named reason of a loss, free of secrets.
        width, height: of the picture in pixels; 0 if unknown.
        frames_seen, frames_looked, frames_skipped: since the child started.
        looks_late: looks whose picture was older than 300 ms when they were done, since the child started.
        looks_failed: looks that ended in an error, since the child started.
        looks_per_second, frames_per_second: looked at and decoded over the last heartbeat.
        frame_age_ms: age of the newest frame; negative if there is none.
        decode_ms, detect_ms, embed_ms: mean CPU milliseconds per frame, look and face lately.
        load: CPU seconds a second that decoding, searching and comparing took over the last heartbeat.
        passages: visits that ended since the child started.
        frames_rested: packets not decoded because the scene was still; resting: whether it is so now.
        gate_asked, gate_moved: how often the motion gate was asked, and how often something moved.
        gate: never_shuts or never_opens if it seems to hang; else empty.
        decision_age_ms, decision_age_p95_ms: age of the picture when its look was done, lately; negative if unknown.
        remedy: what can be done about the reason of a loss.
        main_state, main_reason: the same of the main stream, where a sub-stream is looked at; empty where not.
        certificate_days_left: until that of an ``rtsps://`` stream ends; None without TLS.
        main_frames, main_decode_ms: pictures of the main stream that were decoded, and the mean CPU ms of one.
    """

    camera: str
    state: str
    reason: str = ""
    width: int = 0
    height: int = 0
    frames_seen: int = 0
    frames_looked: int = 0
    frames_skipped: int = 0
    looks_late: int = 0
    looks_failed: int = 0
    looks_per_second: float = 0.0
    frames_per_second: float = 0.0
    frame_age_ms: float = -1.0
    decode_ms: float = 0.0
    detect_ms: float = 0.0
    embed_ms: float = 0.0
    load: float = 0.0
    passages: int = 0
    frames_rested: int = 0
    resting: bool = False
    gate_asked: int = 0
    gate_moved: int = 0
    gate: str = ""
    decision_age_ms: float = -1.0
    decision_age_p95_ms: float = -1.0
    remedy: str = ""
    main_state: str = ""
    main_reason: str = ""
    main_frames: int = 0
    main_decode_ms: float = 0.0
    certificate_days_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Message):
    """Child to parent, each `vision.heartbeat_seconds`: it lives, and how its cameras are."""

    worker: str
    cameras: tuple[CameraStatus, ...] = ()
    resident_megabytes: float = 0.0
    list_revision: int = 0
