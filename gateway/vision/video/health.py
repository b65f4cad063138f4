"""Whether a camera still shows what it should: dark, blinded, covered, blurred, turned away, frozen (遮挡/移位)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


class Ailment(StrEnum):
    """What may be wrong with a picture."""

    DARK = "dark"
    BLINDED = "blinded"
    COVERED = "covered"
    BLURRED = "blurred"
    MOVED = "moved"
    FROZEN = "frozen"


# Of the luma plane of some 96 px. A camera at night under infrared has a mean above 20 and a spread above 10.
_DARK_MEAN, _DARK_BRIGHTEST = 14.0, 40.0
_BLINDED_MEAN, _BLINDED_SPREAD = 240.0, 8.0
_COVERED_SPREAD = 6.0
_BLUR_SHARE = 0.25
_LEAST_SHARPNESS = 4.0
_MOVED_LIKENESS = 0.25
_LEARN_SECONDS, _FORGET_SECONDS = 60.0, 1800.0
_PERSISTS: dict[Ailment, float] = {
    Ailment.DARK: 10.0,
    Ailment.BLINDED: 10.0,
    Ailment.COVERED: 10.0,
    Ailment.BLURRED: 30.0,
    Ailment.MOVED: 30.0,
    Ailment.FROZEN: 60.0,
}
_ENDS_SECONDS = 10.0
_ACCEPTED_SECONDS = 900.0
_LEAST_APART_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An ailment that began or ended."""

    ailment: Ailment
    active: bool


@dataclass(slots=True)
class _Watched:
    since: float | None = None
    well_since: float | None = None
    told: bool = False


@dataclass(slots=True)
class PictureHealth:
    """One camera's picture, judged about once a second.

    What the picture should be is learned in its first minute of good pictures and follows slowly, over half an hour, so
    that daylight may change and a person may stand there. A view that has stayed another for a quarter of an hour is
    taken for the new one: somebody has turned the camera on purpose.
    """

    _edges: NDArray[np.float32] | None = None
    _sharpness: float = 0.0
    _learned_since: float | None = None
    _last: Plane | None = None
    _judged_at: float = float("-inf")
    _watched: dict[Ailment, _Watched] = field(default_factory=lambda: {each: _Watched() for each in Ailment})

    def is_due(self, now: float) -> bool:
        """Whether a picture is to be judged at `now` (monotonic seconds)."""
        return now - self._judged_at >= _LEAST_APART_SECONDS

    def judge(self, plane: Plane, now: float) -> list[Verdict]:
        """What began or ended with this picture; call it when `is_due`.

        Args:
            plane: its luma, about 96 px wide.
            now: monotonic seconds.
        """
        step, self._judged_at = min(now - self._judged_at, 10.0), now
        found = set(self._ailments(plane, now))
        if not found:
            self._learn(plane, now, step)
        self._last = plane.copy()
        return [verdict for each in Ailment for verdict in self._follow(each, each in found, now)]

    def _ailments(self, plane: Plane, now: float) -> Iterator[Ailment]:
        mean, spread = float(plane.mean()), float(plane.std())
        if self._last is not None and plane.shape == self._last.shape and np.array_equal(plane, self._last):
            yield Ailment.FROZEN
        if mean < _DARK_MEAN and float(plane.max()) < _DARK_BRIGHTEST:
            yield Ailment.DARK
        elif mean > _BLINDED_MEAN and spread < _BLINDED_SPREAD:
            yield Ailment.BLINDED
        elif spread < _COVERED_SPREAD:
            yield Ailment.COVERED
        elif self._knows(plane, now):
            yield from self._compared(plane)

    def _compared(self, plane: Plane) -> Iterator[Ailment]:
        edges = edges_of(plane)
        assert self._edges is not None  # noqa: S101  # `_knows` was asked
        if self._sharpness > _LEAST_SHARPNESS and float(edges.mean()) < _BLUR_SHARE * self._sharpness:
            yield Ailment.BLURRED
        elif likeness(edges, self._edges) < _MOVED_LIKENESS:
            yield Ailment.MOVED

    def _knows(self, plane: Plane, now: float) -> bool:
        """Whether it was learned what the picture should be."""
        same = self._edges is not None and self._edges.shape == plane.shape
        return same and self._learned_since is not None and now - self._learned_since >= _LEARN_SECONDS

    def _learn(self, plane: Plane, now: float, step: float) -> None:
        edges = edges_of(plane)
        if self._edges is None or self._edges.shape != edges.shape:
            self._edges, self._sharpness, self._learned_since = edges, float(edges.mean()), now
            return
        share = min(1.0, step / (_FORGET_SECONDS if self._knows(plane, now) else _LEARN_SECONDS))
        self._edges += np.float32(share) * (edges - self._edges)
        self._sharpness += share * (float(edges.mean()) - self._sharpness)

    def _follow(self, ailment: Ailment, ill: bool, now: float) -> Iterator[Verdict]:
        watched = self._watched[ailment]
        if not ill:
            watched.since = None
            watched.well_since = now if watched.well_since is None else watched.well_since
            if watched.told and now - watched.well_since >= _ENDS_SECONDS:
                watched.told = False
                yield Verdict(ailment, active=False)
            return
        watched.well_since = None
        watched.since = now if watched.since is None else watched.since
        lasts = now - watched.since
        if not watched.told and lasts >= _PERSISTS[ailment]:
            watched.told = True
            yield Verdict(ailment, active=True)
        if ailment is Ailment.MOVED and lasts >= _ACCEPTED_SECONDS:
            self._edges = None  # the next good picture is the new reference


def edges_of(plane: Plane) -> NDArray[np.float32]:
    """Where the picture changes from pixel to pixel, of the same shape: the sum of both gradients' sizes."""
    luma = plane.astype(np.float32)
    edges = np.zeros_like(luma)
    edges[:, 1:] += np.abs(np.diff(luma, axis=1))
    edges[1:, :] += np.abs(np.diff(luma, axis=0))
    return edges


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How alike two edge planes are: their correlation (Pearson), the better one of blocks of 3 px and of pixels."""
    return max(_correlation(one, other), _correlation(_blocks(one), _blocks(other)))


def _blocks(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    high, wide = edges.shape[0] // 3 * 3, edges.shape[1] // 3 * 3
    cut = edges[:high, :wide].reshape(high // 3, 3, wide // 3, 3)
    blocks: NDArray[np.float32] = cut.mean(axis=(1, 3))
    return blocks


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
