"""Follows faces from frame to frame and hands out their best views."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.matching.appearance import Appearances
from gateway.matching.crossing import Step, entangled
from gateway.matching.cuts import CutTest
from gateway.matching.detection import Detection
from gateway.matching.pairing import is_near, pair_boxes
from gateway.matching.quality import FaceQuality, assess
from gateway.matching.shots import FineView, Pace, Shot, ViewChoice, ViewRules, take_shot

_PASSAGE_REACH = 2.0  # in box heights
_PASSAGE_GROWTH = 2.0

Refine = Callable[[NDArray[np.uint8], Detection], Detection]


@dataclass(frozen=True, slots=True)
class TrackRules:
    """How faces are followed; times in seconds of the stream.

    `overlap` is the least intersection over union by which a box continues a track (see `pair_boxes`);
    `grace_seconds` the time a track waits unseen; `passage_seconds` the time within which a new track near a lost one
    counts as the same passage; `views` says which views are handed out, of a crowd at most `most_views` a look; a
    stream that jumps back, or forward by more than `longest_gap_seconds`, ends every track as a cut does; faces that
    overlap by more than `crossing` (intersection over union) are entangled, and a look farther than `another_face` from
    the mean of a track's looks is another person's. Faces are found in a coarse picture, where a box is 0.81 to 1.02 of
    the true one: a face may be up to `unsure` times as high as its box.
    """

    overlap: float = 0.2
    grace_seconds: float = 0.3
    passage_seconds: float = 2.0
    views: ViewRules = field(default_factory=ViewRules)
    most_views: int = 16
    longest_gap_seconds: float = 2.0
    crossing: float = 0.2
    another_face: float = 0.75
    unsure: float = 1.25


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed: its number, the passage it belongs to, when it was seen (stream s) and where it was last."""

    number: int
    passage: int
    first_seen: float
    last_seen: float
    face: Detection


@dataclass(frozen=True, slots=True)
class PassageTimes:
    """A passage that is over: its number, and when its first and last face was seen (stream s)."""

    number: int
    first_seen: float
    last_seen: float


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """What one frame changed.

    `live`: the tracks seen or waited for. `ended`: those that ended with this frame. `shots`: the views to embed now,
    each once, with its track. `cut`: whether the scene changed (all earlier tracks are among the ended then). `closed`:
    the passages that no later track can continue, `times` the same with entry and exit.
    """

    live: tuple[Track, ...]
    ended: tuple[Track, ...]
    shots: tuple[tuple[Track, Shot], ...]
    cut: bool
    closed: tuple[int, ...]
    times: tuple[PassageTimes, ...] = ()


class _Followed:
    """A track on its way."""

    def __init__(self, number: int, passage: int, at: float, face: Detection, rules: TrackRules) -> None:
        self.number = number
        self.passage = passage
        self.first_seen = at
        self.last_seen = at
        self.face = face
        self.before = face
        self.mixed = False
        self._speed = (0.0, 0.0)
        self.views = ViewChoice(rules.views)

    def expected(self, at: float) -> Detection:
        """Where the face would be at stream time `at` (s) if it went on as it did."""
        passed = at - self.last_seen
        return self.face.moved(self._speed[0] * passed, self._speed[1] * passed)

    def seen(self, at: float, face: Detection) -> None:
        """Note that the face is here now."""
        passed = at - self.last_seen
        if passed > 0:
            (x, y), (old_x, old_y) = face.centre, self.face.centre
            self._speed = ((x - old_x) / passed, (y - old_y) / passed)
        self.last_seen, self.before, self.face = at, self.face, face

    def heir(self, number: int, passage: int, rules: TrackRules) -> "_Followed":
        """A track that goes on where this one is, without its looks."""
        new = _Followed(number, passage, self.last_seen, self.face, rules)
        new.before, new._speed, new.mixed = self.before, self._speed, self.mixed
        return new

    def step(self, at: float) -> Step:
        """How it moved since the look before this one at stream time `at` (s)."""
        seen = self.last_seen == at
        return Step(self.before if seen else self.face, self.face if seen else self.expected(at), seen)

    def frozen(self) -> Track:
        return Track(self.number, self.passage, self.first_seen, self.last_seen, self.face)


