"""Which cameras there were on a day, so far as this run of the gateway saw, with what was known of them last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from gateway.settings import CameraSettings
from gateway.workers import CameraState

_DAYS = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera when it was there last on a day."""

    camera: CameraSettings
    state: CameraState | None
    at: datetime


class CamerasSeen:
    """By day, the cameras that there were; of the newest days."""

    def __init__(self) -> None:
        self._days: dict[date, dict[str, Seen]] = {}

    def note(self, now: datetime, cameras: Iterable[CameraSettings], states: Mapping[str, CameraState]) -> None:
        """These there are now."""
        there = {each.id: Seen(each, states.get(each.id), now) for each in cameras}
        day = now.astimezone().date()
        self._days[day] = self._days.get(day, {}) | there
        for old in sorted(self._days)[:-_DAYS]:
            del self._days[old]

    def on(self, day: date) -> Mapping[str, Seen]:
        """By id; empty if nobody looked on that day."""
        return self._days.get(day, {})
