"""The ONVIF media service, ver10 (ONVIF Media Service §5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.simulators.camera.onvif import metadata_configuration as metadata
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import SNAPSHOT_PATH, Profile
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"
_BAD_PROTOCOLS = frozenset({"HTTP"})
_OF_H264 = "<tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264>"


@dataclass(frozen=True, slots=True)
class Encoder:
    """What a profile says of its video encoder."""

    codec: str
    width: int
    height: int


def shown_profiles(call: Call) -> tuple[Profile, ...]:
    """The profiles as they are told, in their order."""
    quirks, profiles = call.device.quirks, call.device.profiles
    if "no-profiles" in quirks:
        return ()
    if "wrong-names" in quirks:
        names = ("main", "sub", "third")
        return tuple(each.named(name) for each, name in zip(reversed(profiles), names, strict=False))
    if "bare-profile" in quirks:
        return (Profile("bare", "/none", 0, 0, 0.0), *profiles)
    return profiles


def encoder_of(profile: Profile, call: Call) -> Encoder | None:
    """The encoder as it is told; None: the profile has none."""
    if not profile.width:
        return None
    looks = call.device.quirks.value("profile-drift")
    drifted = looks is not None and call.device.counts.get("GetProfiles", 0) > looks
    share = 2 if drifted or "wrong-size" in call.device.quirks else 1
    codec = "H265" if "h265-profile" in call.device.quirks else profile.codec
    return Encoder(codec, profile.width // share, profile.height // share)


def asked_profile(call: Call) -> Profile:
    """The profile whose token is in the request.

    Raises:
        SoapFault: there is none of that token.
    """
    profile = call.device.profile(call.request.argument("ProfileToken"))
    if profile is None:
        raise SoapFault("Sender", ("InvalidArgVal", "NoProfile"), "The requested profile token does not exist")
    return profile


def snapshot_address(call: Call) -> str:
    """The snapshot's address as it is told.

    Raises:
        SoapFault: there is none.
    """
    profile, quirks = asked_profile(call), call.device.quirks
    if "no-snapshot" in quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    if "empty-snapshot-uri" in quirks:
        return ""
    if "rtsp-snapshot-uri" in quirks:
        return call.device.rtsp_address(call.host, profile.rtsp_path)
    ticket = f"?ticket={call.device.tickets.issue()}" if "expiring-snapshot" in quirks else ""
    return call.http_address(SNAPSHOT_PATH) + ticket


def _get_profiles(call: Call) -> str:
    profiles = "".join(_profile("Profiles", profile, call) for profile in shown_profiles(call))
    return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"


def _get_profile(call: Call) -> str:
    return f"<trt:GetProfileResponse>{_profile('Profile', asked_profile(call), call)}</trt:GetProfileResponse>"


def _profile(element: str, profile: Profile, call: Call) -> str:
    source = call.device.profiles[0]
    return (
        f'<trt:{element} token="{profile.token}" fixed="true"><tt:Name>{profile.name}</tt:Name>'
        '<tt:VideoSourceConfiguration token="source_config"><tt:Name>source</tt:Name>'
        f"<tt:UseCount>{len(call.device.profiles)}</tt:UseCount><tt:SourceToken>source</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{source.width}" height="{source.height}"/></tt:VideoSourceConfiguration>'
        f"{_encoder(profile, call)}{_movement(profile)}"
        f"{metadata.of_profile('tt:MetadataConfiguration', profile, call)}</trt:{element}>"
    )


def _encoder(profile: Profile, call: Call) -> str:
    encoder = encoder_of(profile, call)
    if encoder is None:
        return ""
    return (
        f'<tt:VideoEncoderConfiguration token="{profile.token}_encoder"><tt:Name>{profile.token}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{encoder.codec}</tt:Encoding><tt:Resolution>"
        f"<tt:Width>{encoder.width}</tt:Width><tt:Height>{encoder.height}</tt:Height></tt:Resolution>"
        "<tt:Quality>4</tt:Quality>"
        f"<tt:RateControl><tt:FrameRateLimit>{round(profile.frames_per_second)}</tt:FrameRateLimit>"
        "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>"
        f"{_OF_H264 if encoder.codec == 'H264' else ''}"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
        "<tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
    )


def _movement(profile: Profile) -> str:
    if not profile.moves:
        return ""
    return (
        '<tt:PTZConfiguration token="ptz_config"><tt:Name>ptz</tt:Name><tt:UseCount>1</tt:UseCount>'
        "<tt:NodeToken>ptz_node</tt:NodeToken></tt:PTZConfiguration>"
    )


def _get_stream_uri(call: Call) -> str:
    if call.request.argument("Protocol").upper() in _BAD_PROTOCOLS:
        raise SoapFault("Sender", ("InvalidArgVal", "InvalidStreamSetup"), "Only RTSP and UDP are served")
    address = call.device.rtsp_address(call.host, asked_profile(call).rtsp_path)
    return f"<trt:GetStreamUriResponse>{_media_uri(address)}</trt:GetStreamUriResponse>"


def _get_snapshot_uri(call: Call) -> str:
    return f"<trt:GetSnapshotUriResponse>{_media_uri(snapshot_address(call))}</trt:GetSnapshotUriResponse>"


def _get_video_sources(call: Call) -> str:
    source = call.device.profiles[0]
    return (
        '<trt:GetVideoSourcesResponse><trt:VideoSources token="source">'
        f"<tt:Framerate>{source.frames_per_second:g}</tt:Framerate>"
        f"<tt:Resolution><tt:Width>{source.width}</tt:Width><tt:Height>{source.height}</tt:Height></tt:Resolution>"
        "</trt:VideoSources></trt:GetVideoSourcesResponse>"
    )


def _media_uri(address: str) -> str:
    return (
        f"<trt:MediaUri><tt:Uri>{address}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
    )


def _get_compatible_metadata_configurations(call: Call) -> str:
    metadata.must_be_there(call)
    asked_profile(call)
    told = metadata.element("trt:Configurations", call)
    return f"<trt:GetCompatibleMetadataConfigurationsResponse>{told}</trt:GetCompatibleMetadataConfigurationsResponse>"


def _add_metadata_configuration(call: Call) -> str:
    metadata.add(call.request.argument("ConfigurationToken"), asked_profile(call), call)
    return "<trt:AddMetadataConfigurationResponse/>"


def _set_metadata_configuration(call: Call) -> str:
    metadata.change(call)
    return "<trt:SetMetadataConfigurationResponse/>"


def _set_synchronization_point(call: Call) -> str:
    asked_profile(call)
    metadata.synchronize(call)
    return "<trt:SetSynchronizationPointResponse/>"


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetProfiles": _get_profiles,
        "GetProfile": _get_profile,
        "GetStreamUri": _get_stream_uri,
        "GetSnapshotUri": _get_snapshot_uri,
        "GetVideoSources": _get_video_sources,
        "GetCompatibleMetadataConfigurations": _get_compatible_metadata_configurations,
        "AddMetadataConfiguration": _add_metadata_configuration,
        "SetMetadataConfiguration": _set_metadata_configuration,
        "SetSynchronizationPoint": _set_synchronization_point,
    }
)
