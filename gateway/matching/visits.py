"""Makes one warning of one visit: the same person at the same camera is warned of once until they have been away."""


class VisitBook:
    """Remembers when each person was last recognised at each camera.

    Args:
        away_seconds: who was not recognised for this long is on a new visit.
        repeat_seconds: who stays is warned of again after this long; None for never.

    Time is the caller's; one that goes back (a recording begins anew) begins a new visit.
    """

    def __init__(self, away_seconds: float = 30.0, repeat_seconds: float | None = None) -> None:
        self._away = away_seconds
        self._repeat = repeat_seconds
        self._visits: dict[tuple[str, str], tuple[float, float]] = {}

    def begins(self, person: str, camera: str, at: float) -> bool:
        """Note that `person` was recognised at `camera` at time `at` (s); whether this calls for a warning."""
        warned, seen = self._visits.get((person, camera), (at, at))
        new = (person, camera) not in self._visits or not 0 <= at - seen <= self._away or self._tires(warned, at)
        self._visits[person, camera] = (at if new else warned, at)
        return new

    def forget_before(self, at: float) -> None:
        """Drop the visits that were over at time `at` (s)."""
        self._visits = {key: times for key, times in self._visits.items() if at - times[1] <= self._away}

    def forget_person(self, person: str) -> None:
        """Drop what is known of a person who left the list."""
        self._visits = {key: times for key, times in self._visits.items() if key[0] != person}

    def __len__(self) -> int:
        return len(self._visits)

    def _tires(self, warned: float, at: float) -> bool:
        return self._repeat is not None and at - warned >= self._repeat
