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
        new = (person, camera) not in self._visits or not self._lasts(seen, at) or self._tires(warned, at)
        self._forget_over(camera, at)
        self._visits[person, camera] = (at if new else warned, at)
        return new

    def __len__(self) -> int:
        """The visits that are remembered: of each camera those that were not over when it last recognised somebody."""
        return len(self._visits)

    def _forget_over(self, camera: str, at: float) -> None:
        over = [key for key, (_, seen) in self._visits.items() if key[1] == camera and not self._lasts(seen, at)]
        for key in over:
            del self._visits[key]

    def _lasts(self, seen: float, at: float) -> bool:
        return 0 <= at - seen <= self._away

    def _tires(self, warned: float, at: float) -> bool:
        return self._repeat is not None and at - warned >= self._repeat
