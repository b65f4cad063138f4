"""What comes in from an endpoint or a broker, and what goes back to a button."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One MQTT message.

    Attributes:
        origin: who delivered it, for faults: client id of the endpoint, or the broker.
        retain: it was kept by a broker, or the sender wants it kept.
        replayed: it was kept by a broker and says nothing of now.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    replayed: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How a camera's dry contact is.

    Attributes:
        input: its token; empty if the camera does not say which.
        active: as the camera says it.
        initial: it is so when the camera is heard again; nobody saw it change.
        at: when, aware.
    """

    camera: str
    input: str
    active: bool
    initial: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """An answer to a button: `state` is received, acknowledged or resolved."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """What the endpoint holds and did."""

    connections: int
    sessions: int
    messages: int
    refused: int
