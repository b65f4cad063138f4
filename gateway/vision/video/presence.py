"""When faces were in front of one camera lately, and whether they are of the list: times in memory, nobody by name."""

import threading
from dataclasses import dataclass

# No clip reaches farther back when it ends.
_KEPT_SECONDS = 600.0
# A still scene is looked at with each keyframe; who has not looked for longer does not know who was there.
_SILENT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Stay:
    """One passage so far: when its first and last face was seen (monotonic s), and whether it was warned of."""

    first: float
    last: float
    listed: bool


class Presence:
    """One camera's; its looker notes, its clips ask from threads of their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None
        self._looked = 0.0
        self._stays: dict[str, Stay] = {}

    def looked(self, at: float) -> None:
        """Note that somebody looks from now on (monotonic s), and forget what no clip can ask for any more."""
        with self._lock:
            if self._since is None or at - self._looked > _SILENT_SECONDS:
                self._since = at
            self._looked = at
            for passage in [key for key, stay in self._stays.items() if at - stay.last > _KEPT_SECONDS]:
                del self._stays[passage]

    def rested(self) -> None:
        """Note that a picture came and nobody looked at it: whoever was in it is not known."""
        with self._lock:
            self._since = None

    def note(self, passage: str, stay: Stay) -> None:
        """Note how long a passage, or a part of it, lasts by now."""
        with self._lock:
            known = self._stays.get(passage, stay)
            first, last = min(stay.first, known.first), max(stay.last, known.last)
            self._stays[passage] = Stay(first, last, stay.listed or known.listed)

    def strangers(self, begin: float, end: float) -> bool:
        """Whether somebody who was not warned of was there in a time (monotonic s), or nobody looked in all of it."""
        with self._lock:
            if self._since is None or begin < self._since or end > self._looked + _SILENT_SECONDS:
                return True
            return any(stay.first <= end and stay.last >= begin and not stay.listed for stay in self._stays.values())
