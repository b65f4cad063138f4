"""Follows the faces of one camera and says who of the watch-list passes: each once per passage."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.events import new_id
from gateway.matching import (
    Decision,
    Detection,
    Evidence,
    FaceTracker,
    FineView,
    Gallery,
    Look,
    MatchPolicy,
    Shot,
    Track,
    TrackUpdate,
    Verdict,
    VisitBook,
    weigh_looks,
)
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools
from gateway.vision.video.statistics import PassageCounts

_MOST_LOOKS = 8
# A small gallery can afford to know every distance; in a large one somebody is always nearer than this.
_SMALL_GALLERY = 5000
_WIDE_REACH, _NARROW_REACH = 1.5, 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A face that is to be warned of: the decision, its passage's id, and the best view of the face."""

    decision: Decision
    passage: str
    shot: Shot


@dataclass(slots=True)
class _Passage:
    """What is known of one visit while it lasts."""

    id: str = field(default_factory=new_id)
    nearest: float | None = None
    warned: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Seen:
    """What is known of one track while it lasts."""

    looks: list[Look] = field(default_factory=list)
    best: Shot | None = None


@dataclass(slots=True)
class StageTimes:
    """Mean milliseconds of this thread's CPU, lately."""

    detect_ms: float = 0.0
    embed_ms: float = 0.0

    def note(self, stage: str, seconds: float, count: int = 1) -> None:
        """Move the mean of `stage` (detect or embed) towards `count` new samples that took `seconds` together."""
        name, each = f"{stage}_ms", 1000 * seconds / count
        old: float = getattr(self, name)
        setattr(self, name, each if old == 0 else 0.9 * old + 0.1 * each)


class Passers:
    """The faces of one camera.

    Args:
        camera: its id.
        tools: detector, aligner and embedder.
        settings: when a face is like somebody.
    """

    def __init__(self, camera: str, tools: FaceTools, settings: MatchingSettings) -> None:
        self._camera = camera
        self._tools = tools
        self._policy = MatchPolicy(
            threshold=settings.threshold,
            early_threshold=settings.early_threshold,
            small_face_threshold=settings.small_face_threshold,
            margin=settings.margin,
            minimum_looks=settings.minimum_looks,
        )
        self._visits = VisitBook(settings.cooldown_seconds, settings.cooldown_seconds)
        self._tracker = FaceTracker()
        self._seen: dict[int, _Seen] = {}
        self._passages: dict[int, _Passage] = {}
        self._last_at = 0.0
        self._boxes: tuple[Detection, ...] = ()
        self.sought = False
        self.counts = PassageCounts(camera)
        self.times = StageTimes()

    @property
    def boxes(self) -> tuple[Detection, ...]:
        """Where those were last who are followed, in px of the pictures given to `follow`."""
        return self._boxes

    def detect(
        self, rgb: NDArray[np.uint8], regions: Sequence[tuple[int, int, int, int]] | None = None
    ) -> tuple[Detection, ...]:
        """The faces of a picture (h, w, 3), looked for in its regions (x, y, width, height), or in all of it."""
        before = time.thread_time()
        faces = self._tools.detector.detect(rgb, regions=regions)
        self.times.note("detect", time.thread_time() - before)
        return faces

    def follow(
        self,
        at: float,
        rgb: NDArray[np.uint8],
        faces: Sequence[Detection],
        gallery: Gallery,
        *,
        small: NDArray[np.uint8] | None = None,
        fine: FineView | None = None,
    ) -> tuple[Match, ...]:
        """Take in a frame (h, w, 3) at stream time `at` (s) with its faces; whom to warn of now.

        `small` is the same frame in fewer pixels, `fine` the scene in more, if there are such.
        """
        self._last_at = at
        return self._digest(at, self._tracker.update(at, rgb, faces, small=small, fine=fine), gallery)

    def finish(self, gallery: Gallery) -> tuple[Match, ...]:
        """The stream ended or changed: every track ends; whom to warn of still."""
        matches = self._digest(self._last_at, self._tracker.finish(), gallery)
        for passage in tuple(self._passages):
            self._close(passage)
        return matches

    def _digest(self, at: float, update: TrackUpdate, gallery: Gallery) -> tuple[Match, ...]:
        self._boxes = tuple(track.face for track in update.live)
        self.sought = any(track.last_seen != at for track in update.live)
        for track in (*update.live, *update.ended):
            self._seen.setdefault(track.number, _Seen())
            self._passages.setdefault(track.passage, _Passage())
        looked = self._look(update.shots)
        ended = {track.number for track in update.ended}
        tracks = {track.number: track for track in (*looked, *update.ended)}
        found = [self._judge(at, track, gallery, final=track.number in ended) for track in tracks.values()]
        for number in ended:
            self._seen.pop(number, None)
        for passage in update.closed:
            self._close(passage)
        return tuple(match for match in found if match is not None)

    def _look(self, shots: Sequence[tuple[Track, Shot]]) -> list[Track]:
        """Embed new views; returns their tracks."""
        if not shots:
            return []
        before = time.thread_time()
        placed = [(shot.crop, self._tools.refined(shot.crop, shot.face)) for _, shot in shots]
        vectors = self._tools.vectors(placed)
        self.times.note("embed", time.thread_time() - before, len(shots))
        for (track, shot), vector in zip(shots, vectors, strict=True):
            number = None if vector is None else self._tracker.looked(track.number, vector)
            if vector is not None and number is not None:
                self._remember(self._seen.setdefault(number, _Seen()), shot, vector)
        return [track for track, _ in shots]

    def _remember(self, seen: _Seen, shot: Shot, vector: NDArray[np.float32]) -> None:
        seen.looks = [*seen.looks, Look(vector, shot.quality.height_px, shot.quality.score)][-_MOST_LOOKS:]
        if seen.best is None or shot.quality.score > seen.best.quality.score:
            seen.best = shot

    def _judge(self, at: float, track: Track, gallery: Gallery, *, final: bool) -> Match | None:
        seen, passage = self._seen[track.number], self._passages[track.passage]
        if not seen.looks or not len(gallery):
            return None
        evidence = weigh_looks(
            gallery, seen.looks, reach=self._reach(gallery), least_height_px=self._policy.least_height_px
        )
        passage.nearest = _nearer(passage.nearest, evidence)
        decision = self._policy.decide(evidence, final=final)
        if decision.verdict is not Verdict.MATCH or decision.person is None or seen.best is None:
            return None
        return self._warn(at, decision, passage, seen.best)

    def _reach(self, gallery: Gallery) -> float:
        wide = _WIDE_REACH if len(gallery) <= _SMALL_GALLERY else _NARROW_REACH
        return max(self._policy.reach, wide)

    def _warn(self, at: float, decision: Decision, passage: _Passage, shot: Shot) -> Match | None:
        """The match, unless this passage or this visit was warned of already."""
        person = decision.person or ""
        if person in passage.warned:
            return None
        passage.warned.add(person)
        if not self._visits.begins(person, self._camera, at):
            return None
        return Match(decision, passage.id, shot)

    def _close(self, number: int) -> None:
        passage = self._passages.pop(number, None)
        if passage is not None:
            self.counts.count(passage.nearest, warned=bool(passage.warned))


def _nearer(nearest: float | None, evidence: Evidence) -> float | None:
    """The smallest distance so far; a face that was compared with nobody in reach counts as far."""
    if not evidence.opinions:
        return nearest
    distances = [opinion.candidates[0].distance for opinion in evidence.opinions if opinion.candidates]
    return min([_WIDE_REACH, *distances, *([] if nearest is None else [nearest])])
