"""The properties of MQTT 5 (§2.2.2): read against the table of what each packet may carry, written in its order."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

from gateway.alarms.reasons import Reason
from gateway.alarms.wireformat import (
    Cursor,
    MalformedPacketError,
    ProtocolBreachError,
    put_binary,
    put_length,
    put_string,
)

WILL, CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0, 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH = 8, 9, 10, 11, 14, 15
_ANSWERS = (CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)
_EVERYWHERE = (WILL, CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, *_ANSWERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What a packet of MQTT 5 says beside its fields; None or empty: it says nothing.

    Attributes:
        payload_format: 1 if the payload is UTF-8 text.
        message_expiry, session_expiry, will_delay: in seconds.
        subscription_ids: of the subscriptions that a message goes out for; of a SUBSCRIBE at most one.
        user: names with values, in order, repeated names allowed.
    """

    payload_format: int | None = None
    message_expiry: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    subscription_ids: tuple[int, ...] = ()
    session_expiry: int | None = None
    assigned_client_id: str | None = None
    server_keep_alive: int | None = None
    authentication_method: str | None = None
    authentication_data: bytes | None = None
    request_problem_information: int | None = None
    will_delay: int | None = None
    request_response_information: int | None = None
    response_information: str | None = None
    server_reference: str | None = None
    reason_string: str | None = None
    receive_maximum: int | None = None
    topic_alias_maximum: int | None = None
    topic_alias: int | None = None
    maximum_qos: int | None = None
    retain_available: int | None = None
    user: tuple[tuple[str, str], ...] = ()
    maximum_packet_size: int | None = None
    wildcard_available: int | None = None
    subscription_ids_available: int | None = None
    shared_available: int | None = None


NOTHING: Final = Properties()


def _flag(cursor: Cursor) -> int:
    if (value := cursor.byte()) > 1:
        raise ProtocolBreachError("a property that is neither 0 nor 1")
    return value


def _pair(cursor: Cursor) -> tuple[str, str]:
    return cursor.string(), cursor.string()


def _put_pair(pair: tuple[str, str]) -> bytes:
    return put_string(pair[0]) + put_string(pair[1])


_Read = Callable[[Cursor], Any]
_Write = Callable[[Any], bytes]
_BYTE: tuple[_Read, _Write] = (_flag, lambda value: bytes([value]))
_WORD: tuple[_Read, _Write] = (Cursor.word, lambda value: value.to_bytes(2, "big"))
_LONG: tuple[_Read, _Write] = (Cursor.long, lambda value: value.to_bytes(4, "big"))
_VARIABLE: tuple[_Read, _Write] = (Cursor.variable, put_length)
_STRING: tuple[_Read, _Write] = (Cursor.string, put_string)
_BINARY: tuple[_Read, _Write] = (Cursor.binary, put_binary)
_PAIR: tuple[_Read, _Write] = (_pair, _put_pair)

