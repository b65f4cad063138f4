"""Plays a recording once for all its viewers, at its own pace, turn after turn with continuous timestamps."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from gateway.simulators.camera.recording import Recording
from gateway.simulators.camera.rtp import CLOCK_RATE, payloads

_LATE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One access unit ready to be sent: RTP payloads, time in 1/90000 s, wall time of its capture."""

    payloads: tuple[bytes, ...]
    timestamp: int
    captured: float
    keyframe: bool


class Viewer(Protocol):
    """Whoever is sent the pictures."""

    def show(self, picture: Picture) -> None:
        """Take one picture; never blocks."""
        ...

    def end(self) -> None:
        """The recording is over and is not looped."""
        ...


class Scene:
    """The time that main stream, sub-stream and snapshots share; begins with the first viewer.

    When the last viewer has gone the scene is over, and the next one sees it from its beginning: `showing` counts
    these.
    """

    def __init__(self) -> None:
        self._viewers = 0
        self._began = 0.0
        self._began_wall = 0.0
        self.showing = 0

    def enter(self) -> None:
        """A viewer comes."""
        if self._viewers == 0:
            self._began, self._began_wall = time.monotonic(), time.time()
            self.showing += 1
        self._viewers += 1

    def leave(self) -> None:
        """A viewer goes."""
        self._viewers -= 1

    @property
    def began(self) -> float | None:
        """When this showing began, by the monotonic clock; None while nobody looks."""
        return self._began if self._viewers else None

    def elapsed(self) -> float:
        """Seconds since the scene began; 0 while nobody looks."""
        return time.monotonic() - self._began if self._viewers else 0.0

    def wall(self, elapsed: float) -> float:
        """Unix time of the moment `elapsed` seconds into the scene."""
        return self._began_wall + elapsed


class Playback:
    """One recording and those who watch it.

    A viewer who comes in the middle of a group of pictures gets that group at once, so that it can decode from its
    first packet on; a real camera sends a keyframe on request instead. If not `at_once`, it must wait for the next one.
    """

    def __init__(self, recording: Recording, scene: Scene, *, loop: bool, at_once: bool = True) -> None:
        self.recording = recording
        self._scene = scene
        self._loop = loop
        self._at_once = at_once
        self._viewers: list[Viewer] = []
        self._wanted = asyncio.Event()
        self._next: int | None = None

    def attach(self, viewer: Viewer) -> None:
        """Show the scene to `viewer` from now on."""
        self._scene.enter()
        if self._next is not None and self._at_once:
            for number in range(self.recording.keyframe_before(max(self._next - 1, 0)), self._next):
                viewer.show(self._picture(number))
        self._viewers.append(viewer)
        self._wanted.set()

    def detach(self, viewer: Viewer) -> None:
        """Show `viewer` nothing more; one that is not attached is fine."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            self._scene.leave()
        if not self._viewers:
            self._next = None

    async def run(self) -> None:
        """Play whenever somebody watches; runs until cancelled."""
        while True:
            await self._wanted.wait()
            await self._play(self._scene.showing)
            if not self._viewers:
                self._wanted.clear()

    async def _play(self, showing: int) -> None:
        number = self._starting_number()
        while self._viewers:
            self._next = number
            await asyncio.sleep(max(0.0, self.recording.due(number) - self._scene.elapsed()))
            if self._scene.showing != showing:
                return
            self._show(self._picture(number))
            number = self._following(number)
            if not self._loop and number >= len(self.recording.units):
                self._finish()

    def _show(self, picture: Picture) -> None:
        for viewer in tuple(self._viewers):
            viewer.show(picture)

    def _starting_number(self) -> int:
        number = self.recording.number_at(self._scene.elapsed())
        if not self._loop:
            number = min(number, len(self.recording.units) - 1)
        return self.recording.keyframe_before(number) + (not self._at_once)

    def _following(self, number: int) -> int:
        """The next access unit, or a later keyframe when this process was held up."""
        elapsed = self._scene.elapsed()
        if self._loop and elapsed - self.recording.due(number + 1) > _LATE_SECONDS:
            return max(number + 1, self.recording.keyframe_before(self.recording.number_at(elapsed)))
        return number + 1

    def _finish(self) -> None:
        for viewer in tuple(self._viewers):
            self.detach(viewer)
            viewer.end()

    def _picture(self, number: int) -> Picture:
        unit = self.recording.unit(number)
        shown = self.recording.shown(number)
        return Picture(
            payloads=payloads(unit.nals, self.recording.syntax),
            timestamp=round(shown * CLOCK_RATE),
            captured=self._scene.wall(shown),
            keyframe=unit.keyframe,
        )
