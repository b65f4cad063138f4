"""The bytes of MQTT 3.1.1: fields, strings and topic rules (§1.5, §2.2, §4.7), read strictly."""

import struct

from gateway.errors import PermanentError

MAX_REMAINING_LENGTH = 268_435_455
_MAX_STRING = 65_535
_CONTINUE = 0x80
_SURROGATES = range(0xD800, 0xE000)


class MalformedPacketError(PermanentError):
    """Bytes that are no MQTT 3.1.1 packet; the connection must be closed (§4.8)."""


class UnsupportedProtocolError(MalformedPacketError):
    """A CONNECT of another protocol level; answered with CONNACK code 1 (§3.1.2.2)."""


class PacketTooLargeError(MalformedPacketError):
    """A packet over the limit of this endpoint."""


class Cursor:
    """Reads the fields of one packet's body in order and refuses what runs over its end."""

    __slots__ = ("_body", "_place")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def word(self) -> int:
        """A two-byte integer, big-endian (§1.5.2)."""
        return int.from_bytes(self.take(2), "big")

    def take(self, size: int) -> bytes:
        """`size` bytes."""
        end = self._place + size
        if end > len(self._body):
            raise MalformedPacketError("a field runs over the end of its packet")
        taken = self._body[self._place : end]
        self._place = end
        return taken

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.word())

    def string(self) -> str:
        """A UTF-8 string with its length before it (§1.5.3)."""
        return checked_text(self.binary())

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._body) - self._place)

    def packet_id(self) -> int:
        """A packet identifier, never 0 (§2.3.1)."""
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
    """UTF-8 without NUL and surrogates (§1.5.3)."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise MalformedPacketError("a string is not UTF-8") from None
    if "\0" in text:
        raise MalformedPacketError("a string holds the character NUL")
    return text


def put_string(text: str) -> bytes:
    """A UTF-8 string with its length before it."""
    return put_binary(text.encode())


def put_binary(raw: bytes) -> bytes:
    """Bytes with their length before them."""
    if len(raw) > _MAX_STRING:
        raise MalformedPacketError(f"a field of {len(raw)} bytes; at most {_MAX_STRING} fit")
    return struct.pack(">H", len(raw)) + raw


def put_length(length: int) -> bytes:
    """The remaining length, 1 to 4 bytes (§2.2.3)."""
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
        raise MalformedPacketError("a topic name that is empty or holds a wildcard")
    return topic


def check_filter(pattern: str) -> str:
    """A topic filter: wildcards stand alone in their level, ``#`` in the last (§4.7.1)."""
    levels = pattern.split("/")
    if not pattern:
        raise MalformedPacketError("an empty topic filter")
    for index, level in enumerate(levels):
        if ("#" in level and (level != "#" or index != len(levels) - 1)) or ("+" in level and level != "+"):
            raise MalformedPacketError("a topic filter with a misplaced wildcard")
    return pattern


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
