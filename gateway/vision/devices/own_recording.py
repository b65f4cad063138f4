"""Looks once an hour at what a camera has recorded itself: whether it goes on, and reaches back as far as it should."""

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from gateway.cameras import CameraError, CameraState, OwnRecording
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.events import CameraFault, Severity, camera_source, derived_id, encode
from gateway.settings import VisionSettings
from gateway.wire import (
    CREDENTIALS_WRONG,
    NO_RECORDING,
    NOT_PLAYABLE,
    UNREACHABLE,
    CameraAssigned,
    Message,
    RecordingReply,
    RecordingRequest,
    Report,
)

_LOG = logging.getLogger(__name__)
_FIRST_SECONDS, _LOOK_SECONDS, _AGAIN_SECONDS = 8.0, 3600.0, 600.0
# Memory cards are freed in files of minutes: a begin that moved less than this is still the same.
_MOVED = timedelta(minutes=1)
# A picture of so much later than it is by the camera's own clock was recorded while that was wrong.
_AHEAD = timedelta(days=1)
_DAY = timedelta(days=1)
_REASONS = {
    CameraState.NO_RECORDING: NO_RECORDING,
    CameraState.CREDENTIALS_WRONG: CREDENTIALS_WRONG,
    CameraState.NOT_ONVIF: NOT_PLAYABLE,
}
_REMEDY = (
    "Look at the camera's memory card and at its recording schedule; if it shall record on motion only, set "
    "vision.recording_minutes, and if it shall keep less, vision.recording_days."
)


class SearchedCamera(Protocol):
    """What is asked of a camera; `gateway.cameras.OnvifCamera` is one."""

    async def own_recording(self) -> OwnRecording:
        """What it has recorded itself, or a CameraError."""
        ...


class Sender(Protocol):
    """The way to the parent."""

    async def send(self, message: Message) -> None:
        """Send one message."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a camera's own recording is.

    Attributes:
        gap: what is wrong, in words; empty if nothing is.
        figures: minutes since its newest picture, and days that it reaches back.
        key: of what is wrong; the same for one and the same gap.
    """

    gap: str
    figures: Mapping[str, str | int | float]
    key: str = ""


_NOTHING = Verdict("it has recorded nothing", MappingProxyType({"minutes": "–", "days": 0}), "nothing")


