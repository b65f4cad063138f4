"""The ONVIF device management service, ver10 (ONVIF Core §8)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from types import MappingProxyType

from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import DEVICE_PATH, MEDIA_PATH
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA_NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"
# Operations of the access class PRE_AUTH need no credentials (ONVIF Core §5.12.1).
PRE_AUTH = frozenset({"GetSystemDateAndTime", "GetCapabilities", "GetServices", "GetServiceCapabilities"})
_SERVICES = ((NAMESPACE, DEVICE_PATH), (_MEDIA_NAMESPACE, MEDIA_PATH))
_LOCAL_ZONE = "CST-8"
_LOCAL_OFFSET = timedelta(hours=8)


def _get_system_date_and_time(call: Call) -> str:
    now = call.device.now()
    utc = "" if "no-utc-time" in call.device.quirks else _date_time("UTCDateTime", now)
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        f"<tt:TimeZone><tt:TZ>{_LOCAL_ZONE}</tt:TZ></tt:TimeZone>"
        f"{utc}{_date_time('LocalDateTime', now + _LOCAL_OFFSET)}"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def _date_time(name: str, at: datetime) -> str:
    return (
        f"<tt:{name}><tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute>"
        f"<tt:Second>{at.second}</tt:Second></tt:Time><tt:Date><tt:Year>{at.year}</tt:Year>"
        f"<tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date></tt:{name}>"
    )


def _get_device_information(call: Call) -> str:
    device = call.device
    return (
        "<tds:GetDeviceInformationResponse>"
        f"<tds:Manufacturer>{escape(device.manufacturer)}</tds:Manufacturer><tds:Model>{escape(device.model)}</tds:Model>"
        f"<tds:FirmwareVersion>{escape(device.firmware)}</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{escape(device.serial)}</tds:SerialNumber>"
        f"<tds:HardwareId>{escape(device.hardware)}</tds:HardwareId></tds:GetDeviceInformationResponse>"
    )


def _get_services(call: Call) -> str:
    if "no-get-services" in call.device.quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    services = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{call.http_address(path)}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in _SERVICES
    )
    return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"


def _get_capabilities(call: Call) -> str:
    wanted = call.request.argument("Category") or "All"
    device = f"<tt:Device><tt:XAddr>{call.http_address(DEVICE_PATH)}</tt:XAddr></tt:Device>"
    media = (
        f"<tt:Media><tt:XAddr>{call.http_address(MEDIA_PATH)}</tt:XAddr><tt:StreamingCapabilities>"
        "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>false</tt:RTP_TCP>"
        "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
    )
    known = {"All": device + media, "Device": device, "Media": media}
    if wanted not in known:
        raise SoapFault("Receiver", ("ActionNotSupported", "NoSuchService"), f"There is no {wanted} service")
    return (
        f"<tds:GetCapabilitiesResponse><tds:Capabilities>{known[wanted]}</tds:Capabilities>"
        "</tds:GetCapabilitiesResponse>"
    )


def _get_service_capabilities(_call: Call) -> str:
    return (
        "<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/>"
        '<tds:Security UsernameToken="true" HttpDigest="true"/><tds:System/></tds:Capabilities>'
        "</tds:GetServiceCapabilitiesResponse>"
    )


def _get_scopes(call: Call) -> str:
    scopes = (
        "onvif://www.onvif.org/type/video_encoder",
        "onvif://www.onvif.org/Profile/Streaming",
        f"onvif://www.onvif.org/name/{call.device.model.replace(' ', '%20')}",
        f"onvif://www.onvif.org/hardware/{call.device.hardware}",
    )
    listed = "".join(
        f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{escape(scope)}</tt:ScopeItem></tds:Scopes>"
        for scope in scopes
    )
    return f"<tds:GetScopesResponse>{listed}</tds:GetScopesResponse>"


def _get_network_interfaces(call: Call) -> str:
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
        "<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>02:00:00:00:00:01</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config>"
        f"<tt:Manual><tt:Address>{escape(call.host)}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
        "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetSystemDateAndTime": _get_system_date_and_time,
        "GetDeviceInformation": _get_device_information,
        "GetServices": _get_services,
        "GetCapabilities": _get_capabilities,
        "GetServiceCapabilities": _get_service_capabilities,
        "GetScopes": _get_scopes,
        "GetNetworkInterfaces": _get_network_interfaces,
    }
)
