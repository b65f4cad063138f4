"""What a camera's dry contact says of a device that is wired to it; pure."""

from gateway.alarms.dialects.onvif import CONTACT
from gateway.alarms.dialects.said import Condition
from gateway.alarms.messages import Contact, InboundMessage
from gateway.settings import DeviceSettings

_UNHEARD = "changed while the camera was not heard"


def message_of(contact: Contact) -> InboundMessage:
    """The contact's word as a message, for faults."""
    return InboundMessage(
        topic=f"onvif/{contact.camera}/{contact.input}",
        payload=b"active" if contact.active else b"inactive",
        origin=f"camera {contact.camera}",
    )


def condition_of(contact: Contact, device: DeviceSettings) -> Condition:
    """Whether the device alarms by it: a contact that is open at rest by closing, one that is closed by opening."""
    return Condition(
        name=CONTACT,
        active=contact.active != (device.normally == "closed"),
        part=contact.input,
        at=None if contact.initial else contact.at,
        detail=_UNHEARD if contact.initial else None,
    )
