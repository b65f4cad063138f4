"""Follows faces from frame to frame and hands out their best views."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.matching.cuts import CutTest
from gateway.matching.detection import Detection
from gateway.matching.pairing import is_near, pair_boxes
from gateway.matching.quality import FaceQuality, assess
from gateway.matching.shots import BestShots, Shot, take_shot

_PASSAGE_REACH = 2.0  # in box heights
_PASSAGE_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class TrackRules:
    """How faces are followed; times in seconds of the stream.

    `overlap` is the least intersection over union by which a box continues a track (see `pair_boxes`);
    `grace_seconds` the time a track
    waits unseen; `passage_seconds` the time within which a new track near a lost one counts as the same passage; the
    shots are described at `BestShots`; a stream that jumps back, or forward by more than `longest_gap_seconds`, ends
    every track as a cut does.
    """

    overlap: float = 0.2
    grace_seconds: float = 0.3
    passage_seconds: float = 2.0
    shots: int = 3
    shot_gap_seconds: float = 0.3
    refresh_seconds: float = 4.0
    longest_gap_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed: its number, the passage it belongs to, when it was seen (stream s) and where it was last."""

    number: int
    passage: int
    first_seen: float
    last_seen: float
    face: Detection


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """What one frame changed.

    `live`: the tracks seen or waited for. `ended`: those that ended with this frame. `shots`: the views to embed now,
    each once, with its track. `cut`: whether the scene changed (all earlier tracks are among the ended then). `closed`:
    the passages that no later track can continue.
    """

    live: tuple[Track, ...]
    ended: tuple[Track, ...]
    shots: tuple[tuple[Track, Shot], ...]
    cut: bool
    closed: tuple[int, ...]


class _Followed:
    """A track on its way."""

    def __init__(self, number: int, passage: int, at: float, face: Detection, rules: TrackRules) -> None:
        self.number = number
        self.passage = passage
        self.first_seen = at
        self.last_seen = at
        self.face = face
        self._speed = (0.0, 0.0)
        self.best = BestShots(rules.shots, rules.shot_gap_seconds, rules.refresh_seconds)

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
        self.last_seen, self.face = at, face

    def frozen(self) -> Track:
        return Track(self.number, self.passage, self.first_seen, self.last_seen, self.face)


class FaceTracker:
    """Greedy tracking by box overlap for one stream.

    Args:
        rules: the figures.
        assess_face: rates a view; the room's own measure unless a test gives another.

    Time is what the caller says: seconds of the stream.
    """

    def __init__(
        self,
        rules: TrackRules | None = None,
        *,
        assess_face: Callable[[NDArray[np.uint8], Detection], FaceQuality] = assess,
    ) -> None:
        self._rules = rules or TrackRules()
        self._assess = assess_face
        self._cuts = CutTest()
        self._tracks: list[_Followed] = []
        self._lost: list[Track] = []
        self._numbers = 0
        self._passages = 0
        self._open: frozenset[int] = frozenset()
        self._time: float | None = None

    def update(self, at: float, rgb: NDArray[np.uint8], faces: Sequence[Detection]) -> TrackUpdate:
        """Take in a frame (h, w, 3) at stream time `at` (s) with the faces found in it, in its pixels."""
        cut = self._cuts.is_cut(rgb) or self._jumped(at)
        self._time = at
        ended = self._end_all() if cut else []
        self._continue(at, rgb, faces)
        ended += self._end_unseen(at)
        return self._update(at, ended, cut=cut)

    def finish(self) -> TrackUpdate:
        """The stream is over: every track ends and hands out its last views."""
        return self._update(self._time or 0.0, self._end_all(), cut=False)

    def _update(self, at: float, ended: list[_Followed], *, cut: bool) -> TrackUpdate:
        shots = [(track.frozen(), shot) for track in ended for shot in track.best.due(at, ended=True)]
        shots += [(track.frozen(), shot) for track in self._tracks for shot in track.best.due(at)]
        live = tuple(track.frozen() for track in self._tracks)
        before, self._open = self._open, frozenset(track.passage for track in (*live, *self._lost))
        begun = {track.passage for track in ended}
        closed = tuple(sorted((before | begun) - self._open))
        return TrackUpdate(live, tuple(track.frozen() for track in ended), tuple(shots), cut, closed)

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

    def _continue(self, at: float, rgb: NDArray[np.uint8], faces: Sequence[Detection]) -> None:
        known = self._tracks
        matched = pair_boxes([track.expected(at) for track in known], faces, self._rules.overlap)
        for index, face in enumerate(faces):
            track = known[matched[index]] if index in matched else self._begin(at, face)
            track.seen(at, face)
            quality = self._assess(rgb, face)
            if track.best.wants(at, quality.score):
                track.best.offer(take_shot(at, rgb, face, quality))

    def _begin(self, at: float, face: Detection) -> _Followed:
        self._numbers += 1
        track = _Followed(self._numbers, self._passage_of(face), at, face, self._rules)
        self._tracks = [*self._tracks, track]
        return track

    def _passage_of(self, face: Detection) -> int:
        """The passage of the last track lost near this face, which it takes over; else a new one."""
        near = [track for track in self._lost if is_near(track.face, face, _PASSAGE_REACH, _PASSAGE_GROWTH)]
        if near:
            last = max(near, key=lambda track: track.last_seen)
            self._lost.remove(last)
            return last.passage
        self._passages += 1
        return self._passages
