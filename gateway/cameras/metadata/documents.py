"""Puts the XML documents of a metadata track together from RTP packets (RFC 3550 §5.1, ONVIF Streaming §5.1.2.1)."""

import re
from dataclasses import dataclass

from gateway.cameras.eventing.notices import Notice, read_notices
from gateway.cameras.soap import parse_xml

_MOST_BYTES = 1024 * 1024
_FIXED_BYTES = 12
_LONGEST_ROOT = 4096
_NAME = rb"(?:[\w.-]+:)?"
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml\s|" + _NAME + rb"MetadataStream[\s/>])")
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>\s*)?<([\w.:-]+)")
_EMPTY = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>\s*)?<[^<>]*/>\s*\Z")
_SPACE = b" \t\r\n\0"
_MARK = b"NotificationMessage"


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """What of an RTP packet is needed; `marker`: the document is closed, says the camera."""

    sequence: int
    marker: bool
    payload: bytes


def read_packet(data: bytes) -> RtpPacket | None:
    """An RTP packet without its header, extension and padding; None if it is none (RFC 3550 §5.1)."""
    if len(data) < _FIXED_BYTES or data[0] >> 6 != 2:  # noqa: PLR2004  # the version
        return None
    begin = _FIXED_BYTES + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    if begin > end:
        return None
    return RtpPacket(int.from_bytes(data[2:4], "big"), bool(data[1] & 0x80), data[begin:end])


class DocumentAssembler:
    """One track's packets in, whole documents out.

    A document ends with its root element, whether or not the marker says so: some cameras set it on each packet, some
    never. What has lost a packet, is larger than 1 MiB or is overtaken by the next beginning is dropped.

    Attributes:
        dropped: documents that were begun and never were whole.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._expected: int | None = None
        self._between = False
        self.dropped = 0

    def take(self, data: bytes) -> bytes | None:
        """The document that this RTP packet makes whole; None: not yet."""
        packet = read_packet(data)
        if packet is None:
            return None
        if packet.sequence != self._expected:
            self._drop()
        self._expected = (packet.sequence + 1) & 0xFFFF
        if self._begins(packet.payload):
            self._drop()
        elif not self._pending:
            self._between = packet.marker
            return None
        self._pending += packet.payload
        if b">" in packet.payload and self._is_whole():  # a document ends so; a flood of nothing costs nothing
            return self._taken()
        if len(self._pending) > _MOST_BYTES:
            self._drop()
        return None

    def _begins(self, payload: bytes) -> bool:
        """Behind a document anything that looks like XML; elsewhere only what is no piece of another one."""
        behind = self._between and payload.lstrip(_SPACE).startswith(b"<")
        return behind or _DECLARED.match(payload) is not None

    def _is_whole(self) -> bool:
        tail = bytes(self._pending[-_LONGEST_ROOT:]).rstrip(_SPACE)
        root = _ROOT.match(self._pending, 0, _LONGEST_ROOT)
        if root is None or not tail.endswith(b">"):
            return False
        if len(self._pending) < _LONGEST_ROOT and _EMPTY.match(tail):
            return True
        closing = tail[tail.rfind(b"<") :]
        return closing.startswith(b"</") and closing[2:-1].strip() == root[1]

    def _taken(self) -> bytes:
        document = bytes(self._pending)
        self._pending.clear()
        self._between = True
        return document

    def _drop(self) -> None:
        self.dropped += bool(self._pending)
        self._pending.clear()
        self._between = False


def notices_of(document: bytes) -> tuple[Notice, ...]:
    """The notifications in a document of tt:MetadataStream; none in one that is no XML, or is about pictures only."""
    if _MARK not in document:
        return ()
    root = parse_xml(document)
    return () if root is None else read_notices(root)
