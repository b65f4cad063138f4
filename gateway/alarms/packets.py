"""The control packets of MQTT 5 (OASIS Standard, 7 March 2019) and 3.1.1 (29 October 2014) as frozen values.

What 3.1.1 does not have (reasons, properties) stays at its default there.
"""

from dataclasses import dataclass, field

from gateway.alarms.properties import NOTHING, Properties

LEVEL_311, LEVEL_5 = 4, 5
QOS_MASK, NO_LOCAL, RETAIN_AS_PUBLISHED = 0x03, 0x04, 0x08
RETAIN_HANDLING_SHIFT, RETAIN_IF_NEW, RETAIN_NEVER = 4, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What is published when a client is lost (§3.1.2.5, §3.1.3.2)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """CONNECT (§3.1); `clean_session` is called Clean Start in MQTT 5."""

    client_id: str
    clean_session: bool = True
    keepalive: int = 0
    will: Will | None = None
    username: str | None = None
    password: bytes | None = field(default=None, repr=False)
    protocol_level: int = LEVEL_311
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Connack:
    """CONNACK (§3.2); `code` is a return code of 3.1.1 (0 accepted to 5 not authorised) or a reason of MQTT 5."""

    session_present: bool = False
    code: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """PUBLISH (§3.3); `packet_id` is 0 with QoS 0, `topic` is empty where an alias stands for it."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Puback:
    """PUBACK (§3.4)."""

    packet_id: int
    reason: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Pubrec:
    """PUBREC (§3.5)."""

    packet_id: int
    reason: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Pubrel:
    """PUBREL (§3.6)."""

    packet_id: int
    reason: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Pubcomp:
    """PUBCOMP (§3.7)."""

    packet_id: int
    reason: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (§3.8): topic filters, each with its options byte (§3.8.3.1), in 3.1.1 the QoS alone."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Suback:
    """SUBACK (§3.9): the QoS granted for each filter, or why it was refused."""

    packet_id: int
    codes: tuple[int, ...]
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE (§3.10)."""

    packet_id: int
    filters: tuple[str, ...]
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Unsuback:
    """UNSUBACK (§3.11); `codes` only in MQTT 5, one for each filter."""

    packet_id: int
    codes: tuple[int, ...] = ()
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Pingreq:
    """PINGREQ (§3.12)."""


@dataclass(frozen=True, slots=True)
class Pingresp:
    """PINGRESP (§3.13)."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT (§3.14)."""

    reason: int = 0
    properties: Properties = NOTHING


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (§3.15), in MQTT 5 only."""

    reason: int = 0
    properties: Properties = NOTHING


Packet = (
    Connect
    | Connack
    | Publish
    | Puback
    | Pubrec
    | Pubrel
    | Pubcomp
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
    | Auth
)
