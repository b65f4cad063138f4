"""Moves a camera (ONVIF PTZ Service §5) and switches its relays (ONVIF Core §8.5); blocking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.caller import SoapCaller
from gateway.cameras.description import CameraDescription
from gateway.cameras.soap import FaultError, descendants, text_of
from gateway.cameras.states import CameraState, camera_error

PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_MOST_PRESETS = 1000


@dataclass(frozen=True, slots=True)
class Preset:
    """A place that a camera can look at."""

    token: str
    name: str


class Movement:
    """One camera's head and relays.

    Args:
        caller: sends the requests.
        services: addresses by namespace, as the camera told them last.
        device_service: where relays are switched.
    """

    def __init__(self, caller: SoapCaller, services: Callable[[], Mapping[str, str]], device_service: str) -> None:
        self._caller = caller
        self._services = services
        self._device_service = device_service
        self._zooms = False

    def presets(self, known: CameraDescription) -> tuple[Preset, ...]:
        """All presets that have a token; none where the camera does not tell.

        Raises:
            CameraError: `NO_MOVEMENT` if the camera does not move; other states as they are.
        """
        profile = self._profile(known)
        try:
            envelope = self._ask("GetPresets", profile)
        except FaultError:
            return ()
        found = [(each.get("token", ""), unquote(text_of(each, "Name"))) for each in descendants(envelope, "Preset")]
        return tuple(Preset(token, name or token) for token, name in found if token)[:_MOST_PRESETS]

    def go_to(self, known: CameraDescription, preset: str) -> None:
        """Look at a preset; raises as `presets`, and FaultError if there is none of that token."""
        self._ask("GotoPreset", self._profile(known), f"<p:PresetToken>{escape(preset)}</p:PresetToken>")

    def move(self, known: CameraDescription, pan_tilt: tuple[float, float] | None, zoom: float | None) -> None:
        """Move until `stop`, with velocities from -1 to 1; only the axes that are given are named."""
        axes = "" if pan_tilt is None else f'<t:PanTilt x="{pan_tilt[0]:g}" y="{pan_tilt[1]:g}"/>'
        self._zooms = self._zooms or zoom is not None
        axes += "" if zoom is None else f'<t:Zoom x="{zoom:g}"/>'
        velocity = f'<p:Velocity xmlns:t="{_SCHEMA}">{axes}</p:Velocity>'
        self._ask("ContinuousMove", self._profile(known), velocity)

    def stop(self, known: CameraDescription) -> None:
        """Stop, also the zoom if it was asked for; a camera that does not know that is given a velocity of zero."""
        axes = "<p:PanTilt>true</p:PanTilt>" + ("<p:Zoom>true</p:Zoom>" if self._zooms else "")
        try:
            self._ask("Stop", self._profile(known), axes)
        except FaultError:
            self.move(known, (0.0, 0.0), 0.0 if self._zooms else None)
        self._zooms = False

    def switch(self, relay: str, *, on: bool) -> None:
        """Switch a relay; raises CameraError, or FaultError if there is none of that token."""
        state = "active" if on else "inactive"
        self._caller.call(
            self._device_service,
            f'<SetRelayOutputState xmlns="{_DEVICE}"><RelayOutputToken>{escape(relay)}</RelayOutputToken>'
            f"<LogicalState>{state}</LogicalState></SetRelayOutputState>",
        )

    def _profile(self, known: CameraDescription) -> str:
        """The token of the largest profile that has a PTZ configuration."""
        moving = [each for each in known.profiles if each.moves]
        if not moving or PTZ not in self._services():
            what = "no media profile of the camera has a PTZ configuration"
            raise camera_error(CameraState.NO_MOVEMENT, what, where=self._caller.where)
        return max(moving, key=lambda each: each.width * each.height).token

    def _ask(self, operation: str, profile: str, more: str = "") -> Element:
        asked = f"<p:ProfileToken>{escape(profile)}</p:ProfileToken>{more}"
        return self._caller.call(self._services()[PTZ], f'<p:{operation} xmlns:p="{PTZ}">{asked}</p:{operation}>')
