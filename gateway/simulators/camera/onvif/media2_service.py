"""The ONVIF media service, ver20 (ONVIF Media2 Service §5)."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulators.camera.onvif import metadata_configuration as metadata
from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import Profile
from gateway.simulators.camera.onvif.media_service import asked_profile, encoder_of, shown_profiles, snapshot_address
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver20/media/wsdl"


def _get_profiles(call: Call) -> str:
    wanted = call.request.argument("Token")
    shown = [each for each in shown_profiles(call) if wanted in ("", each.token)]
    return f"<tr2:GetProfilesResponse>{''.join(_profile(each, call) for each in shown)}</tr2:GetProfilesResponse>"


def _profile(profile: Profile, call: Call) -> str:
    source, encoder = call.device.profiles[0], encoder_of(profile, call)
    coded = ""
    if encoder is not None:
        coded = (
            f'<tr2:VideoEncoder token="{profile.token}_encoder" GovLength="50" Profile="Main">'
            f"<tt:Name>{profile.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{encoder.codec}</tt:Encoding>"
            f"<tt:Resolution><tt:Width>{encoder.width}</tt:Width><tt:Height>{encoder.height}</tt:Height>"
            f'</tt:Resolution><tt:RateControl ConstantBitRate="false">'
            f"<tt:FrameRateLimit>{profile.frames_per_second:g}</tt:FrameRateLimit>"
            "<tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality></tr2:VideoEncoder>"
        )
    return (
        f'<tr2:Profiles token="{profile.token}" fixed="true"><tr2:Name>{profile.name}</tr2:Name><tr2:Configurations>'
        '<tr2:VideoSource token="source_config"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount>'
        f'<tt:SourceToken>source</tt:SourceToken><tt:Bounds x="0" y="0" width="{source.width}" '
        f'height="{source.height}"/></tr2:VideoSource>{coded}{_movement(profile)}'
        f"{metadata.of_profile('tr2:Metadata', profile, call)}</tr2:Configurations></tr2:Profiles>"
    )


def _movement(profile: Profile) -> str:
    if not profile.moves:
        return ""
    return (
        '<tr2:PTZ token="ptz_config"><tt:Name>ptz</tt:Name><tt:UseCount>1</tt:UseCount>'
        "<tt:NodeToken>ptz_node</tt:NodeToken></tr2:PTZ>"
    )


def _get_stream_uri(call: Call) -> str:
    address = call.device.rtsp_address(call.host, asked_profile(call).rtsp_path)
    return f"<tr2:GetStreamUriResponse><tr2:Uri>{address}</tr2:Uri></tr2:GetStreamUriResponse>"


def _get_snapshot_uri(call: Call) -> str:
    return f"<tr2:GetSnapshotUriResponse><tr2:Uri>{snapshot_address(call)}</tr2:Uri></tr2:GetSnapshotUriResponse>"


def _get_metadata_configurations(call: Call) -> str:
    metadata.must_be_there(call)
    told = metadata.element("tr2:Configurations", call)
    return f"<tr2:GetMetadataConfigurationsResponse>{told}</tr2:GetMetadataConfigurationsResponse>"


def _add_configuration(call: Call) -> str:
    said = call.request.operation.find("{*}Configuration")
    if said is None or said.findtext("{*}Type") != "Metadata":
        raise SoapFault("Sender", ("InvalidArgVal", "ConfigurationConflict"), "Only metadata can be added")
    metadata.add(said.findtext("{*}Token") or "", asked_profile(call), call)
    return "<tr2:AddConfigurationResponse/>"


def _set_metadata_configuration(call: Call) -> str:
    metadata.change(call)
    return "<tr2:SetMetadataConfigurationResponse/>"


def _set_synchronization_point(call: Call) -> str:
    asked_profile(call)
    metadata.synchronize(call)
    return "<tr2:SetSynchronizationPointResponse/>"


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetProfiles": _get_profiles,
        "GetStreamUri": _get_stream_uri,
        "GetSnapshotUri": _get_snapshot_uri,
        "GetMetadataConfigurations": _get_metadata_configurations,
        "AddConfiguration": _add_configuration,
        "SetMetadataConfiguration": _set_metadata_configuration,
        "SetSynchronizationPoint": _set_synchronization_point,
    }
)
