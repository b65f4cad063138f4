"""Asks a camera, step by step, what it is and where its streams are; blocking, in the order that cameras allow."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gateway.cameras.addresses import OnvifAddress
from gateway.cameras.caller import SoapCaller
from gateway.cameras.choice import choose
from gateway.cameras.description import CameraDescription, MediaProfile
from gateway.cameras.media import MEDIA, MEDIA2, EitherMedia, LibraryMedia, Media1, Media2, MediaService
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.soap import FaultError, descendants, text_of
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.errors import PermanentError

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
_GET_SERVICES = f'<GetServices xmlns="{DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>'
_GET_INTERFACES = f'<GetNetworkInterfaces xmlns="{DEVICE}"/>'
_GET_ENDPOINT = f'<GetEndpointReference xmlns="{DEVICE}"/>'
_CATEGORIES = {MEDIA: "Media", EVENTS: "Events", PTZ: "PTZ"}


class AskedCamera(LibraryMedia, Protocol):
    """What the ONVIF library's camera answers, as plain dicts and texts."""

    def information(self) -> dict[str, Any]:
        """GetDeviceInformation."""
        ...

    def capabilities(self) -> dict[str, Any]:
        """GetCapabilities."""
        ...


OpenLibrary = Callable[[Mapping[str, str]], AskedCamera]
"""Opens the library's camera for service addresses by namespace."""


class Inquiry:
    """One round of questions; every method may raise CameraError with the camera's state.

    Attributes:
        services: addresses by namespace as the last round found them, at a host and port that answer.
    """

    def __init__(
        self, address: OnvifAddress, caller: SoapCaller, open_library: OpenLibrary, rehoster: Rehoster
    ) -> None:
        self._address = address
        self._caller = caller
        self._open_library = open_library
        self._rehoster = rehoster
        self._media = EitherMedia(())
        self.services: dict[str, str] = {}

    def describe(self) -> CameraDescription:
        """The whole description.

        Raises:
            CameraError: with the state of the first step that failed for good.
        """
        self._rehoster.forget()
        self._caller.learn_clock()
        self.services = self._service_addresses()
        camera = self._open_library(self.services)
        self._media = EitherMedia(self._media_services(camera))
        information = self._information(camera)
        profiles = self._profiles()
        chosen = choose(profiles)
        main, sub = chosen.main, chosen.sub
        return CameraDescription(
            manufacturer=_text(information, "Manufacturer"),
            model=_text(information, "Model"),
            firmware=_text(information, "FirmwareVersion"),
            serial=_text(information, "SerialNumber"),
            profiles=profiles,
            stream=self._stream(main),
            sub_stream=self._optional_stream(sub) if sub else None,
            snapshot=self.snapshot(main),
            clock_offset_seconds=self._clock_offset_seconds(),
            mac=self._told(_GET_INTERFACES, "HwAddress").lower().replace("-", ":"),
            endpoint=self._told(_GET_ENDPOINT, "GUID").lower(),
            choice=chosen.why,
        )

    def _clock_offset_seconds(self) -> float | None:
        """As it is after all questions: a refusal on the way may have taught it anew."""
        known = self._caller.offset.known
        return None if known is None else known.total_seconds()

    def _media_services(self, camera: AskedCamera) -> list[MediaService]:
        """The newer first; a camera that names neither is asked for the older one all the same."""
        newer = self.services.get(MEDIA2)
        found: list[MediaService] = [Media2(self._caller, newer)] if newer else []
        if MEDIA in self.services or not found:
            found.append(Media1(camera))
        return found

    def _service_addresses(self) -> dict[str, str]:
        """By namespace: from GetServices, else from GetCapabilities, else everything where the device service is."""
        try:
            said = self._from_services()
        except (FaultError, CameraError) as error:
            if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                raise
            said = self._from_capabilities()
        return {namespace: self._rehoster.service(url) for namespace, url in said.items()}

    def _from_services(self) -> dict[str, str]:
        envelope = self._caller.call(self._address.device_service, _GET_SERVICES)
        found = {text_of(each, "Namespace"): text_of(each, "XAddr") for each in descendants(envelope, "Service")}
        return found if MEDIA2 in found else {MEDIA: self._address.device_service} | found

    def _from_capabilities(self) -> dict[str, str]:
        try:
            capabilities = self._open_library({MEDIA: self._address.device_service}).capabilities()
        except FaultError:
            capabilities = {}
        said = {space: (capabilities.get(name) or {}).get("XAddr") for space, name in _CATEGORIES.items()}
        found = {space: str(url) for space, url in said.items() if url}
        return {MEDIA: self._address.device_service} | found

    def _told(self, operation: str, name: str) -> str:
        """One text of an answer that many cameras do not give; empty without it."""
        try:
            return text_of(self._caller.call(self._address.device_service, operation), name)
        except (FaultError, CameraError):
            return ""

    def _information(self, camera: AskedCamera) -> dict[str, Any]:
        try:
            return camera.information()
        except FaultError:
            return {}

    def _profiles(self) -> tuple[MediaProfile, ...]:
        try:
            profiles = self._media.profiles()
        except FaultError as fault:
            raise self._error(CameraState.NO_MEDIA_PROFILE, f"no media profiles: {fault.reason}") from None
        if not profiles:
            raise self._error(CameraState.NO_MEDIA_PROFILE, "the camera has no media profile")
        return profiles

    def _stream(self, profile: MediaProfile) -> str:
        try:
            return self._rehoster.stream(self._media.stream_uri(profile.token))
        except FaultError as fault:
            reason = fault.reason
        except PermanentError as error:
            if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                raise
            reason = error.what
        raise self._error(CameraState.STREAM_DEAD, f"no stream address for profile {profile.token}: {reason}")

    def _optional_stream(self, profile: MediaProfile) -> str | None:
        try:
            return self._stream(profile)
        except CameraError as error:
            if error.state is not CameraState.STREAM_DEAD:
                raise
            return None

    def snapshot(self, profile: MediaProfile) -> str | None:
        """Where the profile's snapshot is; None where there is none, or what is told is no HTTP address."""
        try:
            said = self._media.snapshot_uri(profile.token)
        except (FaultError, CameraError):
            return None
        return self._rehoster.service(said) if said.lower().startswith(("http://", "https://")) else None

    def _error(self, state: CameraState, what: str) -> CameraError:
        return camera_error(state, what, where=str(self._address))


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name) or "").strip()
