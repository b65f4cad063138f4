"""The bytes of MQTT: fields, strings and topic rules, read strictly.

Sections are those of MQTT 5 (OASIS Standard, 7 March 2019) unless "3.1.1" stands before them (29 October 2014).
"""

import struct

from gateway.alarms.reasons import Reason
from gateway.errors import PermanentError

MAX_REMAINING_LENGTH = 268_435_455
LENGTH_BYTES = 4
_MAX_STRING = 65_535
_CONTINUE = 0x80
_MOST_LEVELS = 200  # each level of a filter is held in memory; no real topic has so many
SHARE_PREFIX = "$share/"


class MalformedPacketError(PermanentError):
    """Bytes that are no MQTT packet; the connection must be closed (§4.13)."""

    code = "mqtt_malformed"
    reason = Reason.MALFORMED_PACKET


class ProtocolBreachError(MalformedPacketError):
    """A well-formed packet that may not be sent, or not now (§4.13.1); `reason` says it to a client of MQTT 5."""

    code = "mqtt_breach"

    def __init__(self, what: str, reason: Reason = Reason.PROTOCOL_ERROR) -> None:
        super().__init__(what)
        self.reason = reason


class UnsupportedProtocolError(MalformedPacketError):
    """A CONNECT of another protocol level; answered with CONNACK code 1 (3.1.1 §3.1.2.2)."""

    code = "mqtt_level"
    reason = Reason.UNSUPPORTED_VERSION


class PacketTooLargeError(MalformedPacketError):
    """A packet over the limit of this endpoint (§3.2.2.3.6)."""

    code = "mqtt_too_large"
    reason = Reason.PACKET_TOO_LARGE


_OVER = "a field runs over the end of its packet"


class Cursor:
    """Reads the fields of one packet's body in order and refuses what runs over its end."""

    __slots__ = ("_body", "_place")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    def byte(self) -> int:
        """One byte (§1.5.1)."""
        place = self._place
        if place >= len(self._body):
            raise MalformedPacketError(_OVER)
        self._place = place + 1
        return self._body[place]

    def word(self) -> int:
        """A two-byte integer, big-endian (§1.5.2)."""
        body, place = self._body, self._place
        if place + 2 > len(body):
            raise MalformedPacketError(_OVER)
        self._place = place + 2
        return body[place] << 8 | body[place + 1]

    def long(self) -> int:
        """A four-byte integer, big-endian (§1.5.3)."""
        return int.from_bytes(self.take(4), "big")

    def variable(self) -> int:
        """A variable byte integer of one to four bytes, in its shortest form (§1.5.5)."""
        value = 0
        for place in range(LENGTH_BYTES):
            digit = self.byte()
            value |= (digit & 0x7F) << 7 * place
            if digit < _CONTINUE:
                if place and not digit:
                    raise MalformedPacketError("a variable byte integer that is longer than it need be")
                return value
        raise MalformedPacketError("a variable byte integer of more than four bytes")

    def take(self, size: int) -> bytes:
        """`size` bytes."""
        end = self._place + size
        if end > len(self._body):
            raise MalformedPacketError(_OVER)
        taken = self._body[self._place : end]
        self._place = end
        return taken

    def binary(self) -> bytes:
        """Bytes with their length before them (§1.5.6)."""
        return self.take(self.word())

    def string(self) -> str:
        """A UTF-8 string with its length before it (§1.5.4)."""
        return checked_text(self.binary())

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._body) - self._place)

    def packet_id(self) -> int:
        """A packet identifier, never 0 (§2.2.1)."""
        if (identifier := self.word()) == 0:
            raise MalformedPacketError("packet identifier 0")
        return identifier

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._place == len(self._body)

    def finish(self) -> None:
        """Refuse what is left over."""
        if not self.at_end:
            raise MalformedPacketError("bytes behind the last field of a packet")


def checked_text(raw: bytes) -> str:
    """UTF-8 without NUL and surrogates (§1.5.4)."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise MalformedPacketError("a string is not UTF-8") from None
    if "\0" in text:
        raise MalformedPacketError("a string holds the character NUL")
    return text


def put_string(text: str) -> bytes:
    """A UTF-8 string with its length before it (§1.5.4)."""
    return put_binary(text.encode())


def put_binary(raw: bytes) -> bytes:
    """Bytes with their length before them (§1.5.6)."""
    if len(raw) > _MAX_STRING:
        raise MalformedPacketError(f"a field of {len(raw)} bytes; at most {_MAX_STRING} fit")
    return struct.pack(">H", len(raw)) + raw


def put_length(length: int) -> bytes:
    """A variable byte integer, 1 to 4 bytes (§1.5.5)."""
    if length > MAX_REMAINING_LENGTH:
        raise MalformedPacketError("a packet that is too long for MQTT")
    encoded = bytearray()
    while True:
        length, digit = divmod(length, _CONTINUE)
        encoded.append(digit | (_CONTINUE if length else 0))
        if not length:
            return bytes(encoded)


def check_topic(topic: str) -> str:
    """A topic name: not empty, no wildcards (§4.7.1, §4.7.3)."""
    if not topic or "+" in topic or "#" in topic:
        raise ProtocolBreachError("a topic name that is empty or holds a wildcard", Reason.TOPIC_NAME_INVALID)
    _check_levels(topic)
    return topic


def _check_levels(text: str) -> None:
    if text.count("/") > _MOST_LEVELS:
        raise ProtocolBreachError(f"a topic with more than {_MOST_LEVELS} slashes")


def check_filter(pattern: str) -> str:
    """A topic filter: wildcards stand alone in their level, ``#`` in the last (§4.7.1)."""
    if not pattern:
        raise MalformedPacketError("an empty topic filter")
    _check_levels(pattern)
    levels = pattern.split("/")
    for index, level in enumerate(levels):
        if ("#" in level and (level != "#" or index != len(levels) - 1)) or ("+" in level and level != "+"):
            raise ProtocolBreachError("a topic filter with a misplaced wildcard", Reason.TOPIC_FILTER_INVALID)
    return pattern


def split_share(pattern: str) -> tuple[str, str]:
    """Group and filter of a shared subscription's ``$share/<group>/<filter>`` (§4.8.2); the group of any other is "".

    Raises:
        ProtocolBreachError: it begins like one and is none.
    """
    if not pattern.startswith(SHARE_PREFIX):
        return "", pattern
    group, slash, wanted = pattern.removeprefix(SHARE_PREFIX).partition("/")
    if not group or not slash or not wanted or "+" in group or "#" in group:
        raise ProtocolBreachError("a shared subscription without group or filter", Reason.TOPIC_FILTER_INVALID)
    return group, wanted


def topic_matches(pattern: str, topic: str) -> bool:
    """Whether a filter takes a topic (§4.7); a wildcard at the start takes none that begins with ``$`` (§4.7.2)."""
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, levels = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)
