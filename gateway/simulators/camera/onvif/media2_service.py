"""The ONVIF media service, ver20 (ONVIF Media2 Service §5)."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import Profile
from gateway.simulators.camera.onvif.media_service import asked_profile, encoder_of, shown_profiles, snapshot_address

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
        f'height="{source.height}"/></tr2:VideoSource>{coded}{_movement(profile)}</tr2:Configurations></tr2:Profiles>'
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


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {"GetProfiles": _get_profiles, "GetStreamUri": _get_stream_uri, "GetSnapshotUri": _get_snapshot_uri}
)
