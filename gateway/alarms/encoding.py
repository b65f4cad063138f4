"""MQTT packets to bytes, in either version."""

from gateway.alarms import properties as props
from gateway.alarms.packets import (
    LEVEL_5,
    LEVEL_311,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from gateway.alarms.properties import NOTHING, Properties, put_properties
from gateway.alarms.wireformat import MalformedPacketError, put_binary, put_length, put_string

_CLEAN, _WILL, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x02, 0x04, 0x20, 0x40, 0x80
_PINGS: dict[type[Packet], bytes] = {Pingreq: b"\xc0\x00", Pingresp: b"\xd0\x00"}
# First bytes of the four acknowledgements; PUBREL has a flag that is reserved (§2.1.3).
_ANSWERS = (Puback, Pubrec, Pubrel, Pubcomp)
_ACKNOWLEDGEMENTS: dict[type[Packet], int] = {Puback: 0x40, Pubrec: 0x50, Pubrel: 0x62, Pubcomp: 0x70}


def encode_packet(packet: Packet, level: int = LEVEL_311) -> bytes:
    """The bytes of one packet (§2.1).

    Args:
        packet: what is sent; a CONNECT is written in the version that it names.
        level: 4 (3.1.1) or 5; reasons and properties are left out in 3.1.1.

    Raises:
        MalformedPacketError: a field does not fit into MQTT.
    """
    kind = type(packet)
    if kind in _PINGS:
        return _PINGS[kind]
    if isinstance(packet, Publish):
        return _publish(packet, level)
    if isinstance(packet, _ANSWERS):
        return _acknowledgement(_ACKNOWLEDGEMENTS[kind], packet, level)
    head, body = _body(packet, level)
    return bytes([head]) + put_length(len(body)) + body


def _publish(packet: Publish, level: int) -> bytes:
    """§3.3."""
    head = 0x30 | packet.dup << 3 | packet.qos << 1 | packet.retain
    identifier = packet.packet_id.to_bytes(2, "big") if packet.qos else b""
    body = put_string(packet.topic) + identifier + _put(packet.properties, level) + packet.payload
    return bytes([head]) + put_length(len(body)) + body


def _acknowledgement(head: int, packet: Puback | Pubrec | Pubrel | Pubcomp, level: int) -> bytes:
    """§3.4 to §3.7: the reason is left out if it is 0 and no property follows, the properties if there are none."""
    identifier = packet.packet_id.to_bytes(2, "big")
    if level < LEVEL_5:
        return bytes([head, 2]) + identifier
    rest = _reason(packet.reason, packet.properties)
    return bytes([head]) + put_length(2 + len(rest)) + identifier + rest


def _reason(reason: int, properties: Properties) -> bytes:
    if properties is NOTHING:
        return bytes([reason]) if reason else b""
    return bytes([reason]) + put_properties(properties)


def _put(properties: Properties, level: int) -> bytes:
    return put_properties(properties) if level >= LEVEL_5 else b""


def _body(packet: Packet, level: int) -> tuple[int, bytes]:
    match packet:
        case Connect():
            return props.CONNECT << 4, _connect(packet)
        case Connack():
            return props.CONNACK << 4, bytes([packet.session_present, packet.code]) + _put(packet.properties, level)
        case Subscribe():
            filters = b"".join(put_string(pattern) + bytes([options]) for pattern, options in packet.filters)
            return 0x82, packet.packet_id.to_bytes(2, "big") + _put(packet.properties, level) + filters
        case Suback():
            identifier = packet.packet_id.to_bytes(2, "big")
            return props.SUBACK << 4, identifier + _put(packet.properties, level) + bytes(packet.codes)
        case Unsubscribe():
            filters = b"".join(put_string(pattern) for pattern in packet.filters)
            return 0xA2, packet.packet_id.to_bytes(2, "big") + _put(packet.properties, level) + filters
    return _body_of_the_rest(packet, level)


def _body_of_the_rest(packet: Packet, level: int) -> tuple[int, bytes]:
    match packet:
        case Unsuback():
            codes = bytes(packet.codes) if level >= LEVEL_5 else b""
            body = packet.packet_id.to_bytes(2, "big") + _put(packet.properties, level) + codes
            return props.UNSUBACK << 4, body
        case Disconnect():
            return props.DISCONNECT << 4, _reason(packet.reason, packet.properties) if level >= LEVEL_5 else b""
        case Auth():
            return props.AUTH << 4, _reason(packet.reason, packet.properties)
    raise MalformedPacketError(f"{type(packet).__name__} cannot be encoded")


def _connect(packet: Connect) -> bytes:
    """§3.1."""
    will, level = packet.will, packet.protocol_level
    flags = _CLEAN * packet.clean_session | _USERNAME * (packet.username is not None)
    flags |= _PASSWORD * (packet.password is not None)
    body = bytearray(_put(packet.properties, level) + put_string(packet.client_id))
    if will is not None:
        flags |= _WILL | will.qos << 3 | _WILL_RETAIN * will.retain
        body += _put(will.properties, level) + put_string(will.topic) + put_binary(will.payload)
    if packet.username is not None:
        body += put_string(packet.username)
    if packet.password is not None:
        body += put_binary(packet.password)
    head = put_string("MQTT") + bytes([level, flags]) + packet.keepalive.to_bytes(2, "big")
    return head + bytes(body)
