"""A dry contact of an ONVIF camera: what comes of it comes from the devices child, not by a topic."""

from gateway.alarms.dialects.said import Dialect, PayloadError, Said

CONTACT = "contact"


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """No message is of this dialect.

    Raises:
        PayloadError: always.
    """
    raise PayloadError("a camera's contact is heard over ONVIF, not by MQTT", where="topic", code="payload_contact")


DIALECT = Dialect(name="onvif", decode=decode, topics=lambda _address: (), address="", meanings={CONTACT: "press"})
