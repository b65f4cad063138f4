"""MQTT 3.1.1 packets to bytes and back: strict, incremental, bounded."""

from collections.abc import Callable, Iterator

from gateway.alarms.packets import (
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
    Will,
)
from gateway.alarms.wireformat import (
    Cursor,
    MalformedPacketError,
    PacketTooLargeError,
    UnsupportedProtocolError,
    check_filter,
    check_topic,
    put_binary,
    put_length,
    put_string,
)

_LEVEL = 4
_MAX_QOS = 2
_FAILURE = 0x80
_LENGTH_BYTES = 4
_RESERVED, _CLEAN, _WILL, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x01, 0x02, 0x04, 0x20, 0x40, 0x80
# Packet types (§2.2.1) with the flags that each must have (§2.2.2); PUBLISH has flags of its own.
_FLAGS = {1: 0, 2: 0, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 9: 0, 10: 2, 11: 0, 12: 0, 13: 0, 14: 0}
_PUBLISH = 3


class PacketReader:
    """Cuts a stream of bytes into packets.

    Args:
        max_packet_bytes: a longer packet is refused as soon as its length is known.
    """

    def __init__(self, max_packet_bytes: int) -> None:
        self._limit = max_packet_bytes
        self._buffer = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes of a packet that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are whole with `data`.

        Raises:
            MalformedPacketError: what came is no packet.
            PacketTooLargeError: it is longer than the limit.
        """
        self._buffer += data
        while (found := self._next()) is not None:
            yield decode_packet(*found)

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        length, place = 0, 1
        while True:
            if place >= len(buffer):
                return None
            if place > _LENGTH_BYTES:
                raise MalformedPacketError("a remaining length of more than four bytes")
            digit = buffer[place]
            length |= (digit & 0x7F) << 7 * (place - 1)
            place += 1
            if digit < _FAILURE:
                break
        if place + length > self._limit:
            raise PacketTooLargeError(f"a packet of {place + length} bytes; at most {self._limit} are taken")
        if len(buffer) < place + length:
            return None
        head, body = buffer[0], bytes(buffer[place : place + length])
        del buffer[: place + length]
        return head, body


def decode_packet(head: int, body: bytes) -> Packet:
    """One packet of its first byte and what follows its length.

    Raises:
        MalformedPacketError: it breaks the standard.
    """
    kind, flags = head >> 4, head & 0x0F
    if kind == _PUBLISH:
        return _publish(flags, body)
    if kind not in _FLAGS or flags != _FLAGS[kind]:
        raise MalformedPacketError(f"packet type {kind} with flags {flags:#x}")
    cursor = Cursor(body)
    packet = _DECODERS[kind](cursor)
    cursor.finish()
    return packet


def _connect(cursor: Cursor) -> Connect:
    name, level = cursor.string(), cursor.byte()
    if name not in ("MQTT", "MQIsdp"):
        raise MalformedPacketError("a CONNECT of another protocol")
    if name != "MQTT" or level != _LEVEL:
        raise UnsupportedProtocolError(f"MQTT protocol level {level}; this endpoint speaks 3.1.1 (level {_LEVEL})")
    flags = cursor.byte()
    _check_connect_flags(flags)
    keepalive, client_id = cursor.word(), cursor.string()
    will = None
    if flags & _WILL:
        topic, payload = check_topic(cursor.string()), cursor.binary()
        will = Will(topic=topic, payload=payload, qos=flags >> 3 & 3, retain=bool(flags & _WILL_RETAIN))
    return Connect(
        client_id=client_id,
        clean_session=bool(flags & _CLEAN),
        keepalive=keepalive,
        will=will,
        username=cursor.string() if flags & _USERNAME else None,
        password=cursor.binary() if flags & _PASSWORD else None,
    )


def _check_connect_flags(flags: int) -> None:
    """§3.1.2.3 to §3.1.2.9."""
    will_bits = flags & 0x38
    if flags & _RESERVED or (flags >> 3 & 3) > _MAX_QOS:
        raise MalformedPacketError("CONNECT flags that the standard reserves")
    if (not flags & _WILL and will_bits) or (flags & _PASSWORD and not flags & _USERNAME):
        raise MalformedPacketError("CONNECT flags that contradict each other")


def _connack(cursor: Cursor) -> Connack:
    flags, code = cursor.byte(), cursor.byte()
    if flags > 1:
        raise MalformedPacketError("CONNACK flags that the standard reserves")
    return Connack(session_present=bool(flags), code=code)


def _publish(flags: int, body: bytes) -> Publish:
    qos = flags >> 1 & 3
    if qos > _MAX_QOS or (flags & 8 and not qos):
        raise MalformedPacketError("PUBLISH with QoS 3, or a duplicate with QoS 0")
    cursor = Cursor(body)
    topic = check_topic(cursor.string())
    packet_id = cursor.packet_id() if qos else 0
    retain, dup = bool(flags & 1), bool(flags & 8)
    return Publish(topic=topic, payload=cursor.rest(), qos=qos, retain=retain, dup=dup, packet_id=packet_id)


def _subscribe(cursor: Cursor) -> Subscribe:
    packet_id, filters = cursor.packet_id(), []
    while not cursor.at_end:
        pattern, qos = check_filter(cursor.string()), cursor.byte()
        if qos > _MAX_QOS:
            raise MalformedPacketError("SUBSCRIBE with a QoS above 2")
        filters.append((pattern, qos))
    if not filters:
        raise MalformedPacketError("SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def _suback(cursor: Cursor) -> Suback:
    packet_id, codes = cursor.packet_id(), tuple(cursor.rest())
    if not codes or any(code > _MAX_QOS and code != _FAILURE for code in codes):
        raise MalformedPacketError("SUBACK with a code that the standard reserves")
    return Suback(packet_id, codes)


def _unsubscribe(cursor: Cursor) -> Unsubscribe:
    packet_id, filters = cursor.packet_id(), []
    while not cursor.at_end:
        filters.append(check_filter(cursor.string()))
    if not filters:
        raise MalformedPacketError("UNSUBSCRIBE without a filter")
    return Unsubscribe(packet_id, tuple(filters))


_DECODERS: dict[int, Callable[[Cursor], Packet]] = {
    1: _connect,
    2: _connack,
    4: lambda cursor: Puback(cursor.packet_id()),
    5: lambda cursor: Pubrec(cursor.packet_id()),
    6: lambda cursor: Pubrel(cursor.packet_id()),
    7: lambda cursor: Pubcomp(cursor.packet_id()),
    8: _subscribe,
    9: _suback,
    10: _unsubscribe,
    11: lambda cursor: Unsuback(cursor.packet_id()),
    12: lambda _cursor: Pingreq(),
    13: lambda _cursor: Pingresp(),
    14: lambda _cursor: Disconnect(),
}

_EMPTY: dict[type[Packet], int] = {Pingreq: 0xC0, Pingresp: 0xD0, Disconnect: 0xE0}
_ONLY_ID: dict[type[Packet], int] = {Puback: 0x40, Pubrec: 0x50, Pubrel: 0x62, Pubcomp: 0x70, Unsuback: 0xB0}


def encode_packet(packet: Packet) -> bytes:
    """The bytes of one packet.

    Raises:
        MalformedPacketError: a field does not fit into MQTT.
    """
    kind = type(packet)
    if kind in _ONLY_ID:
        return bytes([_ONLY_ID[kind], 2]) + packet.packet_id.to_bytes(2, "big")  # type: ignore[union-attr]  # those have one
    if kind in _EMPTY:
        return bytes([_EMPTY[kind], 0])
    head, body = _encode_body(packet)
    return bytes([head]) + put_length(len(body)) + body


def _encode_body(packet: Packet) -> tuple[int, bytes]:
    match packet:
        case Publish():
            head = 0x30 | packet.dup << 3 | packet.qos << 1 | packet.retain
            identifier = packet.packet_id.to_bytes(2, "big") if packet.qos else b""
            return head, put_string(packet.topic) + identifier + packet.payload
        case Connect():
            return 0x10, _encode_connect(packet)
        case Connack():
            return 0x20, bytes([packet.session_present, packet.code])
        case Subscribe():
            filters = b"".join(put_string(pattern) + bytes([qos]) for pattern, qos in packet.filters)
            return 0x82, packet.packet_id.to_bytes(2, "big") + filters
        case Suback():
            return 0x90, packet.packet_id.to_bytes(2, "big") + bytes(packet.codes)
        case Unsubscribe():
            filters = b"".join(put_string(pattern) for pattern in packet.filters)
            return 0xA2, packet.packet_id.to_bytes(2, "big") + filters
    raise MalformedPacketError(f"{type(packet).__name__} cannot be encoded")


def _encode_connect(packet: Connect) -> bytes:
    will = packet.will
    flags = _CLEAN * packet.clean_session | _USERNAME * (packet.username is not None)
    flags |= _PASSWORD * (packet.password is not None)
    body = bytearray()
    if will is not None:
        flags |= _WILL | will.qos << 3 | _WILL_RETAIN * will.retain
        body += put_string(will.topic) + put_binary(will.payload)
    if packet.username is not None:
        body += put_string(packet.username)
    if packet.password is not None:
        body += put_binary(packet.password)
    head = put_string("MQTT") + bytes([_LEVEL, flags]) + packet.keepalive.to_bytes(2, "big")
    return head + put_string(packet.client_id) + bytes(body)
