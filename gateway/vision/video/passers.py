"""Follows the faces of one camera and says who of the watch-list passes: each once per visit."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.events import new_id
from gateway.matching import (
    Decision,
    Detection,
    FaceTracker,
    FineView,
    Gallery,
    Look,
    MatchPolicy,
    NoVectorError,
    Pace,
    PassageTimes,
    RunningLooks,
    Shot,
    Track,
    TrackUpdate,
    Verdict,
    VisitBook,
)
from gateway.settings import MatchingSettings
from gateway.vision.faces import FaceTools
from gateway.vision.thresholds import ThresholdBook
from gateway.vision.video.presence import Presence, Stay
from gateway.vision.video.statistics import Nearest, PassageCounts
from gateway.vision.video.views import ViewEmbedder

# Farther than this, nobody's distance is counted one by one; nearer than the second, the looks are asked, too.
_REACH, _NEAR, _FAR = 0.65, 0.62, 9.0
# A face is worth every view while its mean misses the threshold by no more than this; at dusk everybody is so much
# farther.
_PROMISING, _DUSK_FARTHER = 0.12, 0.04


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A face that is to be warned of: the decision, its passage's id, and the best view of the face.

    Attributes:
        warnings_per_day: false warnings expected of the whole site; `basis`: where that is from.
    """

    decision: Decision
    passage: str
    shot: Shot
    warnings_per_day: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """The end of a passage that was warned of: its id, and when its first and last face was seen (monotonic s)."""

    passage: str
    first: float
    last: float


@dataclass(slots=True)
class _Passage:
    """What is known of one visit while it lasts; the stream's clock is `behind` the monotonic one (s)."""

    behind: float
    id: str = field(default_factory=new_id)
    nearest: Nearest = field(default_factory=Nearest)
    warned: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Seen:
    """What is known of one track while it lasts."""

    looks: RunningLooks = field(default_factory=lambda: RunningLooks(reach=_REACH, near=_NEAR))
    promising: bool = False
    best: Shot | None = None


@dataclass(slots=True)
class StageTimes:
    """Mean milliseconds of this thread's CPU, lately: a look's search for faces, and a compared face's vector.

    Attributes:
        spent: seconds for both since the beginning.
    """

    detect_ms: float = 0.0
    embed_ms: float = 0.0
    spent: float = 0.0

    def note(self, stage: str, seconds: float, count: int = 1) -> None:
        """Move the mean of `stage` (detect or embed) towards `count` new samples that took `seconds` together."""
        name, each = f"{stage}_ms", 1000 * seconds / count
        old: float = getattr(self, name)
        setattr(self, name, each if old == 0 else 0.9 * old + 0.1 * each)
        self.spent += seconds


