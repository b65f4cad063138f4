"""MQTT 3.1.1 and 5: bytes to packets, strict, incremental and bounded; the way back is `encoding`."""

from collections.abc import Callable, Iterator

from gateway.alarms import properties as props
from gateway.alarms.encoding import encode_packet
from gateway.alarms.packets import (
    LEVEL_5,
    LEVEL_311,
    NO_LOCAL,
    RETAIN_HANDLING_SHIFT,
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
    Will,
)
from gateway.alarms.properties import NOTHING, Properties, read_properties
from gateway.alarms.reasons import FAILURE, Reason
from gateway.alarms.wireformat import (
    LENGTH_BYTES,
    Cursor,
    MalformedPacketError,
    PacketTooLargeError,
    ProtocolBreachError,
    UnsupportedProtocolError,
    check_filter,
    check_topic,
    split_share,
)

__all__ = ["PacketReader", "decode_packet", "encode_packet"]

_MAX_QOS = 2
_MOST_FILTERS = 200
_RESERVED, _CLEAN, _WILL, _WILL_RETAIN, _PASSWORD, _USERNAME = 0x01, 0x02, 0x04, 0x20, 0x40, 0x80
# Packet types (§2.1.2) with the flags that each must have (§2.1.3); PUBLISH has flags of its own, AUTH is of MQTT 5.
_FLAGS = {1: 0, 2: 0, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 9: 0, 10: 2, 11: 0, 12: 0, 13: 0, 14: 0, 15: 0}
_KNOWN_REASONS = frozenset(int(reason) for reason in Reason)