class FaceTracker:
    """Greedy tracking by box overlap for one stream.

    A track is of one person: it ends at a cut, where faces cross (while they are entangled no view of them is taken,
    and what is seen afterwards is a new track of the same passage), and where a look is another person's (`looked`).

    Args:
        rules: the figures.
        refine: finds a face again in a view of it (h, w, 3), where its box is exact; answers the same one if it cannot.
            A view's size and quality are those of the exact box. By default boxes are taken as they come.
        assess_face: rates a view; the room's own measure unless a test gives another.

    Time is what the caller says: seconds of the stream.
    """

    def __init__(
        self,
        rules: TrackRules | None = None,
        *,
        refine: Refine | None = None,
        assess_face: Callable[[NDArray[np.uint8], Detection], FaceQuality] = assess,
    ) -> None:
        self._rules = rules or TrackRules()
        self._refine = refine
        self._assess = assess_face
        self._cuts = CutTest()
        self._tracks: list[_Followed] = []
        self._lost: list[Track] = []
        self._numbers = 0
        self._passages = 0
        self._open: frozenset[int] = frozenset()
        self._time: float | None = None
        self._appearances = Appearances(self._rules.another_face)
        self._split: list[_Followed] = []
        self._times: dict[int, tuple[float, float]] = {}

    def update(
        self,
        at: float,
        rgb: NDArray[np.uint8],
        faces: Sequence[Detection],
        *,
        small: NDArray[np.uint8] | None = None,
        fine: FineView | None = None,
    ) -> TrackUpdate:
        """Take in a frame.

        Args:
            at: stream time (s).
            rgb: the frame (h, w, 3).
            faces: found in it, in its pixels.
            small: the same frame small, (h, w, 3) or grey (h, w), to see cuts by; cheaper than the whole one.
            fine: where views are taken from instead of the frame, if the camera has a better stream.
        """
        cut = self._cuts.is_cut(rgb if small is None else small) or self._jumped(at)
        self._time = at
        self._appearances.keep_only(frozenset(track.number for track in (*self._tracks, *self._split)))
        ended, self._split = self._split, []
        ended += self._end_all() if cut else []
        self._continue(at, faces)
        ended += self._part_entangled(at)
        shots = self._take_views(at, fine or FineView(rgb, 1.0))
        ended += self._end_unseen(at)
        return self._update(ended, shots, cut=cut)

    def looked(self, track: int, vector: NDArray[np.float32]) -> int | None:
        """Note what a view handed out for a track looks like, in the order in which views are handed out.

        Returns:
            the number of the track that the look belongs to: the same; or, if it is another person's, that of the new
            track which goes on from here in a passage of its own (the old one is among the next update's `ended`); None
            if the track has ended already: the look belongs to none.
        """
        owner = self._appearances.owner(track, vector)
        if owner is None:
            owner = self._split_off(self._appearances.last(track))
        if owner is not None:
            self._appearances.note(owner, vector)
        return owner

    def set_pace(self, track: int, pace: Pace) -> None:
        """Say how many of a track's views are wanted from now on; one that has ended is left as it is."""
        for each in self._tracks:
            if each.number == track:
                each.views.pace = pace

    def _split_off(self, number: int) -> int | None:
        old = next((track for track in self._tracks if track.number == number), None)
        if old is None:
            return None
        self._numbers += 1
        self._passages += 1
        new = self._replace(old, old.heir(self._numbers, self._passages, self._rules))
        self._split.append(old)
        self._appearances.inherit(old.number, new.number)
        return new.number

    def _replace(self, old: _Followed, new: _Followed) -> _Followed:
        self._tracks = [new if track is old else track for track in self._tracks]
        return new

    def finish(self) -> TrackUpdate:
        """The stream is over: every track ends."""
        ended, self._split = self._split, []
        return self._update(ended + self._end_all(), [], cut=False)

    def _update(self, ended: list[_Followed], shots: list[tuple[Track, Shot]], *, cut: bool) -> TrackUpdate:
        live = tuple(track.frozen() for track in self._tracks)
        over = tuple(track.frozen() for track in ended)
        before, self._open = self._open, frozenset(track.passage for track in (*live, *self._lost))
        begun = {track.passage for track in over}
        closed = tuple(sorted((before | begun) - self._open))
        return TrackUpdate(live, over, tuple(shots), cut, closed, self._close((*live, *over), closed))

    def _close(self, tracks: Iterable[Track], closed: Iterable[int]) -> tuple[PassageTimes, ...]:
        """Note when each passage was seen, and let go of those that are over."""
        for track in tracks:
            first, last = self._times.get(track.passage, (track.first_seen, track.last_seen))
            self._times[track.passage] = (min(first, track.first_seen), max(last, track.last_seen))
        return tuple(PassageTimes(number, *self._times.pop(number)) for number in closed)

    def _jumped(self, at: float) -> bool:
        return self._time is not None and not 0 <= at - self._time <= self._rules.longest_gap_seconds

    def _end_all(self) -> list[_Followed]:
        ended, self._tracks, self._lost = self._tracks, [], []
        return ended

    def _end_unseen(self, at: float) -> list[_Followed]:
        ended = [track for track in self._tracks if at - track.last_seen > self._rules.grace_seconds]
        self._tracks = [track for track in self._tracks if track not in ended]
        self._lost += [track.frozen() for track in ended]
        self._lost = [track for track in self._lost if at - track.last_seen <= self._rules.passage_seconds]
        return ended

    def _continue(self, at: float, faces: Sequence[Detection]) -> None:
        """Note each face at its track, a new one where it continues none."""
        known = self._tracks
        matched = pair_boxes([track.expected(at) for track in known], faces, self._rules.overlap)
        waiting = [track for index, track in enumerate(known) if index not in matched.values()]
        for index, face in enumerate(faces):
            track = known[matched[index]] if index in matched else self._begin(at, face, waiting)
            track.seen(at, face)

    def _part_entangled(self, at: float) -> list[_Followed]:
        """End the tracks that became entangled and have views; who goes on from there is new. Returns the ended."""
        steps = [track.step(at) for track in self._tracks]
        caught = entangled(steps, self._rules.crossing)
        ended: list[_Followed] = []
        for index, track in enumerate(self._tracks):
            was, track.mixed = track.mixed, index in caught
            if track.mixed and not was and track.views.begun:
                ended.append(track)
        for old in ended:
            self._numbers += 1
            self._replace(old, old.heir(self._numbers, old.passage, self._rules))
        return ended

    def _take_views(self, at: float, view: FineView) -> list[tuple[Track, Shot]]:
        """The views of this look that are worth comparing, each with its track.

        Of a crowd those first whose box is high enough, and of them who has none yet.
        """
        rules = self._rules
        wanted = [
            (track, face, quality)
            for track in self._tracks
            if track.last_seen == at and not track.mixed
            for face in [track.face.scaled(view.factor)]
            for quality in [self._assess(view.rgb, face)]
            if track.views.wants(at, quality.score, quality.height_px * (rules.unsure if self._refine else 1))
        ]
        wanted.sort(key=lambda x: (x[2].height_px < rules.views.least_height_px, x[0].views.begun, -x[2].score))
        shots: list[tuple[Track, Shot]] = []
        for track, face, quality in wanted[: rules.most_views]:
            shot = self._refined(take_shot(at, view.rgb, face, quality))
            if track.views.wants(at, quality.score, shot.quality.height_px):
                track.views.take(at, quality.score, shot.quality.height_px)
                shots.append((track.frozen(), shot))
        return shots

    def _refined(self, shot: Shot) -> Shot:
        """The view with its face's exact box, and the quality by that."""
        face = shot.face if self._refine is None else self._refine(shot.crop, shot.face)
        return shot if face is shot.face else replace(shot, face=face, quality=self._assess(shot.crop, face))

    def _begin(self, at: float, face: Detection, waiting: list[_Followed]) -> _Followed:
        self._numbers += 1
        track = _Followed(self._numbers, self._passage_of(face, waiting), at, face, self._rules)
        self._tracks = [*self._tracks, track]
        return track

    def _passage_of(self, face: Detection, waiting: list[_Followed]) -> int:
        """The passage that this face goes on with, of which it takes the place; else a new one.

        It is that of the last track lost near it, or of one that waits unseen: who starts to hurry is farther at the
        next look than a track reaches.
        """
        last = _take_near(waiting, face) or _take_near(self._lost, face)
        if last is not None:
            return last.passage
        self._passages += 1
        return self._passages


_Seen = TypeVar("_Seen", _Followed, Track)


def _take_near(tracks: list[_Seen], face: Detection) -> _Seen | None:
    """Take out the track that was seen last near this face, if there is one."""
    near = [track for track in tracks if is_near(track.face, face, _PASSAGE_REACH, _PASSAGE_GROWTH)]
    last = max(near, key=lambda track: track.last_seen, default=None)
    if last is not None:
        tracks.remove(last)
    return last
