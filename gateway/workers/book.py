"""What is known of each camera: who has it, how it is, and which losses were reported."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gateway.events import CameraLost, CameraRestored, Event, FaceMatched, Severity, camera_source, new_id
from gateway.wire import (
    NO_STREAM_ADDRESS,
    CameraAssigned,
    CameraDescribed,
    CameraStatus,
    ContactsHeard,
    StreamAddress,
    WarnedOf,
)
from gateway.workers.states import CameraState

_AWAY = "worker_away"
# A child reports a return itself; one heartbeat may overtake that.
_CERTAIN_BEATS = 2
BY_ONVIF = ("onvif:", "onvifs:")
_REFUSED = "credentials_wrong"
CRASH_LOOP = "worker_crash_loop"
# Of a core: 720p at 25 frames and 5 looks a second, with people; and what a still camera counts for at least, which has
# next to nothing to do now and may have all of that in a moment.
_USUAL_LOAD, _LEAST_LOAD = 0.12, 0.06


@dataclass(slots=True)
class _Entry:
    assigned: CameraAssigned
    worker: str
    status: CameraStatus | None = None
    address: StreamAddress | None = None
    described: CameraDescribed | None = None
    heard: ContactsHeard | None = None
    lost_since: datetime | None = None
    lost_reason: str = ""
    live_beats: int = 0
    warned: dict[str, float] = field(default_factory=dict)


def _load(status: CameraStatus | None) -> float:
    if status is None or status.state != "live":
        return _USUAL_LOAD
    return max(_LEAST_LOAD, status.load)


class CameraBook:
    """All cameras of the gateway.

    A loss is reported once and its return once, whichever life of whichever child saw it; and the last warning of each
    person is kept for as long as the cool-down, so that a child's next life does not repeat it.

    Args:
        site: for the sources of events.
        cooldown_seconds: how long a warning is of use to a child.
    """

    def __init__(self, site: str, cooldown_seconds: float = 0.0) -> None:
        self._site = site
        self._cooldown = cooldown_seconds
        self._entries: dict[str, _Entry] = {}

    def __contains__(self, camera: str) -> bool:
        return camera in self._entries

    def assign(self, camera: CameraAssigned, worker: str) -> None:
        """The camera belongs to `worker` now; its stream is forgotten, losses and warnings are not."""
        old = self._entries.get(camera.camera)
        entry = self._entries[camera.camera] = _Entry(camera, worker)
        if old is not None:
            entry.lost_since, entry.lost_reason, entry.warned = old.lost_since, old.lost_reason, old.warned

    def withdraw(self, camera: str) -> str | None:
        """Forget the camera; returns the child that had it, if anybody."""
        entry = self._entries.pop(camera, None)
        return None if entry is None else entry.worker

    def worker_of(self, camera: str) -> str | None:
        """The child that has the camera."""
        entry = self._entries.get(camera)
        return None if entry is None else entry.worker

    def is_watched(self, camera: str) -> bool:
        """Whether its child is there and has said that it has the camera."""
        entry = self._entries.get(camera)
        return entry is not None and entry.status is not None

    def needs_password(self, camera: str) -> bool:
        """Whether another password may help: it shows nothing, or says itself that this one is wrong."""
        entry = self._entries.get(camera)
        if entry is None or entry.status is None or entry.status.state != "live":
            return True
        return entry.described is not None and entry.described.state == _REFUSED

    def of_worker(self, worker: str) -> tuple[CameraAssigned, ...]:
        """The cameras of a video child."""
        return tuple(entry.assigned for entry in self._entries.values() if entry.worker == worker)

    def told(self, camera: str, now: float) -> CameraAssigned:
        """A camera that somebody has, as its child is to be told at `now` (monotonic s): with the last warnings."""
        entry = self._entries[camera]
        recent = {person: now - at for person, at in entry.warned.items() if now - at < self._cooldown}
        return replace(entry.assigned, warned=tuple(WarnedOf(person=p, seconds_ago=ago) for p, ago in recent.items()))

    def note_warning(self, event: Event, now: float) -> None:
        """A child warned of somebody, at `now` (monotonic s); other events are none."""
        entry = self._entries.get(event.camera) if isinstance(event, FaceMatched) else None
        if entry is not None and isinstance(event, FaceMatched):
            entry.warned = {person: at for person, at in entry.warned.items() if now - at < self._cooldown}
            entry.warned[event.person] = now

    def load_of(self, worker: str) -> float:
        """CPU seconds a second that a video child has to do, by what its cameras said; silent ones count as usual."""
        return sum(_load(entry.status) for entry in self._entries.values() if entry.worker == worker)

    def move(self, camera: str, worker: str) -> None:
        """The camera belongs to another child now; its address and a reported loss are kept."""
        self._entries[camera].worker = worker
        self._entries[camera].status = None

    def by_onvif(self) -> tuple[CameraAssigned, ...]:
        """The cameras that the devices child asks."""
        return tuple(entry.assigned for entry in self._entries.values() if entry.assigned.url.startswith(BY_ONVIF))

    def addresses_of(self, worker: str) -> tuple[StreamAddress, ...]:
        """The stream addresses known for the cameras of a video child."""
        return tuple(e.address for e in self._entries.values() if e.worker == worker and e.address is not None)

    def note_address(self, address: StreamAddress) -> None:
        """The devices child found where a camera streams."""
        if address.camera in self._entries:
            self._entries[address.camera].address = address

    def note_described(self, described: CameraDescribed) -> None:
        """The devices child asked a camera, or could not; a failure keeps what the camera said of itself before."""
        entry = self._entries.get(described.camera)
        if entry is None:
            return
        if not described.description and entry.described is not None:
            described = replace(described, description=entry.described.description)
        entry.described = described

    def note_heard(self, heard: ContactsHeard) -> None:
        """Whether a camera's events are heard, and by what way: news that come between two descriptions."""
        entry = self._entries.get(heard.camera)
        if entry is not None:
            entry.heard = heard

    def note_status(self, status: CameraStatus, now: datetime) -> CameraRestored | None:
        """A camera's part of a heartbeat.

        Returns:
            the event to report if the picture is back and its child does not say so: it is not the one that saw it go.
        """
        entry = self._entries.get(status.camera)
        if entry is None:
            return None
        entry.status = status
        entry.live_beats = entry.live_beats + 1 if status.state == "live" else 0
        if entry.lost_since is None or entry.live_beats < _CERTAIN_BEATS:
            return None
        event = CameraRestored(
            id=new_id(),
            source=camera_source(self._site, status.camera),
            subject=status.camera,
            time=now,
            camera=status.camera,
            name=entry.assigned.name,
            place=entry.assigned.place,
            outage=max(0.0, (now - entry.lost_since).total_seconds()),
        )
        entry.lost_since, entry.lost_reason = None, ""
        return event

    def explained(self, event: Event) -> Event:
        """A loss without a stream's address, with what the camera said when it was asked; others as they are."""
        entry = self._entries.get(event.camera) if isinstance(event, CameraLost) else None
        if entry is None or not isinstance(event, CameraLost) or event.reason != NO_STREAM_ADDRESS:
            return event
        return replace(event, reason=_true_reason(entry, NO_STREAM_ADDRESS))

    def is_news(self, event: Event) -> bool:
        """Whether a child's event is to be reported.

        A loss or a return that is known already is not, nor is that of a camera which was withdrawn meanwhile: nobody
        would ever tell of the end of that loss.
        """
        if not isinstance(event, CameraLost | CameraRestored):
            return True
        entry = self._entries.get(event.camera)
        if entry is None:
            return False
        known = entry.lost_since is not None
        if isinstance(event, CameraRestored):
            entry.lost_since, entry.lost_reason = None, ""
            return known
        entry.lost_since = entry.lost_since or event.time
        entry.lost_reason, entry.live_beats = event.reason, 0
        return not known

    def worker_gone(self, worker: str) -> None:
        """The child is away: what it said of its cameras is no longer so."""
        for entry in self._entries.values():
            if entry.worker == worker:
                entry.status = None

    def lost_with(self, worker: str, now: datetime) -> Iterator[CameraLost]:
        """The losses to report when a child is in a crash loop."""
        for entry in self._entries.values():
            if entry.worker != worker or entry.lost_since is not None:
                continue
            entry.lost_since, entry.lost_reason, entry.live_beats = now, CRASH_LOOP, 0
            yield CameraLost(
                id=new_id(),
                source=camera_source(self._site, entry.assigned.camera),
                subject=entry.assigned.camera,
                time=now,
                severity=Severity.HIGH,
                camera=entry.assigned.camera,
                name=entry.assigned.name,
                place=entry.assigned.place,
                reason=CRASH_LOOP,
            )

    def states(self) -> tuple[CameraState, ...]:
        """All cameras as they are now."""
        return tuple(_state(entry) for entry in self._entries.values())