# Table 2-4: identifier → name, form, the packets that may carry it.
_TABLE: dict[int, tuple[str, tuple[_Read, _Write], tuple[int, ...]]] = {
    0x01: ("payload_format", _BYTE, (PUBLISH, WILL)),
    0x02: ("message_expiry", _LONG, (PUBLISH, WILL)),
    0x03: ("content_type", _STRING, (PUBLISH, WILL)),
    0x08: ("response_topic", _STRING, (PUBLISH, WILL)),
    0x09: ("correlation_data", _BINARY, (PUBLISH, WILL)),
    0x0B: ("subscription_ids", _VARIABLE, (PUBLISH, SUBSCRIBE)),
    0x11: ("session_expiry", _LONG, (CONNECT, CONNACK, DISCONNECT)),
    0x12: ("assigned_client_id", _STRING, (CONNACK,)),
    0x13: ("server_keep_alive", _WORD, (CONNACK,)),
    0x15: ("authentication_method", _STRING, (CONNECT, CONNACK, AUTH)),
    0x16: ("authentication_data", _BINARY, (CONNECT, CONNACK, AUTH)),
    0x17: ("request_problem_information", _BYTE, (CONNECT,)),
    0x18: ("will_delay", _LONG, (WILL,)),
    0x19: ("request_response_information", _BYTE, (CONNECT,)),
    0x1A: ("response_information", _STRING, (CONNACK,)),
    0x1C: ("server_reference", _STRING, (CONNACK, DISCONNECT)),
    0x1F: ("reason_string", _STRING, _ANSWERS),
    0x21: ("receive_maximum", _WORD, (CONNECT, CONNACK)),
    0x22: ("topic_alias_maximum", _WORD, (CONNECT, CONNACK)),
    0x23: ("topic_alias", _WORD, (PUBLISH,)),
    0x24: ("maximum_qos", _BYTE, (CONNACK,)),
    0x25: ("retain_available", _BYTE, (CONNACK,)),
    0x26: ("user", _PAIR, _EVERYWHERE),
    0x27: ("maximum_packet_size", _LONG, (CONNECT, CONNACK)),
    0x28: ("wildcard_available", _BYTE, (CONNACK,)),
    0x29: ("subscription_ids_available", _BYTE, (CONNACK,)),
    0x2A: ("shared_available", _BYTE, (CONNACK,)),
}
_IDENTIFIERS = {name: identifier for identifier, (name, _form, _where) in _TABLE.items()}
_ORDER = tuple(field.name for field in fields(Properties))
MOST_OF_A_NAME = 500  # a packet is read at one go, before its sender has said who it is, and a press waits behind it
_MANY = {"user": _EVERYWHERE, "subscription_ids": (PUBLISH,)}
_NEVER_ZERO = {
    "receive_maximum": Reason.PROTOCOL_ERROR,
    "maximum_packet_size": Reason.PROTOCOL_ERROR,
    "subscription_ids": Reason.PROTOCOL_ERROR,
    "topic_alias": Reason.TOPIC_ALIAS_INVALID,
}


def read_properties(cursor: Cursor, packet: int) -> Properties:
    """The properties of a packet of type `packet` (0: of a will).

    Raises:
        MalformedPacketError: an identifier that the standard does not know, or not there.
        ProtocolBreachError: one is there twice, or has a value that it may not have (§2.2.2.2, §3.1.2.11 ff.); or one
            that may be repeated is there more than 500 times.
    """
    length = cursor.variable()
    if not length:
        return NOTHING
    inner = Cursor(cursor.take(length))
    found: dict[str, Any] = {}
    while not inner.at_end:
        _read_one(inner, packet, found)
    if "authentication_data" in found and "authentication_method" not in found:
        raise ProtocolBreachError("authentication data without a method")
    for name in _MANY.keys() & found.keys():
        found[name] = tuple(found[name])
    return Properties(**found)


def _read_one(inner: Cursor, packet: int, found: dict[str, Any]) -> None:
    identifier = inner.variable()
    known = _TABLE.get(identifier)
    if known is None or packet not in known[2]:
        raise MalformedPacketError(f"property {identifier:#x} in a packet of type {packet}")
    name, (read, _write), _where = known
    value = read(inner)
    if not value and name in _NEVER_ZERO:
        raise ProtocolBreachError(f"{name} 0", _NEVER_ZERO[name])
    if name in _MANY:
        if name in found and packet not in _MANY[name]:
            raise ProtocolBreachError(f"{name} twice")
        many = found.setdefault(name, [])
        if len(many) == MOST_OF_A_NAME:
            raise ProtocolBreachError(f"more than {MOST_OF_A_NAME} of {name} in one packet", Reason.QUOTA_EXCEEDED)
        many.append(value)
        return
    if name in found:
        raise ProtocolBreachError(f"{name} twice")
    if name == "response_topic" and (not value or "+" in value or "#" in value):
        raise ProtocolBreachError("a response topic that is empty or holds a wildcard", Reason.TOPIC_NAME_INVALID)
    found[name] = value


def put_properties(properties: Properties) -> bytes:
    """The properties with their length before them; what a packet may carry is the caller's business."""
    if properties is NOTHING:
        return b"\0"
    body = bytearray()
    for name in _ORDER:
        value = getattr(properties, name)
        if value is None or value == ():
            continue
        identifier = _IDENTIFIERS[name]
        write = _TABLE[identifier][1][1]
        for each in value if name in _MANY else (value,):
            body.append(identifier)
            body += write(each)
    return put_length(len(body)) + bytes(body)
