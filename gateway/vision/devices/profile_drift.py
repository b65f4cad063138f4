"""Notices that a stream was set up anew: size, codec or frame rate of a profile in use are other than before."""

from dataclasses import dataclass, field

from gateway.cameras import MediaProfile, main_and_sub

_Known = tuple[int, int, str, int]


@dataclass(frozen=True, slots=True)
class Drift:
    """One stream, ``main`` or ``sub``, as its profile was and as it is, in words."""

    stream: str
    before: str
    now: str


@dataclass(slots=True)
class ProfileWatch:
    """Of one camera; what it says at the first look is what it should be, until it was told that it is not."""

    _known: dict[str, _Known] = field(default_factory=dict)

    def judge(self, profiles: tuple[MediaProfile, ...]) -> tuple[Drift, ...]:
        """What changed since the last look; nothing of what the camera does not tell."""
        if not profiles:
            return ()
        main, sub = main_and_sub(profiles)
        used = {"main": main} | ({"sub": sub} if sub is not None else {})
        return tuple(drift for stream, profile in used.items() for drift in self._compared(stream, _figures(profile)))

    def _compared(self, stream: str, told: _Known) -> tuple[Drift, ...]:
        before = self._known.get(stream, told)
        now = self._known[stream] = _with(before, told)
        return (Drift(stream, _words(before), _words(now)),) if _differ(before, now) else ()


def _with(before: _Known, told: _Known) -> _Known:
    """What is told; where nothing is told, what was known."""
    return told[0] or before[0], told[1] or before[1], told[2] or before[2], told[3] or before[3]


def _differ(before: _Known, now: _Known) -> bool:
    """A figure that was not known before is none that changed."""
    return any(old and old != new for old, new in zip(before, now, strict=True))


def _figures(profile: MediaProfile) -> _Known:
    return profile.width, profile.height, profile.codec.upper(), round(profile.frames_per_second)


def _words(known: _Known) -> str:
    width, height, codec, rate = known
    parts = (f"{width}x{height}" if width and height else "", codec, f"{rate} fps" if rate else "")
    return " ".join(part for part in parts if part)
