"""Frames of SIA DC-09: ``LF CRC 0LLL "id" sequence Rrcvr Lpref #acct [data] _timestamp CR`` (§5.5.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.errors import PermanentError

LONGEST = 4096
_LF, _CR = b"\n", b"\r"
_HEAD_BYTES = 8
_POLYNOMIAL = 0xA001
_TIME = "%H:%M:%S,%m-%d-%Y"
_FRAME = re.compile(
    rb'"(\*?)([A-Z0-9-]{2,10})"(\d{4})(R[0-9A-Fa-f]{1,6})?(L[0-9A-Fa-f]{1,6})(?:#([0-9A-Fa-f]{3,16}))?\[(.*)', re.DOTALL
)
_STAMP = re.compile(rb"_(\d\d:\d\d:\d\d,\d\d-\d\d-\d{4})\Z")


class FrameError(PermanentError):
    """Bytes that are no frame."""

    code = "sia_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message of a panel.

    Attributes:
        token: ADM-CID, SIA-DCS, NULL, ….
        sequence: four digits; the same on a retransmission (§5.5.1.4).
        receiver, line: with their letters, as the reply repeats them.
        account: 3 to 16 hex digits, in capitals; empty if it gave none.
        body: everything behind ``[``; of an encrypted message its cipher text as hex digits.
    """

    token: str
    encrypted: bool
    sequence: str
    receiver: str
    line: str
    account: str
    body: bytes


def crc_of(data: bytes) -> int:
    """CRC-16 with polynomial 8005 reflected, start 0 (DC-09 §5.5.1.2)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return crc


def wrap(content: bytes) -> bytes:
    """A whole frame around what begins with the first quotation mark."""
    return b"\n%04X%04X%b\r" % (crc_of(content), len(content), content)


def parse(raw: bytes) -> Frame:
    """A frame without its LF and CR.

    Raises:
        FrameError: checksum, length or form is wrong.
    """
    content = raw[_HEAD_BYTES:]
    try:
        crc, length = int(raw[:4], 16), int(raw[4:_HEAD_BYTES], 16)
    except ValueError:
        raise FrameError("has no checksum and length") from None
    if length != len(content):
        raise FrameError(f"is {len(content)} bytes long and says {length}")
    if crc != crc_of(content):
        raise FrameError("its checksum is wrong")
    found = _FRAME.fullmatch(content)
    if found is None:
        raise FrameError('has not the form "id" sequence R L #account [')
    star, token, sequence, receiver, line, account, body = found.groups()
    return Frame(
        token=token.decode(),
        encrypted=bool(star),
        sequence=sequence.decode(),
        receiver=(receiver or b"").decode(),
        line=line.decode(),
        account=(account or b"").decode().upper(),
        body=body,
    )


def split_stamp(plain: bytes) -> tuple[bytes, datetime | None]:
    """What a message says, and its time stamp if it has one (§5.5.1.9), UTC.

    Raises:
        FrameError: the time stamp is no time.
    """
    found = _STAMP.search(plain)
    if found is None:
        return plain, None
    try:
        return plain[: found.start()], datetime.strptime(found[1].decode(), _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise FrameError("its time stamp is no time") from None


def stamp_of(moment: datetime) -> bytes:
    """A moment as a time stamp with its underscore."""
    return moment.astimezone(UTC).strftime(f"_{_TIME}").encode()


class FrameReader:
    """Cuts a stream into frames, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole frames so far, without LF and CR.

        Raises:
            FrameError: more than 4096 bytes came without an end.
        """
        self._buffer += data
        while True:
            start, end = self._buffer.find(_LF), self._buffer.find(_CR)
            if end < 0:
                break
            raw, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
            if 0 <= start < end:
                yield raw[raw.rfind(_LF) + 1 :]
        if len(self._buffer) > LONGEST:
            raise FrameError(f"more than {LONGEST} bytes without an end")
