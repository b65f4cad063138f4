"""Settings of the vision house: cameras, faces, child processes."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from gateway.settings.addresses import without_userinfo
from gateway.settings.base import EntrySlice, Label, Slice, Url
from gateway.settings.networks import NetworkText

_CREDENTIALS_APART = BeforeValidator(partial(without_userinfo, remedy="use username and password_file"))


class CameraSettings(EntrySlice):
    """A camera.

    Attributes:
        url: ``onvif://host[:port]``, ``onvifs://…`` (HTTPS), ``rtsp://…`` or ``file:///recording.mp4``; no credentials
            in it. What a maker asks for in its query is sealed at rest, if it comes by API, and shown to administrators
            only.
        sub_url: of a smaller stream of the same picture, which is looked at while faces are cut from `url`; an ONVIF
            camera tells it itself.
        tls_fingerprint: SHA-256 in hex of the certificate that an ``onvifs`` camera shows and nobody vouches for.
        home_preset: token of the PTZ preset that it turns back to; empty: it stays where a press turned it.
        watch_faces: compare faces with the watch-list.
        loop: play a recording again and again.
        looks_per_second: how often a frame is looked at; the camera's budget.
    """

    name: Label = ""
    place: Label = ""
    url: Annotated[Url, Field(pattern=r"^(onvifs?|rtsps?|file)://[^\s]+$"), _CREDENTIALS_APART]
    sub_url: Annotated[Url, Field(pattern=r"^(rtsps?|file)://[^\s]+$"), _CREDENTIALS_APART] | None = None
    home_preset: Annotated[str, Field(max_length=64)] = ""
    watch_faces: bool = False
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    tls_fingerprint: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    loop: bool = True
    looks_per_second: Annotated[float, Field(gt=0, le=25)] = 5.0

    @model_validator(mode="after")
    def _credentials_apart(self) -> Self:
        if any("@" in url and not url.startswith("file:") for url in (self.url, self.sub_url or "")):
            what = "credentials do not belong in the url; use username and password_file"
            raise PydanticCustomError("url_credentials", what)
        if self.password is not None and self.password_file is not None:
            raise ValueError("give password or password_file, not both")
        return self


class VisionSettings(Slice):
    """The children that look at pictures.

    Attributes:
        cameras_per_worker: how many cameras share one video child at most; first there is a child for each core.
        heartbeat_seconds: each child says so often that it lives.
        heartbeat_timeout_seconds: silent for longer, it is killed and started anew.
        nice: niceness of the children; above 0 gives way to the alarm house.
        detector_width: width in pixels that a frame is shrunk to for detection.
        still_seconds: a scene without motion for so long is still: less of it is decoded until something moves.
        shortest_passage_seconds: whoever is in view for so long is not missed in a still scene; less costs more CPU.
        open_timeout_seconds, read_timeout_seconds: how long a stream may be silent at opening and later.
        camera_networks: where cameras are, such as ``192.168.1.0/24``: only there is searched for them, and a camera
            that is added by API must be there; none: every private network, and no search by address.
        follow_moved_cameras: take a camera with a password to where its endpoint is announced now. Whoever pretends
            to be it may then learn the password, and is taken for it; without this its new address is told only.
        push_port: where cameras that have no PullPoint send their events; 0: any free port.
        ring_megabytes: the most memory that one camera's last seconds take, from which its clips are made.
        recording_minutes: so old may the newest picture be that a camera with ONVIF Profile G has recorded itself; more
            for cameras that record on motion only.
        recording_days: so far back that recording should reach once its memory is full; None: it is not judged.
    """

    cameras_per_worker: Annotated[int, Field(ge=1, le=64)] = 16
    heartbeat_seconds: Annotated[float, Field(gt=0)] = 1.0
    heartbeat_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    nice: Annotated[int, Field(ge=0, le=19)] = 10
    detector_width: Annotated[int, Field(ge=160, le=1920)] = 640
    still_seconds: Annotated[float, Field(ge=1)] = 10.0
    shortest_passage_seconds: Annotated[float, Field(ge=0, le=10)] = 1.5
    open_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_timeout_seconds: Annotated[float, Field(gt=0)] = 8.0
    camera_networks: tuple[NetworkText, ...] = ()
    follow_moved_cameras: bool = False
    push_port: Annotated[int, Field(ge=0, le=65535)] = 0
    ring_megabytes: Annotated[int, Field(ge=1, le=1024)] = 24
    recording_minutes: Annotated[float, Field(ge=1)] = 10.0
    recording_days: Annotated[float, Field(gt=0, le=3650)] | None = None


def _onnx(path: Path | None) -> Path | None:
    if path is not None and path.suffix != ".onnx":
        raise ValueError("an embedder is a file that ends in .onnx")
    return path


class MatchingSettings(Slice):
    """When a face is like somebody on the watch-list.

    Attributes:
        threshold: set by hand: the largest score of a match, never above 0.6 for the dlib model. Without it each camera
            gets the one that keeps expected false warnings at `warnings_per_day` for the list and the traffic.
        small_face_threshold: set by hand: the same for faces below 40 px; below 32 px nothing is decided.
        warnings_per_day: false warnings a day of the whole site that thresholds are chosen for.
        margin: a second person less than this farther than the best makes a distance unclear.
        cooldown_seconds: one warning per person and camera within it.
        detector_model: file of the YuNet model; default: ``models/`` of the state folder.
        embedder: an ``.onnx`` file with a TOML of the same name beside it (docs/embedders.md), in place of dlib's
            network. Distances are then told so that the threshold stated there is 0.6.
        precision: of dlib's network: ``int8`` is faster and a little less exact. Each has templates of its own: after
            a change run ``campus-gateway watchlist reembed``.
    """

    threshold: Annotated[float, Field(gt=0, le=0.6)] | None = None
    small_face_threshold: Annotated[float, Field(gt=0, le=0.6)] | None = None
    warnings_per_day: Annotated[float, Field(gt=0, le=1000)] = 1.0
    margin: Annotated[float, Field(ge=0)] = 0.03
    minimum_looks: Annotated[int, Field(ge=1)] = 3
    cooldown_seconds: Annotated[float, Field(ge=0)] = 60.0
    detector_model: Path | None = None
    embedder: Annotated[Path | None, AfterValidator(_onnx)] = None
    precision: Literal["fp32", "int8"] = "fp32"

    @model_validator(mode="after")
    def _small_faces_by_hand_only(self) -> Self:
        if self.small_face_threshold is not None and self.threshold is None:
            raise ValueError("small_face_threshold is of a threshold set by hand; give matching.threshold, too")
        return self

    @model_validator(mode="after")
    def _precision_of_dlib(self) -> Self:
        if self.embedder is not None and self.precision != "fp32":
            raise ValueError("precision is of dlib's own network; give the int8 form of another embedder as its file")
        return self


class EvidenceSettings(Slice):
    """What is kept of a warning and how long.

    Attributes:
        clip_before_seconds, clip_after_seconds: what a clip shows around a match, or around a press at its linked
            cameras; it begins at the keyframe before that. Both 0: no clips.
        unconfirmed_days: evidence of a match that was rejected or never verified goes after so many days.
        confirmed_days: evidence of a confirmed match goes after so many days.
    """

    clip_before_seconds: Annotated[float, Field(ge=0, le=120)] = 10.0
    clip_after_seconds: Annotated[float, Field(ge=0, le=300)] = 20.0
    unconfirmed_days: Annotated[float, Field(gt=0, le=36500)] = 30.0
    confirmed_days: Annotated[float, Field(gt=0, le=36500)] = 365.0

    @property
    def clips(self) -> bool:
        """Whether clips are made at all."""
        return self.clip_before_seconds + self.clip_after_seconds > 0
