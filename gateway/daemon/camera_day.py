"""Counts what the journal says of cameras on one day; pure, so that a day can be played in a test."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.events import (
    CameraDay,
    CameraFault,
    CameraLost,
    CameraMotion,
    CameraRestored,
    CameraTampered,
    Event,
    GatewayStarted,
    Severity,
)
from gateway.workers import CameraState

COUNTED_TYPES = ("campus.camera.", GatewayStarted.TYPE)
_OURS = "picture "
_CLOCK_OFF_SECONDS = 5.0
_MOST_DETECTORS, _OTHERS = 16, "others"


@dataclass(slots=True)
class _Counts:
    losses: int = 0
    seconds: float = 0.0
    lost_at: datetime | None = None
    heard: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    tampered: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Watched:
    """A camera that there was on the day; `until`: it was removed then."""

    id: str
    name: str = ""
    place: str = ""
    until: datetime | None = None


class CameraTally:
    """One day.

    Args:
        since, until: its begin and its end, aware.
        lost_before: cameras that gave no picture when it began.
    """

    def __init__(self, since: datetime, until: datetime, lost_before: Collection[str] = ()) -> None:
        self._since = since
        self._until = until
        self._counts = {camera: _Counts(lost_at=since) for camera in lost_before}

    def take(self, event: Event) -> None:
        """Count one event, in the journal's order; those of other days and of other things count nothing.

        Nor do contacts: one may be a silent button, and everybody may read the report.
        """
        if not self._since <= event.time < self._until:
            return
        match event:
            case GatewayStarted(time=now):
                self._restarted(now)
            case CameraLost(camera=camera, time=now):
                self._lost(self._of(camera), now)
            case CameraRestored(camera=camera, time=now, outage=outage):
                self._restored(self._of(camera), now, outage)
            case CameraFault(camera=camera, state=state) if event.severity is not Severity.INFO:
                self._of(camera).faults[state] += 1
            case CameraTampered(camera=camera, active=active, detector=detector):
                counts = self._of(camera)
                counts.heard += not detector.startswith(_OURS)
                counts.tampered[_named(counts.tampered, detector.removeprefix(_OURS))] += active
            case CameraMotion(camera=camera, withheld=withheld):
                self._of(camera).heard += 1 + withheld

    def _of(self, camera: str) -> _Counts:
        return self._counts.setdefault(camera, _Counts())

    def _lost(self, counts: _Counts, now: datetime) -> None:
        if counts.lost_at is None:
            counts.losses += 1
            counts.lost_at = now

    def _restored(self, counts: _Counts, now: datetime, outage: float) -> None:
        """The outage was measured by the monotonic clock: it counts where the wall clock was set back meanwhile."""
        today = now.timestamp() - self._since.timestamp()
        by_wall = now.timestamp() - counts.lost_at.timestamp() if counts.lost_at else 0.0
        counts.seconds += max(0.0, by_wall, min(outage, today))
        counts.lost_at = None

    def _restarted(self, now: datetime) -> None:
        """What was lost before is not known to be so any more; if it is, that is told anew."""
        for counts in self._counts.values():
            if counts.lost_at is not None:
                self._restored(counts, now, 0.0)

    @property
    def counted(self) -> tuple[str, ...]:
        """The cameras of which anything is told on the day, or that gave no picture when it began."""
        return tuple(self._counts)

    def days(self, cameras: Iterable[Watched], states: Mapping[str, CameraState]) -> tuple[CameraDay, ...]:
        """One value for each camera that there was, in their order, with what is known of it now."""
        return tuple(self._day(camera, states.get(camera.id)) for camera in cameras)

    def _day(self, camera: Watched, state: CameraState | None) -> CameraDay:
        counts = self._of(camera.id)
        told: Mapping[str, Any] = state.description if state is not None else {}
        if state is not None and state.lost_since is not None and state.lost_since <= self._since:
            counts.lost_at = self._since  # all day: nothing was told of it on this day
        lost = counts.lost_at is not None
        if lost:
            self._restored(counts, min(camera.until or self._until, self._until), 0.0)
        offset, gap = told.get("clock_offset_seconds"), bool(told.get("recording_gap"))
        troubles = counts.losses or lost or counts.seconds or counts.faults or +counts.tampered or gap
        return CameraDay(
            camera=camera.id,
            name=camera.name,
            place=camera.place,
            well=not troubles and abs(offset or 0.0) <= _CLOCK_OFF_SECONDS,
            losses=counts.losses,
            seconds_without_picture=round(min(counts.seconds, self._until.timestamp() - self._since.timestamp()), 1),
            lost=lost and camera.until is None,
            faults=dict(sorted(counts.faults.items())),
            tampered=dict(sorted((+counts.tampered).items())),
            events_heard=counts.heard,
            clock_offset_seconds=None if offset is None else round(offset, 1),
            certificate_days_left=_days_left(state),
            recording_gap=gap,
        )


def _named(known: Counter[str], detector: str) -> str:
    """A camera names its detectors as it likes, and as many as it likes."""
    return detector if detector in known or len(known) < _MOST_DETECTORS else _OTHERS


def _days_left(state: CameraState | None) -> int | None:
    """Of the certificate of its ONVIF side, else of that of its stream."""
    if state is None:
        return None
    of_onvif: int | None = state.description.get("certificate_days_left")
    return state.status.certificate_days_left if of_onvif is None and state.status is not None else of_onvif
