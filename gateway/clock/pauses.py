"""How long to wait before the next try."""

_MOST_DOUBLINGS = 60  # a float holds 1,023, and a camera may be away for weeks


def doubled(first: float, longest: float, times: int) -> float:
    """A pause (s) that was doubled so many times, up to the longest; however often that was."""
    return min(longest, first * 2.0 ** min(max(times, 0), _MOST_DOUBLINGS))
