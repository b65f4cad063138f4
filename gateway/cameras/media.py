"""The two media services behind one face: version 2 by own SOAP, version 1 by the ONVIF library."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Protocol, TypeVar

from lxml import etree

from gateway.cameras.caller import SoapCaller
from gateway.cameras.description import MediaProfile
from gateway.cameras.soap import FaultError, local_name, text_of
from gateway.cameras.states import CameraError, CameraState

MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
_ENCODERS, _MOVEMENTS = ("VideoEncoder", "VideoEncoderConfiguration"), {"PTZ", "PTZConfiguration"}  # 2 first, or 1
Answer = TypeVar("Answer")


class MediaService(Protocol):
    """What is asked of a media service; everything may raise CameraError or FaultError."""

    def profiles(self) -> tuple[MediaProfile, ...]:
        """The media profiles."""
        ...

    def stream_uri(self, token: str) -> str:
        """The RTSP address of a profile, as the camera tells it, perhaps empty."""
        ...

    def snapshot_uri(self, token: str) -> str:
        """The address of a profile's snapshot, as the camera tells it, perhaps empty."""
        ...


class Media2:
    """The media service of version 2 (ONVIF Media2 Service §5)."""

    def __init__(self, caller: SoapCaller, url: str) -> None:
        self._caller = caller
        self._url = url

    def profiles(self) -> tuple[MediaProfile, ...]:
        """GetProfiles with the configurations of encoders and movement."""
        envelope = self._ask(
            "GetProfiles", "<m:Type>VideoEncoder</m:Type><m:Type>VideoSource</m:Type><m:Type>PTZ</m:Type>"
        )
        return tuple(_profile_of(each) for each in envelope.iter("{*}Profiles") if each.get("token"))

    def stream_uri(self, token: str) -> str:
        """GetStreamUri for RTP over RTSP."""
        asked = f"<m:Protocol>RTSP</m:Protocol><m:ProfileToken>{escape(token)}</m:ProfileToken>"
        return text_of(self._ask("GetStreamUri", asked), "Uri")

    def snapshot_uri(self, token: str) -> str:
        """GetSnapshotUri."""
        return text_of(self._ask("GetSnapshotUri", f"<m:ProfileToken>{escape(token)}</m:ProfileToken>"), "Uri")

    def _ask(self, operation: str, arguments: str) -> etree._Element:
        return self._caller.call(self._url, f'<m:{operation} xmlns:m="{MEDIA2}">{arguments}</m:{operation}>')


def _profile_of(element: etree._Element) -> MediaProfile:
    parts = {local_name(each): each for each in element.iter()}
    encoder = next((parts[name] for name in _ENCODERS if name in parts), None)
    return MediaProfile(
        token=element.get("token", ""),
        name=text_of(element, "Name"),
        width=0 if encoder is None else _number(text_of(encoder, "Width")),
        height=0 if encoder is None else _number(text_of(encoder, "Height")),
        codec="" if encoder is None else text_of(encoder, "Encoding").rpartition("/")[2],
        frames_per_second=0.0 if encoder is None else float(_number(text_of(encoder, "FrameRateLimit"))),
        moves=not parts.keys().isdisjoint(_MOVEMENTS),
    )


def _number(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0


class LibraryMedia(Protocol):
    """What the ONVIF library's camera answers of its media service, as plain dicts and texts."""

    def profiles(self) -> list[dict[str, Any]]:
        """GetProfiles."""
        ...

    def stream_uri(self, token: str) -> str:
        """GetStreamUri."""
        ...

    def snapshot_uri(self, token: str) -> str:
        """GetSnapshotUri."""
        ...


class Media1:
    """The media service of version 1 (ONVIF Media Service §5)."""

    def __init__(self, library: LibraryMedia) -> None:
        self._library = library
        self.stream_uri = library.stream_uri
        self.snapshot_uri = library.snapshot_uri

    def profiles(self) -> tuple[MediaProfile, ...]:
        """GetProfiles."""
        return tuple(_profile_said(each) for each in self._library.profiles() if each.get("token"))


def _profile_said(said: Mapping[str, Any]) -> MediaProfile:
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
        moves=bool(said.get("PTZConfiguration")),
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name) or "").strip()


class EitherMedia:
    """Asks the newer service first, and the older one where the newer cannot."""

    def __init__(self, services: Sequence[MediaService]) -> None:
        self._services = services

    def profiles(self) -> tuple[MediaProfile, ...]:
        """The profiles of the first service that tells any."""
        return self._first(lambda service: service.profiles(), ())

    def stream_uri(self, token: str) -> str:
        """The stream's address from the first service that tells one."""
        return self._first(lambda service: service.stream_uri(token), "")

    def snapshot_uri(self, token: str) -> str:
        """The snapshot's address from the first service that tells one."""
        return self._first(lambda service: service.snapshot_uri(token), "")

    def _first(self, ask: Callable[[MediaService], Answer], nothing: Answer) -> Answer:
        failure: CameraError | FaultError | None = None
        for service in self._services:
            try:
                answer = ask(service)
            except (CameraError, FaultError) as error:
                if isinstance(error, CameraError) and error.state is not CameraState.NOT_ONVIF:
                    raise
                failure = failure or error
            else:
                if answer:
                    return answer
        if failure is not None:
            raise failure
        return nothing