class PacketReader:
    """Cuts a stream of bytes into packets.

    Args:
        max_packet_bytes: a longer packet is refused as soon as its length is known.
        level: of the protocol, 4 (3.1.1) or 5; a CONNECT that passes sets it for what follows.
    """

    def __init__(self, max_packet_bytes: int, level: int = LEVEL_311) -> None:
        self._limit = max_packet_bytes
        self._buffer = bytearray()
        self.level = level

    @property
    def waiting(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._buffer)

    @property
    def has_whole(self) -> bool:
        """Whether another packet is whole, or can be refused already."""
        try:
            return self._measured() is not None
        except MalformedPacketError:
            return True

    @property
    def first_byte(self) -> int:
        """The first of them."""
        return self._buffer[0]

    def push(self, data: bytes) -> None:
        """Add what came."""
        self._buffer += data

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are whole with `data`.

        Raises:
            MalformedPacketError: what came is no packet.
            PacketTooLargeError: it is longer than the limit.
        """
        self._buffer += data
        while (packet := self.next()) is not None:
            yield packet

    def next(self) -> Packet | None:
        """The next packet that is whole.

        Raises:
            MalformedPacketError: what came is no packet.
            PacketTooLargeError: it is longer than the limit.
        """
        found = self._cut()
        if found is None:
            return None
        packet = decode_packet(*found, self.level)
        if isinstance(packet, Connect):
            self.level = packet.protocol_level
        return packet

    def _cut(self) -> tuple[int, bytes] | None:
        """First byte and body of the next packet (§2.1.4)."""
        measured = self._measured()
        if measured is None:
            return None
        buffer, (place, length) = self._buffer, measured
        head, body = buffer[0], bytes(buffer[place : place + length])
        del buffer[: place + length]
        return head, body

    def _measured(self) -> tuple[int, int] | None:
        """Where the body of the next packet begins and how long it is; None if it is not whole."""
        buffer = self._buffer
        length, place = 0, 1
        while True:
            if place >= len(buffer):
                return None
            if place > LENGTH_BYTES:
                raise MalformedPacketError("a remaining length of more than four bytes")
            digit = buffer[place]
            length |= (digit & 0x7F) << 7 * (place - 1)
            place += 1
            if digit < FAILURE:
                break
        if place + length > self._limit:
            raise PacketTooLargeError(f"a packet of {place + length} bytes; at most {self._limit} are taken")
        return (place, length) if len(buffer) >= place + length else None


def decode_packet(head: int, body: bytes, level: int = LEVEL_311) -> Packet:
    """One packet of its first byte and what follows its length.

    Raises:
        MalformedPacketError: it breaks the standard.
    """
    kind, flags = head >> 4, head & 0x0F
    if kind == props.PUBLISH:
        return _publish(flags, body, level)
    if kind not in _FLAGS or flags != _FLAGS[kind] or (kind == props.AUTH and level < LEVEL_5):
        raise MalformedPacketError(f"packet type {kind} with flags {flags:#x}")
    cursor = Cursor(body)
    packet = _DECODERS[kind](cursor, level)
    cursor.finish()
    return packet


def _properties(cursor: Cursor, packet: int, level: int) -> Properties:
    return read_properties(cursor, packet) if level >= LEVEL_5 else NOTHING


def _connect(cursor: Cursor, _level: int) -> Connect:
    """§3.1."""
    name, level = cursor.string(), cursor.byte()
    if name not in ("MQTT", "MQIsdp"):
        raise MalformedPacketError("a CONNECT of another protocol")
    if name != "MQTT" or level not in (LEVEL_311, LEVEL_5):
        what = f"MQTT protocol level {level}; this endpoint speaks 3.1.1 (4) and 5 (5)"
        raise UnsupportedProtocolError(what, level=level)
    flags = cursor.byte()
    _check_connect_flags(flags, level)
    keepalive, properties = cursor.word(), _properties(cursor, props.CONNECT, level)
    client_id = cursor.string()
    will = _will(cursor, flags, level) if flags & _WILL else None
    return Connect(
        client_id=client_id,
        clean_session=bool(flags & _CLEAN),
        keepalive=keepalive,
        will=will,
        username=cursor.string() if flags & _USERNAME else None,
        password=cursor.binary() if flags & _PASSWORD else None,
        protocol_level=level,
        properties=properties,
    )


def _will(cursor: Cursor, flags: int, level: int) -> Will:
    """§3.1.3.2 to §3.1.3.4."""
    properties = _properties(cursor, props.WILL, level)
    topic, payload = check_topic(cursor.string()), cursor.binary()
    return Will(
        topic=topic, payload=payload, qos=flags >> 3 & 3, retain=bool(flags & _WILL_RETAIN), properties=properties
    )


def _check_connect_flags(flags: int, level: int) -> None:
    """§3.1.2.3 to §3.1.2.9; MQTT 5 allows a password without a name."""
    will_bits = flags & 0x38
    if flags & _RESERVED or (flags >> 3 & 3) > _MAX_QOS:
        raise MalformedPacketError("CONNECT flags that the standard reserves")
    nameless = flags & _PASSWORD and not flags & _USERNAME and level < LEVEL_5
    if (not flags & _WILL and will_bits) or nameless:
        raise MalformedPacketError("CONNECT flags that contradict each other")


def _connack(cursor: Cursor, level: int) -> Connack:
    """§3.2."""
    flags, code = cursor.byte(), cursor.byte()
    if flags > 1:
        raise MalformedPacketError("CONNACK flags that the standard reserves")
    return Connack(session_present=bool(flags), code=code, properties=_properties(cursor, props.CONNACK, level))


def _publish(flags: int, body: bytes, level: int) -> Publish:
    """§3.3."""
    qos = flags >> 1 & 3
    if qos > _MAX_QOS or (flags & 8 and not qos):
        raise MalformedPacketError("PUBLISH with QoS 3, or a duplicate with QoS 0")
    cursor = Cursor(body)
    topic = cursor.string()
    packet_id = cursor.packet_id() if qos else 0
    properties = _properties(cursor, props.PUBLISH, level)
    if topic or properties.topic_alias is None:
        check_topic(topic)
    return Publish(
        topic=topic,
        payload=cursor.rest(),
        qos=qos,
        retain=bool(flags & 1),
        dup=bool(flags & 8),
        packet_id=packet_id,
        properties=properties,
    )


def _answer(kind: type[Puback | Pubrec | Pubrel | Pubcomp], number: int) -> Callable[[Cursor, int], Packet]:
    """§3.4 to §3.7: a reason and properties may follow the identifier."""

    def decode(cursor: Cursor, level: int) -> Packet:
        packet_id = cursor.packet_id()
        if level < LEVEL_5 or cursor.at_end:
            return kind(packet_id)
        return kind(packet_id, _reason(cursor), _trailing(cursor, number))

    return decode


def _reason(cursor: Cursor) -> int:
    if (reason := cursor.byte()) not in _KNOWN_REASONS:
        raise MalformedPacketError(f"reason {reason:#x} is not known to the standard")
    return reason


def _trailing(cursor: Cursor, number: int) -> Properties:
    return NOTHING if cursor.at_end else read_properties(cursor, number)


def _subscribe(cursor: Cursor, level: int) -> Subscribe:
    """§3.8."""
    packet_id, filters = cursor.packet_id(), list[tuple[str, int]]()
    properties = _properties(cursor, props.SUBSCRIBE, level)
    while not cursor.at_end:
        _check_number(len(filters))
        pattern, options = check_filter(cursor.string()), cursor.byte()
        _check_options(pattern, options, level)
        filters.append((pattern, options))
    if not filters:
        raise ProtocolBreachError("SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters), properties)


def _check_number(filters: int) -> None:
    if filters >= _MOST_FILTERS:
        raise ProtocolBreachError(f"more than {_MOST_FILTERS} filters in one packet", Reason.QUOTA_EXCEEDED)


def _check_options(pattern: str, options: int, level: int) -> None:
    """§3.8.3.1, §4.8.2."""
    if options & 3 > _MAX_QOS or (level < LEVEL_5 and options > _MAX_QOS):
        raise MalformedPacketError("SUBSCRIBE with a QoS above 2")
    if options & 0xC0 or options >> RETAIN_HANDLING_SHIFT & 3 > _MAX_QOS:
        raise MalformedPacketError("SUBSCRIBE options that the standard reserves")
    if split_share(pattern)[0] and options & NO_LOCAL:
        raise ProtocolBreachError("a shared subscription with No Local")


def _suback(cursor: Cursor, level: int) -> Suback:
    """§3.9."""
    packet_id, properties = cursor.packet_id(), _properties(cursor, props.SUBACK, level)
    codes = tuple(cursor.rest())
    known = _KNOWN_REASONS if level >= LEVEL_5 else {0, 1, 2, FAILURE}
    if not codes or any(code not in known for code in codes):
        raise MalformedPacketError("SUBACK with a code that the standard reserves")
    return Suback(packet_id, codes, properties)


def _unsubscribe(cursor: Cursor, level: int) -> Unsubscribe:
    """§3.10."""
    packet_id, filters = cursor.packet_id(), list[str]()
    properties = _properties(cursor, props.UNSUBSCRIBE, level)
    while not cursor.at_end:
        _check_number(len(filters))
        filters.append(check_filter(cursor.string()))
    if not filters:
        raise ProtocolBreachError("UNSUBSCRIBE without a filter")
    return Unsubscribe(packet_id, tuple(filters), properties)


def _unsuback(cursor: Cursor, level: int) -> Unsuback:
    """§3.11."""
    packet_id = cursor.packet_id()
    if level < LEVEL_5:
        return Unsuback(packet_id)
    properties = read_properties(cursor, props.UNSUBACK)
    codes = tuple(cursor.rest())
    if not codes or any(code not in _KNOWN_REASONS for code in codes):
        raise MalformedPacketError("UNSUBACK with a code that the standard reserves")
    return Unsuback(packet_id, codes, properties)


def _disconnect(cursor: Cursor, level: int) -> Disconnect:
    """§3.14."""
    if level < LEVEL_5 or cursor.at_end:
        return Disconnect()
    return Disconnect(_reason(cursor), _trailing(cursor, props.DISCONNECT))


def _auth(cursor: Cursor, _level: int) -> Auth:
    """§3.15."""
    return Auth() if cursor.at_end else Auth(_reason(cursor), _trailing(cursor, props.AUTH))


_DECODERS: dict[int, Callable[[Cursor, int], Packet]] = {
    props.CONNECT: _connect,
    props.CONNACK: _connack,
    props.PUBACK: _answer(Puback, props.PUBACK),
    props.PUBREC: _answer(Pubrec, props.PUBREC),
    props.PUBREL: _answer(Pubrel, props.PUBREL),
    props.PUBCOMP: _answer(Pubcomp, props.PUBCOMP),
    props.SUBSCRIBE: _subscribe,
    props.SUBACK: _suback,
    props.UNSUBSCRIBE: _unsubscribe,
    props.UNSUBACK: _unsuback,
    12: lambda _cursor, _level: Pingreq(),
    13: lambda _cursor, _level: Pingresp(),
    props.DISCONNECT: _disconnect,
    props.AUTH: _auth,
}
