"""A message as the body of a record: when it expires, then the PUBLISH of MQTT 5 (§3.3)."""

import struct

from gateway.alarms.codec import decode_packet
from gateway.alarms.encoding import encode_packet
from gateway.alarms.moments import Moment, Moments
from gateway.alarms.packets import LEVEL_5, Publish
from gateway.alarms.wireformat import Cursor, MalformedPacketError
from gateway.errors import PermanentError

_HEAD = struct.Struct(">d")
_WITH_MOMENT = 0xFF  # where an older gateway put the first byte of PUBLISH, which is 0x30 to 0x3F


def put_message(message: Publish, expires: float | None, moments: Moments) -> bytes:
    """The body of a message.

    Args:
        message: what is kept.
        expires: seconds of the monotonic clock; None: never.
        moments: writes that down.
    """
    if expires is None:
        return _HEAD.pack(0.0) + encode_packet(message, LEVEL_5)
    moment = moments.at(expires)
    return _HEAD.pack(moment.wall) + bytes([_WITH_MOMENT]) + moment.packed() + encode_packet(message, LEVEL_5)


def take_message(body: bytes, moments: Moments) -> tuple[Publish, float | None]:
    """The message of a body and its expiry on the monotonic clock.

    What an older gateway wrote has the wall time of its expiry alone.

    Raises:
        PermanentError: it is no such body.
    """
    try:
        (wall,) = _HEAD.unpack_from(body)
        moment, rest = Moment("", 0.0, wall), body[_HEAD.size :]
        if rest[:1] == bytes([_WITH_MOMENT]):
            moment, rest = Moment.unpacked(rest[1:])
        cursor = Cursor(rest)
        head, length = cursor.byte(), cursor.variable()
        packet = decode_packet(head, cursor.take(length), LEVEL_5)
    except (MalformedPacketError, struct.error, ValueError) as error:
        raise PermanentError(f"a stored message cannot be read: {error}") from None
    if not isinstance(packet, Publish):
        raise PermanentError("a stored message is no PUBLISH")
    seconds = packet.properties.message_expiry
    return packet, moments.again(moment, float("inf") if seconds is None else seconds) if wall else None