def _state(entry: _Entry) -> CameraState:
    described, status = entry.described, entry.status
    reason = _true_reason(entry, entry.lost_reason or (status.reason if status else ""))
    return CameraState(
        camera=entry.assigned.camera,
        name=entry.assigned.name,
        place=entry.assigned.place,
        state=_state_name(entry),
        reason=reason,
        worker=entry.worker,
        status=status,
        lost_since=entry.lost_since,
        asked=described.state if described else "",
        remedy=described.remedy if described else "",
        detail=described.detail if described else "",
        description=_description(entry),
    )


def _true_reason(entry: _Entry, reason: str) -> str:
    """The reason of a loss; where only the address is missing, why the camera did not tell it."""
    said = entry.described.state if entry.described else ""
    return said if reason == NO_STREAM_ADDRESS and said not in ("", "ok") else reason


def _description(entry: _Entry) -> dict[str, Any]:
    """What the camera said of itself, and how it is heard now; empty before it said anything."""
    said = entry.described.description if entry.described else {}
    if not said or entry.heard is None:
        return said
    return said | {"events_heard": entry.heard.heard, "events_by": entry.heard.by}


def _state_name(entry: _Entry) -> str:
    """A reported loss stands until its return is reported, whatever the last heartbeat said."""
    if entry.status is None:
        return _AWAY
    return "lost" if entry.lost_since is not None else entry.status.state
