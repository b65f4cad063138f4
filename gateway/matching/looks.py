"""Gathers what the looks at one face say about who it is, asking the gallery as seldom as that allows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.matching.embedder import compares_directions
from gateway.matching.gallery import Gallery
from gateway.matching.gallery_values import Candidate

_RIVALS = 3
_TINIEST = 1e-12
_MOST_LOOKS = 12
# The mean is looked up again at these numbers of looks, and whenever it moved farther than this.
_MOMENTS = frozenset({1, 3, 6, 12})
_MOVED = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One embedded view of a face: vector (d,), the face's height in the frame (px) and the view's quality 0..1."""

    vector: NDArray[np.float32]
    height_px: float
    quality: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whom one look resembles (nearest first), and how much it can be trusted."""

    candidates: tuple[Candidate, ...]
    height_px: float
    quality: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All looks at one face: each one's opinion, whom their mean vector resembles, and the network that made them.

    Attributes:
        asked: whether the looks were asked one by one; not where the mean is too far for a match.
        first: the first look's distance to whoever was nearest; None where nobody was within reach.
        before: how many looks were let go that came before these, when the face was small.
    """

    opinions: tuple[Opinion, ...]
    mean: tuple[Candidate, ...]
    model: str
    asked: bool = True
    first: float | None = None
    before: int = 0


class RunningLooks:
    """The looks at one face while it is followed: their quality-weighted mean runs on, the latest 12 are kept to vote.

    Where only directions are compared, the mean is brought to the looks' length: a mean of different directions is
    shorter than they, and so nearer to everybody. Of a face that comes nearer, the many looks from when it was small
    say less than the first few at its full size, and would keep it at the threshold of small ones: they are let go.

    Args:
        reach: the farthest distance worth knowing of.
        near: the looks are asked one by one where the mean is as near as this; no match lies farther.
        full_height_px: from this height on a face is not small (`MatchPolicy`).
    """

    def __init__(self, *, reach: float, near: float, full_height_px: float = 40.0) -> None:
        self._reach = reach
        self._near = near
        self._full = full_height_px
        self._looks: list[Look] = []
        self._opinions: dict[int, Opinion] = {}
        self._sum: NDArray[np.float64] | None = None
        self._weight = 0.0
        self._count = 0
        self._matched: NDArray[np.float64] | None = None
        self._at = 0
        self._gallery: Gallery | None = None
        self._first: float | None = None
        self._before = 0
        self.queries = 0

    def __len__(self) -> int:
        return self._count

    def add(self, look: Look) -> None:
        """Take in one more look."""
        if look.height_px >= self._full and self._looks and max(each.height_px for each in self._looks) < self._full:
            self._begin_anew()
        weight = max(look.quality, 1e-3)
        part = look.vector.astype(np.float64) * weight
        self._sum = part if self._sum is None else self._sum + part
        self._weight += weight
        self._count += 1
        self._looks.append(look)
        if len(self._looks) > _MOST_LOOKS:
            self._opinions.pop(id(self._looks.pop(0)), None)

    def _begin_anew(self) -> None:
        self._before += self._count
        self._looks, self._opinions = [], {}
        self._sum, self._matched, self._weight, self._count, self._at = None, None, 0.0, 0, 0

    def weigh(self, gallery: Gallery, *, final: bool = False) -> Evidence | None:
        """Ask the gallery if it is time; None if nothing new can be told.

        It is time at 1, 3, 6 and 12 looks, when the mean moved by more than 0.05, when the list changed, and at the
        end (`final`).
        """
        if self._sum is None or not self._is_due(gallery, final=final):
            return None
        if gallery is not self._gallery:
            self._opinions.clear()
        self._gallery, self._at = gallery, self._count
        self._matched = self._sum / self._weight
        mean = self._ask(gallery, [self._lengthened(self._matched, gallery)])[0]
        if self._count == 1 and not self._before:
            self._first = mean[0].distance if mean else None
        asked = bool(mean) and mean[0].distance <= self._near
        opinions = self._each(gallery) if asked else tuple(Opinion((), x.height_px, x.quality) for x in self._looks)
        return Evidence(opinions, mean, gallery.fingerprint, asked, self._first, self._before)

    def _is_due(self, gallery: Gallery, *, final: bool) -> bool:
        if gallery is not self._gallery or self._matched is None or self._sum is None:
            return True
        if self._count == self._at:
            return False
        moved = float(np.linalg.norm(self._sum / self._weight - self._matched)) > _MOVED
        return final or moved or any(self._at < moment <= self._count for moment in _MOMENTS)

    def _lengthened(self, mean: NDArray[np.float64], gallery: Gallery) -> NDArray[np.float64]:
        if not compares_directions(gallery.fingerprint):
            return mean
        length = float(np.linalg.norm(self._looks[-1].vector))
        return mean * (length / max(float(np.linalg.norm(mean)), _TINIEST))

    def _each(self, gallery: Gallery) -> tuple[Opinion, ...]:
        """Every look's opinion; one that was asked of this list is not asked again."""
        new = [look for look in self._looks if id(look) not in self._opinions]
        if new:
            for look, found in zip(new, self._ask(gallery, [look.vector for look in new]), strict=True):
                self._opinions[id(look)] = Opinion(found, look.height_px, look.quality)
        return tuple(self._opinions[id(look)] for look in self._looks)

    def _ask(self, gallery: Gallery, probes: Sequence[NDArray[np.floating]]) -> tuple[tuple[Candidate, ...], ...]:
        self.queries += len(probes)
        return gallery.identify(np.stack(probes).astype(np.float32), self._reach, _RIVALS)


def weigh_looks(gallery: Gallery, looks: Sequence[Look], *, reach: float, least_height_px: float = 0.0) -> Evidence:
    """What these looks say together, each asked one by one.

    Args:
        gallery: whom to look for.
        looks: at one face; those lower than `least_height_px` are left out.
        reach: the largest distance of a candidate worth knowing.
        least_height_px: `MatchPolicy.least_height_px`.
    """
    running = RunningLooks(reach=reach, near=reach)
    for look in looks:
        if look.height_px >= least_height_px:
            running.add(look)
    return running.weigh(gallery, final=True) or Evidence((), (), gallery.fingerprint)
