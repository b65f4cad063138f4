"""What the children and their cameras are like, as values for the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.wire import CameraStatus


class WorkerStage(StrEnum):
    """Where a child is in its life."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    CRASH_LOOP = "crash_loop"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """One child.

    Attributes:
        name: such as ``video-1``.
        role: video, devices or gallery.
        pid: 0 while there is no process.
        restarts: how often it was started anew since the gateway started.
        reason: why it ended last, as it said itself if it could; empty if it never did.
        remedy: what can be done about that; empty if it did not say.
        detail, detector, model: what it said of itself when it was ready.
        silent_seconds: since its last message.
        list_revision: of the watch-list that it compares with.
        cameras: ids of the cameras that it has.
    """

    name: str
    role: str
    stage: WorkerStage
    pid: int = 0
    restarts: int = 0
    reason: str = ""
    remedy: str = ""
    detail: str = ""
    detector: str = ""
    model: str = ""
    silent_seconds: float = 0.0
    resident_megabytes: float = 0.0
    list_revision: int = 0
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraState:
    """One camera as the alarm house knows it.

    Attributes:
        state: idle, connecting, live or lost as its child says; worker_away while there is no child.
        reason: the named reason of a loss.
        worker: the video child that has it.
        status: the figures of its child's last heartbeat; None before the first.
        lost_since: when its loss was reported; None while it is not lost.
        asked: what the devices child found when it asked the camera; empty for cameras without ONVIF.
        remedy: what the installer can do about it; empty if nothing. `detail`: what exactly is wrong.
        description: what the camera said of itself.
    """

    camera: str
    name: str
    place: str
    state: str
    reason: str = ""
    worker: str = ""
    status: CameraStatus | None = None
    lost_since: datetime | None = None
    asked: str = ""
    remedy: str = ""
    detail: str = ""
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryState:
    """How far the watch-list has got.

    Attributes:
        revision: of the newest gallery that was built; 0 if none.
        wanted: the store's revision as it was read last, also while no gallery child is there to build it.
        people, templates, skipped: what it holds, and how many rows it had to leave out.
        applied: the revision that each living video child compares with.
        waiting: children that do not have the wanted one yet; the gallery child if it has not built it.
    """

    revision: int = 0
    wanted: int = 0
    people: int = 0
    templates: int = 0
    skipped: int = 0
    fingerprint: str = ""
    applied: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
