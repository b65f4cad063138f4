"""The ONVIF device management service, ver10 (ONVIF Core §8)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from types import MappingProxyType

from gateway.simulators.camera.onvif.call import Call, Operation
from gateway.simulators.camera.onvif.device import (
    DEVICE_PATH,
    EVENT_PATH,
    MEDIA2_PATH,
    MEDIA_PATH,
    PTZ_PATH,
    REPLAY_PATH,
    SEARCH_PATH,
    SimulatedDevice,
)
from gateway.simulators.camera.onvif.soap import SoapFault

NAMESPACE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA_NAMESPACE = "http://www.onvif.org/ver10/media/wsdl"
# Operations of the access class PRE_AUTH need no credentials (ONVIF Core §5.12.1).
PRE_AUTH = frozenset(
    {"GetSystemDateAndTime", "GetCapabilities", "GetServices", "GetServiceCapabilities", "GetEndpointReference"}
)
_MEDIA2_NAMESPACE = "http://www.onvif.org/ver20/media/wsdl"
_EVENTS_NAMESPACE = "http://www.onvif.org/ver10/events/wsdl"
_PTZ_NAMESPACE = "http://www.onvif.org/ver20/ptz/wsdl"
_SEARCH_NAMESPACE = "http://www.onvif.org/ver10/search/wsdl"
_REPLAY_NAMESPACE = "http://www.onvif.org/ver10/replay/wsdl"
_LOCAL_ZONE = "CST-8"
_LOCAL_OFFSET = timedelta(hours=8)


def _get_system_date_and_time(call: Call) -> str:
    if "no-time" in call.device.quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    now = call.device.now()
    utc = "" if "no-utc-time" in call.device.quirks else _date_time("UTCDateTime", now)
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        f"<tt:TimeZone><tt:TZ>{_LOCAL_ZONE}</tt:TZ></tt:TimeZone>"
        f"{utc}{_date_time('LocalDateTime', now + _LOCAL_OFFSET)}"
        "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    ).replace("<tt:Month>", "<tt:Month>7" if "nonsense-time" in call.device.quirks else "<tt:Month>")


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


def services_of(device: SimulatedDevice) -> dict[str, str]:
    """The paths of the services that it names, by namespace."""
    quirks, named = device.quirks, {NAMESPACE: DEVICE_PATH}
    if "media2-only" not in quirks:
        named[_MEDIA_NAMESPACE] = MEDIA_PATH
    if "media1-only" not in quirks:
        named[_MEDIA2_NAMESPACE] = MEDIA2_PATH
    if "events-denied" not in quirks:
        named[_EVENTS_NAMESPACE] = EVENT_PATH
    if device.archive.exists:
        named |= {_SEARCH_NAMESPACE: SEARCH_PATH, _REPLAY_NAMESPACE: REPLAY_PATH}
    return named | {_PTZ_NAMESPACE: PTZ_PATH}


def _get_services(call: Call) -> str:
    if "no-get-services" in call.device.quirks:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")
    services = "".join(
        f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{call.http_address(path)}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for namespace, path in services_of(call.device).items()
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
    named = services_of(call.device)
    media = media if _MEDIA_NAMESPACE in named else ""
    events = (
        f"<tt:Events><tt:XAddr>{call.http_address(EVENT_PATH)}</tt:XAddr>"
        "<tt:WSSubscriptionPolicySupport>true</tt:WSSubscriptionPolicySupport>"
        "<tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
        "<tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>"
        "</tt:Events>"
    ) * (_EVENTS_NAMESPACE in named)
    movement = f"<tt:PTZ><tt:XAddr>{call.http_address(PTZ_PATH)}</tt:XAddr></tt:PTZ>"
    known = {
        "All": device + events + media + movement,
        "Device": device,
        "Events": events,
        "Media": media,
        "PTZ": movement,
    }
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
        f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{call.device.mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
        "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config>"
        f"<tt:Manual><tt:Address>{escape(call.host)}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
        "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def _get_endpoint_reference(call: Call) -> str:
    guid = f"<tds:GUID>{call.device.endpoint}</tds:GUID>"
    return f"<tds:GetEndpointReferenceResponse>{guid}</tds:GetEndpointReferenceResponse>"


def _get_relay_outputs(call: Call) -> str:
    relays = "".join(
        f'<tds:RelayOutputs token="{token}"><tt:Properties><tt:Mode>Bistable</tt:Mode><tt:DelayTime>PT0S</tt:DelayTime>'
        "<tt:IdleState>open</tt:IdleState></tt:Properties></tds:RelayOutputs>"
        for token in call.device.relays
    )
    return f"<tds:GetRelayOutputsResponse>{relays}</tds:GetRelayOutputsResponse>"


def _set_relay_output_state(call: Call) -> str:
    token, state = call.request.argument("RelayOutputToken"), call.request.argument("LogicalState")
    if token not in call.device.relays or state not in ("active", "inactive"):
        raise SoapFault("Sender", ("InvalidArgVal", "RelayToken"), "Unknown relay token reference")
    call.device.relays[token] = state == "active"
    return "<tds:SetRelayOutputStateResponse/>"


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "GetSystemDateAndTime": _get_system_date_and_time,
        "GetDeviceInformation": _get_device_information,
        "GetServices": _get_services,
        "GetCapabilities": _get_capabilities,
        "GetServiceCapabilities": _get_service_capabilities,
        "GetScopes": _get_scopes,
        "GetNetworkInterfaces": _get_network_interfaces,
        "GetEndpointReference": _get_endpoint_reference,
        "GetRelayOutputs": _get_relay_outputs,
        "SetRelayOutputState": _set_relay_output_state,
    }
)
