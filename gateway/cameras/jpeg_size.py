"""How large a JPEG says it is (ITU-T T.81 §B.2.2), without decoding it."""

_START = b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _MARK = 0xDA, 0xFF
# A camera's head has some ten segments; a megabyte of padding would hold up whoever asks.
_MOST_STEPS = 1000


def jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the frame header tells them; None if there is none in the first 1000 steps."""
    if not content.startswith(_START):
        return None
    at = len(_START)
    for _ in range(_MOST_STEPS):
        if at + 4 > len(content) or content[at] != _MARK:
            return None
        kind = content[at + 1]
        if kind == _MARK or kind in _BARE:
            at += 1 if kind == _MARK else 2
            continue
        if kind in _FRAMES:
            height, width = (int.from_bytes(content[at + each : at + each + 2], "big") for each in (5, 7))
            return (width, height) if width and height else None
        if kind == _SCAN:
            return None
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None
