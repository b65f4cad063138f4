"""What a site decided about its incidents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _never(_device: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site decided about its incidents.

    Attributes:
        join_window_seconds, join_cap_seconds: a further warning of the same person at the same camera joins the open
            incident within the window after its newest trigger, and within the cap after its first. A press joins
            however old the incident is.
        flood_incidents, flood_window_seconds, flood_calm: more new incidents than that within the window are a flood;
            fewer than the calm limit end it.
        inhibitions: id of the device or camera whose incident explains losses → ids of what is behind it.
        reports_clear: whether a device says when its condition is over.
        source: of events about the site as a whole.
    """

    join_window_seconds: float = 120.0
    join_cap_seconds: float = 600.0
    flood_incidents: int = 10
    flood_window_seconds: float = 600.0
    flood_calm: int = 5
    inhibitions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reports_clear: Callable[[str], bool] = _never
    source: str = "/gateway"

    def inhibitors_of(self, identity: str) -> tuple[str, ...]:
        """Whose incident would explain the loss of a device or camera."""
        return tuple(cause for cause, covered in self.inhibitions.items() if identity in covered)
