"""The named states of a camera, what to do about each, and the errors that carry them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from gateway.errors import GatewayError, PermanentError, TransientError


class CameraState(StrEnum):
    """How a camera is; every state but `OK` has a remedy."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"
    NOT_ONVIF = "not_onvif"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    CREDENTIALS_WRONG = "credentials_wrong"
    CLOCK_OFF = "clock_off"
    NO_MEDIA_PROFILE = "no_media_profile"
    NO_SNAPSHOT = "no_snapshot"
    NO_EVENTS = "no_events"
    NO_MOVEMENT = "no_movement"
    NO_RECORDING = "no_recording"
    STREAM_DEAD = "stream_dead"

    @property
    def remedy(self) -> str:
        """What the installer can do; empty for `OK`."""
        return _REMEDIES.get(self, "")

    @property
    def may_pass(self) -> bool:
        """Whether the state can end without anybody changing the configuration."""
        return self in _PASSING


_PASSING = frozenset({CameraState.UNREACHABLE, CameraState.REFUSED, CameraState.NO_SNAPSHOT, CameraState.STREAM_DEAD})
_REMEDIES: Mapping[CameraState, str] = MappingProxyType(
    {
        CameraState.UNREACHABLE: "Check the camera's power, cable and address, and the network between.",
        CameraState.REFUSED: "The machine is there but nothing listens on this port: check the port, and that ONVIF is "
        "switched on in the camera.",
        CameraState.ELSEWHERE: "Correct the address, or name its network in camera_networks of the configuration file.",
        CameraState.NOT_ONVIF: "Check address and port: what answers there is no ONVIF service. Some cameras need "
        "ONVIF switched on first.",
        CameraState.CERTIFICATE_UNKNOWN: "Compare the fingerprint with that on the camera's own page, and if it is the "
        "same give it as tls_fingerprint in the camera's entry.",
        CameraState.CREDENTIALS_WRONG: "Check user name and password. Many cameras keep ONVIF users apart from those "
        "of their web page: create one under their ONVIF or integration settings.",
        CameraState.CLOCK_OFF: "Set the camera's clock, best by NTP from the same server as this machine.",
        CameraState.NO_MEDIA_PROFILE: "Create a media profile with a video encoder in the camera's settings.",
        CameraState.NO_SNAPSHOT: "Pictures are taken from the stream instead; nothing needs to be done.",
        CameraState.NO_EVENTS: "Its contacts and detectors are not heard; switch events on in the camera's ONVIF "
        "settings, or wire the button to another device.",
        CameraState.NO_MOVEMENT: "Add a PTZ configuration to a media profile in the camera's settings, if it can move.",
        CameraState.NO_RECORDING: "Nothing, if the camera shall not record; otherwise put a memory card in and switch "
        "ONVIF Profile G on in its settings.",
        CameraState.STREAM_DEAD: "Restart the camera or its RTSP service, and check that its stream plays in its own "
        "web page.",
    }
)


class CameraError(GatewayError):
    """A camera cannot do what was asked.

    Attributes:
        state: the camera's state, with its remedy.
    """

    def __init__(self, state: CameraState, what: str, *, where: str = "") -> None:
        super().__init__(what, where=where, remedy=state.remedy)
        self.state = state


class CameraUnavailable(CameraError, TransientError):  # noqa: N818 named by what is so, as its state
    """Trying again later can succeed."""


class CameraUnusable(CameraError, PermanentError):  # noqa: N818 named by what is so, as its state
    """Somebody must change the camera or its configuration first."""


def camera_error(state: CameraState, what: str, *, where: str) -> CameraError:
    """The error of the kind that fits `state`."""
    kind = CameraUnavailable if state.may_pass else CameraUnusable
    return kind(state, what, where=where)
