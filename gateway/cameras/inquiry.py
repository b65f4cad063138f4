"""Asks a camera, step by step, what it is and where its streams are; blocking, in the order that cameras allow."""

import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from gateway.cameras import camera_time
from gateway.cameras.addresses import OnvifAddress, port_of, rehost
from gateway.cameras.caller import SoapCaller
from gateway.cameras.description import CameraDescription, MediaProfile
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.clock import Clock
from gateway.errors import PermanentError

_GET_SERVICES = (
    '<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl">'
    "<IncludeCapability>false</IncludeCapability></GetServices>"
)
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_PORT_TRIAL_SECONDS = 1.5
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AskedCamera(Protocol):
    """What the ONVIF library's camera answers, as plain dicts and texts."""

    def information(self) -> dict[str, Any]:
        """GetDeviceInformation."""
        ...

    def capabilities(self) -> dict[str, Any]:
        """GetCapabilities."""
        ...

    def profiles(self) -> list[dict[str, Any]]:
        """GetProfiles."""
        ...

    def stream_uri(self, token: str) -> str:
        """GetStreamUri."""
        ...

    def snapshot_uri(self, token: str) -> str:
        """GetSnapshotUri."""
        ...


OpenLibrary = Callable[[Mapping[str, str]], AskedCamera]
"""Opens the library's camera for service addresses by namespace."""


class Inquiry:
    """One round of questions; every method may raise CameraError with the camera's state."""

    def __init__(self, address: OnvifAddress, caller: SoapCaller, open_library: OpenLibrary, clock: Clock) -> None:
        self._address = address
        self._caller = caller
        self._open_library = open_library
        self._clock = clock

    def describe(self) -> CameraDescription:
        """The whole description.

        Raises:
            CameraError: with the state of the first step that failed for good.
        """
        offset = self._learn_clock()
        camera = self._open_library(self._service_addresses())
        information = self._information(camera)
        profiles = self._profiles(camera)
        main, sub = _main_and_sub(profiles)
        return CameraDescription(
            manufacturer=_text(information, "Manufacturer"),
            model=_text(information, "Model"),
            firmware=_text(information, "FirmwareVersion"),
            serial=_text(information, "SerialNumber"),
            profiles=profiles,
            stream=self._stream(camera, main),
            sub_stream=self._optional_stream(camera, sub) if sub else None,
            snapshot=self._snapshot(camera, main),
            clock_offset_seconds=None if offset is None else offset.total_seconds(),
        )

    def _learn_clock(self) -> timedelta | None:
        """Ask without credentials first: a token is good only at the camera's own time."""
        try:
            offset = self._clock_offset(anonymous=True)
        except CameraError as error:
            if error.state is not CameraState.CREDENTIALS_WRONG:
                raise
            offset = self._clock_offset(anonymous=False)
        self._caller.clock_offset = offset or timedelta()
        return offset

    def _clock_offset(self, *, anonymous: bool) -> timedelta | None:
        before = self._clock.now()
        try:
            envelope = self._caller.call(self._address.device_service, camera_time.OPERATION, anonymous=anonymous)
        except FaultError:
            return None
        said = camera_time.read_time(envelope)
        middle = before + (self._clock.now() - before) / 2
        return None if said is None else said + timedelta(seconds=0.5) - middle

    def _service_addresses(self) -> dict[str, str]:
        """By namespace: from GetServices, else from GetCapabilities, else everything where the device service is."""
        try:
            said = self._from_services()
        except (FaultError, CameraError) as error:
            if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                raise
            said = self._from_capabilities()
        return {namespace: self._answering(url) for namespace, url in said.items()}

    def _from_services(self) -> dict[str, str]:
        envelope = self._caller.call(self._address.device_service, _GET_SERVICES)
        found = {
            (service.findtext("{*}Namespace") or "").strip(): (service.findtext("{*}XAddr") or "").strip()
            for service in envelope.iterfind(".//{*}Service")
        }
        return found if _MEDIA in found else self._from_capabilities()

    def _from_capabilities(self) -> dict[str, str]:
        try:
            media = self._open_library({}).capabilities().get("Media") or {}
        except FaultError:
            media = {}
        return {_MEDIA: str(media.get("XAddr") or self._address.device_service)}

    def _answering(self, url: str) -> str:
        """`url` at the host that the installer typed; its own port only if something answers there."""
        try:
            port = port_of(url) or _DEFAULT_PORTS.get(urlsplit(url).scheme, self._address.port)
        except PermanentError:
            return self._address.device_service
        if port == self._address.port or not self._listens(port):
            port = self._address.port
        return rehost(url, self._address.host, port)

    def _listens(self, port: int) -> bool:
        try:
            socket.create_connection((self._address.host, port), timeout=_PORT_TRIAL_SECONDS).close()
        except OSError:
            return False
        return True

    def _information(self, camera: AskedCamera) -> dict[str, Any]:
        try:
            return camera.information()
        except FaultError:
            return {}

    def _profiles(self, camera: AskedCamera) -> tuple[MediaProfile, ...]:
        try:
            profiles = tuple(_profile(said) for said in camera.profiles() if said.get("token"))
        except FaultError as fault:
            raise self._error(CameraState.NO_MEDIA_PROFILE, f"no media profiles: {fault.reason}") from None
        if not profiles:
            raise self._error(CameraState.NO_MEDIA_PROFILE, "the camera has no media profile")
        return profiles

    def _stream(self, camera: AskedCamera, profile: MediaProfile) -> str:
        try:
            said = camera.stream_uri(profile.token)
            return rehost(said, self._address.host)
        except FaultError as fault:
            reason = fault.reason
        except PermanentError as error:
            if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                raise
            reason = error.what
        raise self._error(CameraState.STREAM_DEAD, f"no stream address for profile {profile.token}: {reason}")

    def _optional_stream(self, camera: AskedCamera, profile: MediaProfile) -> str | None:
        try:
            return self._stream(camera, profile)
        except CameraError as error:
            if error.state is not CameraState.STREAM_DEAD:
                raise
            return None

    def _snapshot(self, camera: AskedCamera, profile: MediaProfile) -> str | None:
        """None where the camera has none, refuses to say, or says something that is no HTTP address."""
        try:
            said = camera.snapshot_uri(profile.token)
        except (FaultError, CameraError):
            return None
        return self._answering(said) if said.lower().startswith("http://") else None

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=str(self._address))


