"""The ONVIF media service, ver10 (ONVIF Media Service §5)."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import SNAPSHOT_PATH, Profile
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"
_BAD_PROTOCOLS = frozenset({"HTTP"})


def _get_profiles(call: Call) -> str:
    shown = () if "no-profiles" in call.device.quirks else call.device.profiles
    profiles = "".join(_profile("Profiles", profile, call) for profile in shown)
    return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"


def _get_profile(call: Call) -> str:
    return f"<trt:GetProfileResponse>{_profile('Profile', _asked(call), call)}</trt:GetProfileResponse>"


def _profile(element: str, profile: Profile, call: Call) -> str:
    width, height = profile.width, profile.height
    source = call.device.profiles[0]
    if "wrong-size" in call.device.quirks:
        width, height = width // 2, height // 2
    return (
        f'<trt:{element} token="{profile.token}" fixed="true"><tt:Name>{profile.token}</tt:Name>'
        '<tt:VideoSourceConfiguration token="source_config"><tt:Name>source</tt:Name>'
        f"<tt:UseCount>{len(call.device.profiles)}</tt:UseCount><tt:SourceToken>source</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{source.width}" height="{source.height}"/></tt:VideoSourceConfiguration>'
        f'<tt:VideoEncoderConfiguration token="{profile.token}_encoder"><tt:Name>{profile.token}</tt:Name>'
        "<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
        "<tt:Quality>4</tt:Quality>"
        f"<tt:RateControl><tt:FrameRateLimit>{round(profile.frames_per_second)}</tt:FrameRateLimit>"
        "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>"
        "<tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
        "<tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        f"<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:{element}>"
    )


def _get_stream_uri(call: Call) -> str:
    if call.request.argument("Protocol").upper() in _BAD_PROTOCOLS:
        raise SoapFault("Sender", ("InvalidArgVal", "InvalidStreamSetup"), "Only RTSP and UDP are served")
    address = call.device.rtsp_address(call.host, _asked(call).rtsp_path)
    return f"<trt:GetStreamUriResponse>{_media_uri(address)}</trt:GetStreamUriResponse>"


def _get_snapshot_uri(call: Call) -> str:
    _asked(call)
    if "no-snapshot" in call.device.quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    address = call.http_address(SNAPSHOT_PATH)
    return f"<trt:GetSnapshotUriResponse>{_media_uri(address)}</trt:GetSnapshotUriResponse>"


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


def _asked(call: Call) -> Profile:
    profile = call.device.profile(call.request.argument("ProfileToken"))
    if profile is None:
        raise SoapFault("Sender", ("InvalidArgVal", "NoProfile"), "The requested profile token does not exist")
    return profile


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetProfiles": _get_profiles,
        "GetProfile": _get_profile,
        "GetStreamUri": _get_stream_uri,
        "GetSnapshotUri": _get_snapshot_uri,
        "GetVideoSources": _get_video_sources,
    }
)
