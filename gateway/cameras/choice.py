"""Chooses among a camera's media profiles: which stream is kept, and which is looked at all day."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.cameras.description import MediaProfile

# A face of 32 px in the main stream has 10 px in a sub-stream of this share of its width, and is just found there; of a
# very large main stream a sub-stream of this width is taken all the same, because decoding the former costs a core.
_LEAST_SUB_SHARE = 0.32
_LEAST_SUB_WIDTH = 640
# CPU per pixel against H.264. Measured with FFmpeg 8: 2.6 to 3.0 times, of streams of half as many bytes again.
_H265_COST = 2
_CLIPS = ("H264", "H265")
_OTHER_NAMES = {"HEVC": "H265", "AVC": "H264"}


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """What is made of the profiles.

    Attributes:
        main: whose clips are kept: the largest picture.
        sub: which is looked at: the cheapest to decode that shows faces; None if that is the main one.
        why: where the codec made the difference, in words; else empty.
    """

    main: MediaProfile
    sub: MediaProfile | None
    why: str = ""


def choose(profiles: Sequence[MediaProfile]) -> StreamChoice:
    """The streams to use; names are no guide."""
    with_video = [profile for profile in profiles if profile.codec] or list(profiles)
    kept = [profile for profile in with_video if _codec(profile) in _CLIPS] or with_video
    main = max(kept, key=lambda profile: (_area(profile), _codec(profile) == "H264"))
    least = min(_LEAST_SUB_SHARE * main.width, _LEAST_SUB_WIDTH)
    fit = [profile for profile in kept if profile.width >= least]
    sub = min(fit, key=lambda profile: (_cost(profile), _area(profile)), default=main)
    chosen = sub if _cost(sub) < _cost(main) else None
    return StreamChoice(main, chosen, _why(main, sub, kept, fit))


def main_and_sub(profiles: tuple[MediaProfile, ...]) -> tuple[MediaProfile, MediaProfile | None]:
    """The main and the sub-stream of `choose`."""
    chosen = choose(profiles)
    return chosen.main, chosen.sub


def _why(main: MediaProfile, sub: MediaProfile, kept: list[MediaProfile], fit: list[MediaProfile]) -> str:
    """Names what would have been taken by size alone."""
    smallest = min(fit, key=_area, default=main)
    larger = [profile for profile in kept if _area(profile) == _area(main) and _codec(profile) != "H264"]
    reasons = []
    if larger and _codec(main) == "H264":
        reasons.append(f"{_words(main)} is kept rather than {_words(larger[0])}: every browser plays clips of H.264")
    if _cost(smallest) > _cost(sub):
        reasons.append(
            f"{_words(sub)} is looked at rather than {_words(smallest)}: H.265 takes more than twice the CPU per pixel"
        )
    return "; ".join(reasons)


def _words(profile: MediaProfile) -> str:
    return f"{profile.token} ({profile.width}x{profile.height} {_codec(profile)})"


def _codec(profile: MediaProfile) -> str:
    said = profile.codec.upper().replace(".", "")
    return _OTHER_NAMES.get(said, said)


def _area(profile: MediaProfile) -> int:
    return profile.width * profile.height


def _cost(profile: MediaProfile) -> int:
    """Of decoding a picture."""
    return _area(profile) * (_H265_COST if _codec(profile) == "H265" else 1)