class Passers:
    """The faces of one camera.

    Args:
        camera: its id.
        tools: detector, aligner and embedder.
        settings: when a face is like somebody.
        thresholds: what its camera compares with; by default what the settings or the factory model say.
    """

    def __init__(
        self, camera: str, tools: FaceTools, settings: MatchingSettings, thresholds: ThresholdBook | None = None
    ) -> None:
        self._camera = camera
        self._tools = tools
        self._policy = MatchPolicy(margin=settings.margin, minimum_looks=settings.minimum_looks)
        self._thresholds = thresholds or ThresholdBook(settings)
        self._visits = VisitBook()
        self._tracker = FaceTracker(refine=self._refined)
        self._searching = 0.0
        self._views = ViewEmbedder(tools)
        self._seen: dict[int, _Seen] = {}
        self._passages: dict[int, _Passage] = {}
        self._last_at = 0.0
        self._behind = 0.0
        self._dusk = False
        self._departures: list[Departure] = []
        self._boxes: tuple[Detection, ...] = ()
        self.sought = False
        self.presence = Presence()
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
        self._searching += time.thread_time() - before
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
        received: float | None = None,
        dusk: bool = False,
    ) -> tuple[Match, ...]:
        """Take in a frame (h, w, 3) at stream time `at` (s) with its faces; whom to warn of now.

        `small` is the same frame in fewer pixels, `fine` the scene in more, if there are such; `received` is when it
        came (monotonic s), if that is another clock than the stream's; at `dusk` a face's latest views are averaged.
        """
        self._dusk = dusk
        self._last_at = at
        self._behind = 0.0 if received is None else received - at
        update = self._tracker.update(at, rgb, faces, small=small, fine=fine)
        self.times.note("detect", self._searching)
        self._searching = 0.0
        return self._digest(at, update, gallery)

    def finish(self, gallery: Gallery) -> tuple[Match, ...]:
        """The stream ended or changed: every track ends; whom to warn of still."""
        matches = self._digest(self._last_at, self._tracker.finish(), gallery)
        for passage in tuple(self._passages):
            self._close(passage)
        return matches

    def take_departures(self) -> tuple[Departure, ...]:
        """Who of those that were warned of has gone since the last call."""
        gone, self._departures = tuple(self._departures), []
        return gone

    def _digest(self, at: float, update: TrackUpdate, gallery: Gallery) -> tuple[Match, ...]:
        self._boxes = tuple(track.face for track in update.live)
        self.sought = any(track.last_seen != at for track in update.live)
        for track in (*update.live, *update.ended):
            self._seen.setdefault(track.number, _Seen())
            self._passages.setdefault(track.passage, _Passage(self._behind))
        looked, failure = self._looked(update.shots)
        self._note_stays(update.live)
        ended = {track.number for track in update.ended}
        tracks = {track.number: track for track in (*looked, *update.ended)}
        found = [self._judge(at, track, gallery, final=track.number in ended) for track in tracks.values()]
        for track in (*update.live, *update.ended):
            self._note_presence(self._passages[track.passage], track)
        for number in ended:
            self._seen.pop(number, None)
        self._views.keep_only(self._seen)
        for times in update.times:
            self._note_departure(times)
        for passage in update.closed:
            self._close(passage)
        matches = tuple(match for match in found if match is not None)
        if failure is not None and not matches:
            raise failure
        return matches

    def _looked(self, shots: Sequence[tuple[Track, Shot]]) -> tuple[list[Track], NoVectorError | None]:
        """The tracks with a new look, and what failed: who left meanwhile is to be seen off all the same."""
        try:
            return self._look(shots), None
        except NoVectorError as error:
            return [], error

    def _look(self, shots: Sequence[tuple[Track, Shot]]) -> list[Track]:
        """Embed new views; returns their tracks."""
        if not shots:
            return []
        before = time.thread_time()
        promising = {track.number for track, _ in shots if self._seen[track.number].promising}
        vectors = self._views.embed(shots, dusk=self._dusk, promising=promising)
        self.times.note("embed", time.thread_time() - before, len(shots))
        for (track, shot), vector in zip(shots, vectors, strict=True):
            number = None if vector is None else self._tracker.looked(track.number, vector)
            if vector is not None and number is not None:
                self._remember(self._seen.setdefault(number, _Seen()), shot, vector)
        return [track for track, _ in shots]

    def _refined(self, rgb: NDArray[np.uint8], face: Detection) -> Detection:
        before = time.thread_time()
        exact = self._tools.refined(rgb, face)
        self._searching += time.thread_time() - before
        return exact

    def _remember(self, seen: _Seen, shot: Shot, vector: NDArray[np.float32]) -> None:
        if shot.quality.height_px >= self._policy.least_height_px:
            seen.looks.add(Look(vector, shot.quality.height_px, shot.quality.score))
        if seen.best is None or shot.quality.score > seen.best.quality.score:
            seen.best = shot

    def _judge(self, at: float, track: Track, gallery: Gallery, *, final: bool) -> Match | None:
        seen, passage = self._seen[track.number], self._passages[track.passage]
        if not len(gallery):
            self._set_pace(track, Pace.USUAL)
            return None
        evidence = seen.looks.weigh(gallery, final=final)
        if evidence is None:
            return None
        thresholds = self._thresholds.of(self._camera, gallery.persons)
        decision = self._policy.decide(evidence, thresholds, final=final)
        self._set_pace(track, self._pace_of(decision, gallery.persons))
        if not passage.warned:
            passage.nearest.note(decision)
        if decision.verdict is not Verdict.MATCH or decision.person is None or seen.best is None:
            return None
        match = Match(decision, passage.id, seen.best, thresholds.warnings_per_day, thresholds.basis)
        return match if self._is_news(at, decision.person, passage) else None

    def _pace_of(self, decision: Decision, people: int) -> Pace:
        """Which views are wanted: every one while more of them may yet make it a match, few when it is one.

        The mean, which single views are far from, must not be much too far for that; of a long list many strangers are
        no farther, so the share of them bounds it, too.
        """
        if decision.verdict is Verdict.MATCH:
            return Pace.SELDOM
        most = min(decision.threshold + _PROMISING, self._thresholds.near(people, decision.size))
        distance = _FAR if decision.distance is None else decision.distance - _DUSK_FARTHER * self._dusk
        return Pace.EVERY if distance <= most else Pace.USUAL

    def _set_pace(self, track: Track, pace: Pace) -> None:
        self._seen[track.number].promising = pace is Pace.EVERY
        self._tracker.set_pace(track.number, pace)

    def _is_news(self, at: float, person: str, passage: _Passage) -> bool:
        """Whether neither this passage nor this visit was warned of already; one visit may be several passages."""
        if person in passage.warned:
            return False
        passage.warned.add(person)
        return self._visits.begins(person, at)

    def _note_stays(self, live: Sequence[Track]) -> None:
        """The visit of whoever was named goes on as long as the passage is seen."""
        for track in live:
            for person in self._passages[track.passage].warned:
                self._visits.stays(person, track.last_seen)

    def _note_presence(self, passage: _Passage, track: Track) -> None:
        first, last = track.first_seen + passage.behind, track.last_seen + passage.behind
        self.presence.note(passage.id, Stay(first, last, bool(passage.warned)))

    def _note_departure(self, times: PassageTimes) -> None:
        passage = self._passages.get(times.number)
        if passage is not None and passage.warned:
            first, last = times.first_seen + passage.behind, times.last_seen + passage.behind
            self._departures.append(Departure(passage.id, first, last))

    def _close(self, number: int) -> None:
        passage = self._passages.pop(number, None)
        if passage is not None:
            self.counts.count(passage.nearest, warned=bool(passage.warned))
