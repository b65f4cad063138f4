"""NAL units of H.264 and H.265: from Annex B form (start codes) into that of MP4 (lengths), and what kind they are."""

from collections.abc import Iterator

_START = b"\0\0\1"
# SPS and PPS (ITU-T H.264 table 7-1); VPS, SPS and PPS (ITU-T H.265 table 7-1).
_PARAMETER_SETS = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
# Pictures that are decoded after a keyframe, shown before it, and refer to what was before it (RASL_N, RASL_R).
_H265_RASL = (8, 9)
_H265_PICTURE_TYPES = 32


def units_of(data: bytes) -> Iterator[bytes]:
    """The NAL units of a packet in Annex B form, without start codes."""
    begin = data.find(_START)
    while begin >= 0:
        begin += len(_START)
        end = data.find(_START, begin)
        # Zeros before a start code belong to it (ITU-T H.264 §B.1); no unit ends with one.
        unit = (data[begin:] if end < 0 else data[begin:end]).rstrip(b"\0")
        if unit:
            yield unit
        begin = end


def with_lengths(data: bytes, *, without: frozenset[bytes] = frozenset()) -> bytes:
    """Each NAL unit behind its length in 4 bytes (ISO/IEC 14496-15 §5.3.3) instead of a start code.

    Args:
        data: in Annex B form.
        without: units that are left out.
    """
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units_of(data) if unit not in without)


def parameter_sets_in(data: bytes, codec: str) -> tuple[bytes, ...]:
    """The parameter sets of a packet in Annex B form, in their order; none for a codec that is not known."""
    kinds = _PARAMETER_SETS.get(codec, frozenset())
    return tuple(unit for unit in units_of(data) if _kind(unit, codec) in kinds) if kinds else ()


def with_parameter_sets(keyframe: bytes, codec: str, sets: bytes) -> bytes:
    """A keyframe in Annex B form, `sets` in front of it if it lacks any kind of them: its own count for more."""
    own = {_kind(unit, codec) for unit in parameter_sets_in(keyframe, codec)}
    return keyframe if own == _PARAMETER_SETS.get(codec, own) else sets + keyframe


def is_skipped_leading(data: bytes, codec: str) -> bool:
    """Whether a picture cannot be decoded where decoding began at the keyframe before it (ITU-T H.265 §3: RASL)."""
    if codec != "hevc":
        return False
    kind = next((each for each in (_kind(unit, codec) for unit in units_of(data)) if each < _H265_PICTURE_TYPES), -1)
    return kind in _H265_RASL


def _kind(unit: bytes, codec: str) -> int:
    return unit[0] >> 1 & 0x3F if codec == "hevc" else unit[0] & 0x1F
