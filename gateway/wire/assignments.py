"""Which child has which camera, where its stream is, and its picture on request."""

from dataclasses import dataclass, field
from typing import Any

from gateway.wire.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAssigned(Message):
    """Parent to video or devices child: this camera is yours; again for the same id replaces it.

    Attributes:
        url: as configured: ``onvif://``, ``onvifs://``, ``rtsp://`` or ``file://``, without credentials.
        sub_url: of the sub-stream, if it is configured.
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
    tls_fingerprint: str = ""


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
