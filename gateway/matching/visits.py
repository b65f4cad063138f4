"""Makes one warning of one visit: who is recognised again before they were away is on the same visit."""


class VisitBook:
    """Remembers when each person who is on a visit to one camera was last there.

    Args:
        grace_seconds: who was not there for longer is on a new visit.

    Time is the caller's; one that goes back (a recording begins anew) begins a new visit.
    """

    def __init__(self, grace_seconds: float = 2.0) -> None:
        self._grace = grace_seconds
        self._seen: dict[str, float] = {}

    def begins(self, person: str, at: float) -> bool:
        """Note that `person` was recognised at time `at` (s); whether that begins a visit."""
        self._seen = {each: seen for each, seen in self._seen.items() if 0 <= at - seen <= self._grace}
        new = person not in self._seen
        self._seen[person] = at
        return new

    def stays(self, person: str, at: float) -> None:
        """Note that `person`, who was recognised, was still there at time `at` (s)."""
        self._seen[person] = at

    def __len__(self) -> int:
        return len(self._seen)
