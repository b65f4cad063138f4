"""Finds, or makes, a media profile whose stream carries events (ONVIF Media §5 and Media2 §5, metadata)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from lxml import etree
from lxml.etree import _Element as Element  # lxml names its elements so

from gateway.cameras.caller import SoapCaller
from gateway.cameras.media import MEDIA, MEDIA2
from gateway.cameras.rehosting import Rehoster
from gateway.cameras.soap import FaultError, descendants, local_name, text_of
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.errors import PermanentError

_SCHEMA = "http://www.onvif.org/ver10/schema"
_CONFIGURATION = {MEDIA2: "Metadata", MEDIA: "MetadataConfiguration"}
_COMPATIBLE = {MEDIA2: "GetMetadataConfigurations", MEDIA: "GetCompatibleMetadataConfigurations"}
_UNICAST = (
    f'<m:StreamSetup><t:Stream xmlns:t="{_SCHEMA}">RTP-Unicast</t:Stream>'
    f'<t:Transport xmlns:t="{_SCHEMA}"><t:Protocol>RTSP</t:Protocol></t:Transport></m:StreamSetup>'
)
_BEFORE_EVENTS = ("Name", "UseCount", "PTZStatus")


@dataclass(frozen=True, slots=True)
class MetadataSource:
    """Where events come by RTSP.

    Attributes:
        service, namespace: of the media service that told it.
        profile: token of the media profile.
        url: of its stream, at the host that was typed.
    """

    service: str
    namespace: str
    profile: str
    url: str


@dataclass(frozen=True, slots=True)
class _Profile:
    token: str
    configuration: Element | None

    @property
    def rank(self) -> int:
        """What has to be changed in the camera: nothing, the configuration, or the profile."""
        if self.configuration is None:
            return 2
        return 0 if _has_events(self.configuration) else 1


class MetadataMedia:
    """One camera's media service as far as metadata are concerned; blocking, for the lane of all questions.

    Args:
        caller: asks.
        services: addresses by namespace, as the camera told them last.
        rehoster: moves addresses to where they answer.
    """

    def __init__(self, caller: SoapCaller, services: Callable[[], Mapping[str, str]], rehoster: Rehoster) -> None:
        self._caller = caller
        self._services = services
        self._rehoster = rehoster

    def find(self) -> MetadataSource:
        """The stream of a profile with metadata and events in them; one is given them where none has.

        Raises:
            CameraError: `NO_EVENTS` if there is none and none can be given; other states as they are.
        """
        reason = "it names no media service"
        for namespace in (MEDIA2, MEDIA):
            service = self._services().get(namespace)
            if service is None:
                continue
            try:
                return self._find(service, namespace)
            except FaultError as fault:
                reason = fault.reason
            except CameraError as error:
                if error.state is not CameraState.NOT_ONVIF:
                    raise
                reason = error.what
        raise self._nothing(reason)

    def synchronize(self, source: MetadataSource) -> None:
        """Have all states told again in the stream; raises CameraError or FaultError."""
        self._ask(source.service, source.namespace, "SetSynchronizationPoint", _profile_token(source.profile))

    def _find(self, service: str, namespace: str) -> MetadataSource:
        wanted = "<m:Type>Metadata</m:Type>" if namespace == MEDIA2 else ""
        envelope = self._ask(service, namespace, "GetProfiles", wanted)
        found = [_profile_of(each, namespace) for each in descendants(envelope, "Profiles") if each.get("token")]
        profile = min(found, key=lambda each: each.rank, default=None)
        if profile is None:
            raise self._nothing("it has no media profile")
        if profile.configuration is None:
            profile = self._given(service, namespace, profile)
        if profile.rank:
            self._add_events(service, namespace, profile)
        return MetadataSource(service, namespace, profile.token, self._address(service, namespace, profile.token))

    def _given(self, service: str, namespace: str, profile: _Profile) -> _Profile:
        """The profile with the first metadata configuration that fits it."""
        envelope = self._ask(service, namespace, _COMPATIBLE[namespace], _profile_token(profile.token))
        configuration = next((each for each in descendants(envelope, "Configurations") if each.get("token")), None)
        if configuration is None:
            raise self._nothing("no metadata configuration fits its profiles")
        token = escape(configuration.get("token", ""))
        if namespace == MEDIA2:
            what = f"<m:Configuration><m:Type>Metadata</m:Type><m:Token>{token}</m:Token></m:Configuration>"
            self._ask(service, namespace, "AddConfiguration", _profile_token(profile.token) + what)
        else:
            what = f"<m:ConfigurationToken>{token}</m:ConfigurationToken>"
            self._ask(service, namespace, "AddMetadataConfiguration", _profile_token(profile.token) + what)
        return _Profile(profile.token, configuration)

    def _add_events(self, service: str, namespace: str, profile: _Profile) -> None:
        """Have all events sent; a camera that refuses to be changed may send them all the same."""
        try:
            changed = _with_events(profile.configuration)
        except etree.Error:
            return
        if namespace == MEDIA:
            changed += "<m:ForcePersistence>true</m:ForcePersistence>"
        try:
            self._ask(service, namespace, "SetMetadataConfiguration", changed)
        except FaultError:
            return

    def _address(self, service: str, namespace: str, token: str) -> str:
        setup = "<m:Protocol>RTSP</m:Protocol>" if namespace == MEDIA2 else _UNICAST
        said = text_of(self._ask(service, namespace, "GetStreamUri", setup + _profile_token(token)), "Uri")
        if not said.lower().startswith(("rtsp://", "rtsps://")):
            raise self._nothing("the stream of its metadata has no RTSP address")
        try:
            scheme, separator, rest = self._rehoster.stream(said).partition("://")
        except (PermanentError, ValueError):
            raise self._nothing("the address of its metadata is none") from None
        return scheme.lower() + separator + rest

    def _ask(self, service: str, namespace: str, operation: str, arguments: str) -> Element:
        return self._caller.call(service, f'<m:{operation} xmlns:m="{namespace}">{arguments}</m:{operation}>')

    def _nothing(self, reason: str) -> CameraError:
        what = f"no events in a metadata stream: {reason}"
        return camera_error(CameraState.NO_EVENTS, what, where=self._caller.where)


def _profile_token(token: str) -> str:
    return f"<m:ProfileToken>{escape(token)}</m:ProfileToken>"


def _profile_of(element: Element, namespace: str) -> _Profile:
    name = _CONFIGURATION[namespace]
    configuration = next((each for each in element.iter() if local_name(each) == name and each.get("token")), None)
    return _Profile(element.get("token", ""), configuration)


def _has_events(configuration: Element) -> bool:
    """Without this element a camera sends none; with an empty one it sends all (tt:MetadataConfiguration)."""
    return any(local_name(each) == "Events" for each in configuration)


def _with_events(configuration: Element | None) -> str:
    """The configuration as the camera told it, and events without a filter in their place of the schema."""
    if configuration is None:
        return ""
    parts = [etree.tostring(each, encoding="unicode", with_tail=False) for each in configuration]
    behind = sum(local_name(each) in _BEFORE_EVENTS for each in configuration)
    parts.insert(behind, f'<t:Events xmlns:t="{_SCHEMA}"/>')
    more = "".join(f' {name}="{escape(configuration.get(name, ""))}"' for name in _kept(configuration))
    return f"<m:Configuration{more}>{''.join(parts)}</m:Configuration>"


def _kept(configuration: Element) -> list[str]:
    """Its attributes of the schema, of no namespace."""
    return [str(name) for name in configuration.attrib if str(name).isidentifier()]
