"""Turns a picture from Annex B form (start codes) into the form of MP4 (lengths), without looking into it."""

_START = b"\0\0\1"


def with_lengths(data: bytes) -> bytes:
    """Each NAL unit behind its length in 4 bytes (ISO/IEC 14496-15 §5.3.3) instead of a start code."""
    units: list[bytes] = []
    begin = data.find(_START)
    while begin >= 0:
        begin += len(_START)
        end = data.find(_START, begin)
        # Zeros before a start code belong to it (ITU-T H.264 §B.1); no unit ends with one.
        unit = (data[begin:] if end < 0 else data[begin:end]).rstrip(b"\0")
        if unit:
            units.append(len(unit).to_bytes(4, "big") + unit)
        begin = end
    return b"".join(units)
