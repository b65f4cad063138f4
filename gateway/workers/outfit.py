"""What children are given at birth, and by which rules they are kept."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import PRIVATE_NETWORKS, EvidenceSettings, MatchingSettings, VisionSettings
from gateway.wire import Hello
from gateway.workers.budget import RestartBudget
from gateway.workers.life import LifeRules
from gateway.workers.process import StartWorker, WorkerProcess

GALLERY, DEVICES, VIDEO = "gallery", "devices", "video"
# It needs little of the processor, and that little at once: a camera-wired button is heard by it.
_LISTENING_NICE = 2


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """What the children work with.

    Attributes:
        site: the gateway's name, for the sources of events.
        vision: the settings of child programs.
        matching: when a face is like somebody.
        models_directory: where model files and caches are.
        evidence: how long clips are.
        trusted_cameras: ids of those in the configuration file, which may be anywhere; None: all.
        people_key: opens wrapped person keys; goes to the gallery child alone.
    """

    site: str
    vision: VisionSettings
    matching: MatchingSettings
    models_directory: Path
    people_key: bytes = field(repr=False)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    trusted_cameras: frozenset[str] | None = None

    def networks_of(self, camera: str) -> tuple[str, ...] | None:
        """Where a camera's address must lead to; None: anywhere."""
        return None if self.is_trusted(camera) else self.vision.camera_networks or PRIVATE_NETWORKS

    def is_trusted(self, camera: str) -> bool:
        """Whether a camera is of the configuration file."""
        return self.trusted_cameras is None or camera in self.trusted_cameras

    def vision_of(self, role: str) -> VisionSettings:
        """The settings of a child; who listens to contacts goes before who looks at pictures."""
        if role != DEVICES or self.vision.nice <= _LISTENING_NICE:
            return self.vision
        return self.vision.model_copy(update={"nice": _LISTENING_NICE})

    def hello(self, role: str, name: str) -> Hello:
        """The first message to the child `name`."""
        return Hello(
            role=role,
            worker=name,
            site=self.site,
            vision=self.vision_of(role),
            matching=self.matching,
            models_directory=str(self.models_directory),
            people_key=self.people_key if role == GALLERY else b"",
            evidence=self.evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How children are kept; tests give their own.

    Attributes:
        rules: how long they may be silent and take; None for the settings' heartbeat time-out.
        budget: makes the restart budget of a child.
        start: starts a child's process.
        cores: of the machine, as far as this process may use them.
    """

    rules: LifeRules | None = None
    budget: Callable[[], RestartBudget] = RestartBudget
    start: StartWorker = WorkerProcess.start
    cores: int = field(default_factory=_usable_cores)
