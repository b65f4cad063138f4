"""The metadata configuration in both media services (tt:MetadataConfiguration; ONVIF Media §5.10, Media2 §5.3)."""

from gateway.simulators.camera.onvif.call import Call
from gateway.simulators.camera.onvif.device import Profile
from gateway.simulators.camera.onvif.soap import SoapFault

TOKEN = "metadata_config"  # noqa: S105  # a name


def element(name: str, call: Call) -> str:
    """The configuration as an element of that name."""
    events = "<tt:Events/>" if call.device.metadata.events else ""
    return (
        f'<{name} token="{TOKEN}"><tt:Name>metadata</tt:Name>'
        f"<tt:UseCount>{len(call.device.metadata.profiles)}</tt:UseCount>{events}<tt:Analytics>false</tt:Analytics>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
        "<tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        f"<tt:SessionTimeout>PT60S</tt:SessionTimeout></{name}>"
    )


def of_profile(name: str, profile: Profile, call: Call) -> str:
    """The configuration in a profile that has it; else empty."""
    return element(name, call) if profile.token in call.device.metadata.profiles else ""


def must_be_there(call: Call) -> None:
    """Refuse what is asked of a camera that has no metadata.

    Raises:
        SoapFault: it has none.
    """
    if not call.device.quirks.metadata_only:
        raise SoapFault("Receiver", ("ActionNotSupported",), "Optional Action Not Implemented")


def add(token: str, profile: Profile, call: Call) -> None:
    """Give the configuration to a profile.

    Raises:
        SoapFault: there is none of that token.
    """
    must_be_there(call)
    if token != TOKEN:
        raise SoapFault("Sender", ("InvalidArgVal", "NoConfig"), "The requested configuration does not exist")
    call.device.metadata.profiles.add(profile.token)


def change(call: Call) -> None:
    """SetMetadataConfiguration, of which events alone matter here.

    Raises:
        SoapFault: there is none of that token.
    """
    must_be_there(call)
    said = call.request.operation.find("{*}Configuration")
    if said is None or said.get("token") != TOKEN:
        raise SoapFault("Sender", ("InvalidArgVal", "NoConfig"), "The requested configuration does not exist")
    call.device.metadata.events = said.find("{*}Events") is not None


def synchronize(call: Call) -> None:
    """SetSynchronizationPoint: all states are told anew in the stream."""
    must_be_there(call)
    call.device.metadata.synchronize()