class RecordingWatch:
    """Of one camera.

    Args:
        most_pause: so far back its newest picture may lie.
        reach: so far back it should reach, once it is full; None: as far as it likes.
    """

    def __init__(self, most_pause: timedelta, reach: timedelta | None) -> None:
        self._most_pause = most_pause
        self._reach = reach
        self._first_begin: datetime | None = None

    def judge(self, own: OwnRecording, now: datetime) -> Verdict | None:
        """How it is; None of a camera that has recorded nothing, never did and need not."""
        if own.begins is None or own.ends is None:
            return None if self._first_begin is None and self._reach is None else _NOTHING
        there = now + own.clock_offset
        pause, reach = there - own.ends, there - own.begins
        figures: dict[str, str | int | float] = {
            "minutes": max(0, int(pause.total_seconds() // 60)),
            "days": round(max(0.0, reach / _DAY), 1),
        }
        # One that was formatted, or overwrites what should be kept, has a later begin than before; a new card has not.
        self._first_begin = min(self._first_begin or own.begins, own.begins)
        if -pause > _AHEAD:
            what = (
                f"its newest picture is of {own.ends:%Y-%m-%d}, by a clock that was wrong: whether it records is hidden"
            )
            return Verdict(what, figures | {"minutes": "–"}, f"ahead {own.ends.isoformat()}")
        if pause > self._most_pause:
            return Verdict(f"its newest picture is {figures['minutes']} min old", figures, own.ends.isoformat())
        if self._reach is not None and reach < self._reach and own.begins - self._first_begin > _MOVED:
            return Verdict(f"it reaches back {figures['days']:g} days only", figures, f"short {there.date()}")
        return Verdict("", figures)


class RecordingRounds:
    """One camera: looks, and tells what is news.

    Args:
        assigned: the camera as the parent gave it.
        camera: asked over ONVIF.
        site: for the source of events.
        sender: the way to the parent.
        clock: for time stamps and waits.
        vision: how far the recording must reach.
    """

    def __init__(
        self,
        assigned: CameraAssigned,
        camera: SearchedCamera,
        site: str,
        sender: Sender,
        clock: Clock,
        vision: VisionSettings,
    ) -> None:
        self._assigned = assigned
        self._camera = camera
        self._site = site
        self._sender = sender
        self._clock = clock
        days = vision.recording_days
        self._watch = RecordingWatch(
            timedelta(minutes=vision.recording_minutes), None if days is None else timedelta(days=days)
        )
        self._told = False
        self._figures: dict[str, object] = {}

    def figures(self) -> dict[str, object]:
        """For the camera's description; nothing of a camera that does not record."""
        return dict(self._figures)

    async def run(self) -> None:
        """Look for ever; not all cameras at once."""
        await self._clock.sleep(_jittered(_FIRST_SECONDS))
        while True:
            await self._clock.sleep(_jittered(await self._look()))

    async def _look(self) -> float:
        """One look; returns in how many seconds the next is due."""
        try:
            own = await self._camera.own_recording()
        except CameraError as error:
            return _LOOK_SECONDS if error.state is CameraState.NO_RECORDING else _AGAIN_SECONDS
        except GatewayError as error:
            _LOG.info("camera %s: its own recording: %s", self._assigned.camera, error)
            return _AGAIN_SECONDS
        verdict = self._watch.judge(own, self._clock.now())
        if verdict is not None:
            await self._tell(own, verdict)
        return _LOOK_SECONDS

    async def _tell(self, own: OwnRecording, verdict: Verdict) -> None:
        self._figures = {
            "recording_begins": None if own.begins is None else own.begins.isoformat(),
            "recording_ends": None if own.ends is None else own.ends.isoformat(),
            "recording_gap": bool(verdict.gap),
        }
        if bool(verdict.gap) == self._told:
            return
        self._told = bool(verdict.gap)
        await self._sender.send(Report(event=encode(self._event(verdict))))

    def _event(self, verdict: Verdict) -> CameraFault:
        """Of a gap the same id, whoever tells it again behind a restart."""
        assigned, now = self._assigned, self._clock.now()
        state = "recording_gap" if verdict.gap else "recording_ok"
        return CameraFault(
            id=derived_id(state, self._site, assigned.camera, verdict.key or now.isoformat()),
            source=camera_source(self._site, assigned.camera),
            subject=assigned.camera,
            time=now,
            severity=Severity.MEDIUM if verdict.gap else Severity.INFO,
            camera=assigned.camera,
            name=assigned.name,
            place=assigned.place,
            state=state,
            remedy=_REMEDY if verdict.gap else "",
            detail=verdict.gap,
            figures=dict(verdict.figures),
        )


async def replay_of(request: RecordingRequest, camera: SearchedCamera | None) -> RecordingReply:
    """Where a camera plays its own recording, or why that is not known; None: it is not assigned yet."""
    try:
        own = await camera.own_recording() if camera is not None else None
    except CameraError as error:
        return replace(_refused(request), refusal=_REASONS.get(error.state, UNREACHABLE))
    except GatewayError:
        return replace(_refused(request), refusal=NOT_PLAYABLE)
    if own is None:
        return _refused(request)
    if own.replay is None:
        return replace(_refused(request), refusal=NO_RECORDING)
    offset = own.clock_offset.total_seconds()
    return RecordingReply(request=request.request, camera=request.camera, url=own.replay, clock_offset_seconds=offset)


def _refused(request: RecordingRequest) -> RecordingReply:
    return RecordingReply(request=request.request, camera=request.camera, refusal=UNREACHABLE)


def _jittered(seconds: float) -> float:
    return seconds * (0.75 + random.random() / 2)  # noqa: S311  # spreads looks, keeps no secret
