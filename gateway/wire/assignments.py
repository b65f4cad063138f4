"""Which child has which camera, where its stream is, and its picture on request."""

from dataclasses import dataclass, field
from typing import Any

from gateway.wire.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class WarnedOf:
    """A person who was warned of at a camera, so many seconds ago."""

    person: str
    seconds_ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAssigned(Message):
    """Parent to video or devices child: this camera is yours; again for the same id replaces it.

    Attributes:
        url: as configured: ``onvif://``, ``onvifs://``, ``rtsp://`` or ``file://``, without credentials.
        sub_url: of the sub-stream, if it is configured.
        warned: the last warning of each person here that is younger than the cool-down, whoever said it.
        networks: where its address must lead to; None: anywhere, as for cameras of the configuration file.
        tls_fingerprint: SHA-256 of the camera's certificate in hex, if it is trusted by that.
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
    warned: tuple[WarnedOf, ...] = ()
    tls_fingerprint: str = ""
    networks: tuple[str, ...] | None = None


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
        state: ok, or one of the states of docs/onvif.md; `detail`: what exactly was wrong, with its figure.
        description: manufacturer, model, firmware, serial, profiles, clock offset, as JSON values.
    """

    camera: str
    state: str
    remedy: str = ""
    detail: str = ""
    description: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRelay(Message):
    """Parent to devices child: switch a camera's relay, on for so many seconds at most."""

    camera: str
    relay: str
    on: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAt(Message):
    """Parent to devices child: look at a preset for so many seconds, then at `back`, if there is one."""

    camera: str
    preset: str
    back: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverRequest(Message):
    """Parent to devices child: look for cameras for so many seconds; what is found is asked how it is."""

    request: int
    seconds: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredCamera:
    """A card to adopt.

    Attributes:
        endpoint: its endpoint reference, which stays when its address changes.
        url: ``onvif://…`` where it answered.
        name, hardware: as it announces them.
        state: as `CameraDescribed`; credentials_wrong: it asks for a user and a password.
        activation: pending: it lets anybody in, so nobody has given it a password yet; done: it has one.
        manufacturer, model, serial: if it told them without a password.
        camera: id of the camera of this gateway that it is; empty: it is not adopted yet.
    """

    endpoint: str
    url: str
    name: str = ""
    hardware: str = ""
    state: str = ""
    activation: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    camera: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverReply(Message):
    """Devices child to parent: what was found."""

    request: int
    cameras: tuple[DiscoveredCamera, ...] = ()


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
