"""What a browser must know of a clip's codec before it plays it (RFC 6381 §3.3), read from the clip's header."""

from gateway.errors import PermanentError

_AVCC_BYTES, _HVCC_BYTES = 4, 13
_HVCC_ARRAYS, _COMPLETE = 22, 0x80
_SPACES = ("", "A", "B", "C")


def codecs_of(header: bytes) -> str:
    """The ``codecs`` parameter for the boxes ftyp and moov of one video track.

    For H.264 by RFC 6381 §3.3, as ``avc1.64001F``; for H.265 by ISO/IEC 14496-15 annex E.3, as ``hvc1.1.6.L93.B0``.

    Returns:
        Empty if the header tells neither.
    """
    if (record := _record(header, b"avcC", _AVCC_BYTES)) is not None:
        return f"avc1.{record[1:4].hex().upper()}"
    if (record := _record(header, b"hvcC", _HVCC_BYTES)) is not None:
        return f"hvc1.{_of_hevc(record)}"
    return ""


def as_hvc1(header: bytes) -> bytes:
    """The header of H.265 for pictures without parameter sets (ISO/IEC 14496-15 §8.4.1): Safari plays no other.

    The library writes ``hev1``, whose arrays of parameter sets need not be complete; headers of H.264 stay as they are.

    Raises:
        PermanentError: there are no parameter sets in it.
    """
    entry, record = header.find(b"hev1"), header.find(b"hvcC") + 4
    if entry < 0 or record < entry:
        return header
    made = bytearray(header)
    made[entry : entry + 4] = b"hvc1"
    try:
        _complete(made, record)
    except IndexError:
        raise PermanentError("the stream tells no parameter sets of H.265") from None
    return bytes(made)


def _complete(made: bytearray, record: int) -> None:
    """Mark every array of a decoder configuration record as complete (ISO/IEC 14496-15 §8.3.3.1)."""
    at = record + _HVCC_ARRAYS + 1
    for _ in range(made[record + _HVCC_ARRAYS]):
        made[at] |= _COMPLETE
        units = int.from_bytes(made[at + 1 : at + 3], "big")
        at += 3
        for _ in range(units):
            at += 2 + int.from_bytes(made[at : at + 2], "big")


def _record(header: bytes, box: bytes, least: int) -> bytes | None:
    at = header.find(box)
    record = header[at + len(box) :][:_HVCC_BYTES]
    return record if at >= 0 and len(record) >= least else None


def _of_hevc(record: bytes) -> str:
    """Profile, compatibility flags in reversed order of bits, tier with level, constraints without the last zeros."""
    space, tier, profile = _SPACES[record[1] >> 6], "H" if record[1] & 0x20 else "L", record[1] & 0x1F
    compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = "".join(f".{byte:X}" for byte in record[6:12].rstrip(b"\0"))
    return f"{space}{profile}.{compatible:X}.{tier}{record[12]}{constraints}"