def _profile(said: dict[str, Any]) -> MediaProfile:
    encoder = said.get("VideoEncoderConfiguration") or {}
    size = encoder.get("Resolution") or {}
    rate = encoder.get("RateControl") or {}
    return MediaProfile(
        token=str(said["token"]),
        name=_text(said, "Name"),
        width=int(size.get("Width") or 0),
        height=int(size.get("Height") or 0),
        codec=_text(encoder, "Encoding"),
        frames_per_second=float(rate.get("FrameRateLimit") or 0),
    )


# A face of 32 px in the main stream has 10 px in a sub-stream of this share of its width, and is just found there; of a
# very large main stream a sub-stream of this width is taken all the same, because decoding the former costs a core.
_LEAST_SUB_SHARE = 0.32
_LEAST_SUB_WIDTH = 640


def _main_and_sub(profiles: tuple[MediaProfile, ...]) -> tuple[MediaProfile, MediaProfile | None]:
    """The largest picture among the profiles with video, and the smallest that shows faces; names are no guide."""
    with_video = [profile for profile in profiles if profile.codec] or list(profiles)
    main = max(with_video, key=_area)
    least = min(_LEAST_SUB_SHARE * main.width, _LEAST_SUB_WIDTH)
    fit = [profile for profile in with_video if profile.width >= least]
    sub = min(fit, key=_area, default=main)
    return main, sub if _area(sub) < _area(main) else None


def _area(profile: MediaProfile) -> int:
    return profile.width * profile.height


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name) or "").strip()
