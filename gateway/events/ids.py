"""Event ids: time-ordered ones, and those derived from what a device said."""

import secrets
import time
import uuid
from hashlib import sha1

_SEPARATOR, _ESCAPE = "\x1f", "\x1e"
_NAMESPACE = uuid.UUID("9c1c0b8e-6a0d-5c86-9a55-6f6a1d7a3f10")


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """A UUIDv5 (RFC 9562 §5.5) of `parts`: the same parts always give the same id, and other parts another."""
    name = _SEPARATOR.join(map(_escaped, parts)).encode()
    digest = bytearray(sha1(_NAMESPACE.bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _escaped(part: str) -> str:
    """A part in which the separator cannot stand; most are the same as before."""
    return part.replace(_ESCAPE, _ESCAPE * 2).replace(_SEPARATOR, f"{_ESCAPE}_")
