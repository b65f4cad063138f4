"""Synthetic school gates of dlib-like geometry: a list, who passes, and how near each track comes to the list.

Gaussian in principal axes, after what was measured on real faces (dlib, 128 numbers): different people 0.888 +- 0.081
apart, two photos of one person 0.364 +- 0.068, a face of 80 / 48 px moves by 0.165 / 0.331; the leading 8, 16, 24, 32
and 64 axes hold 62, 77, 84, 87 and 97 % of the variance. Every site draws its own geometry around that: no predictor
may have learned from the very site that it is judged by.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
DIMENSION = 128
_SHARES = ((0, 0.0), (8, 0.62), (16, 0.77), (24, 0.84), (32, 0.87), (64, 0.97), (128, 1.0))
_BETWEEN, _WITHIN = 0.888**2 + 0.081**2, 0.364**2 + 0.068**2
# At 80 and 48 px: how far the camera moves a face.
CAMERA_NOISE = (0.165, 0.331)
LOOKS = 12
_MOST_TEMPLATES = 5
_SMALL_SHARE = 0.3
MOMENTS = (1, 3, 6, 12)


def spectrum(flatness: float = 1.0) -> Floats:
    """Variances (128,) along the principal axes, in sum 1; `flatness` below 1 spreads them over more axes."""
    axes, shares = zip(*_SHARES, strict=True)
    inner = np.interp(np.arange(DIMENSION + 1), axes, shares)
    variances = np.sort(np.diff(inner))[::-1] ** flatness
    return np.asarray(variances / variances.sum(), np.float32)


@dataclass(frozen=True)
class Geometry:
    """One site's own: standard deviations (128,) of identities, of photos of one person, and of a camera's noise."""

    identity: Floats
    photo: Floats
    noise: Floats
    shared: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Geometry":
        """A site around the measured geometry: other axes, other light, steadier or less steady faces."""
        axes = spectrum(float(rng.uniform(0.9, 1.05)))
        between = _BETWEEN * float(rng.uniform(0.94, 1.06)) / 2
        within = _WITHIN * float(rng.uniform(0.85, 1.2)) / 2
        deviation = np.sqrt(axes)
        return cls(
            identity=deviation * np.float32(np.sqrt(between - within)),
            photo=deviation * np.float32(np.sqrt(within)),
            noise=deviation,
            shared=float(rng.uniform(0.35, 0.65)),
        )


@dataclass(frozen=True)
class Tracks:
    """What each of n tracks came to at its best moment.

    Attributes:
        score: (n,) of the shipped rule; look, mean, median: (n,) best distance by that rule alone.
        person: (n,) index of the person that the shipped rule would name; -1 for nobody.
    """

    score: Floats
    look: Floats
    mean: Floats
    median: Floats
    person: NDArray[np.intp]

    def by(self, rule: str) -> Floats:
        """The distances (n,) of a rule: look, mean, median or track."""
        values: Floats = self.score if rule == "track" else getattr(self, rule)
        return values


@dataclass(frozen=True)
class RuleShape:
    """The shipped rule's constants; `benchmarks/matching_calibration.py` fills them from the gateway's policy."""

    median_slack: float
    few_looks: float
    unclear: float
    margin: float
    minimum_looks: int
    reach: float


class Site:
    """One gate with its list.

    Args:
        seed: of everything that is drawn.
        people: on the list.
        regulars: so many pass again and again; they make `regular_share` of the tracks.
    """

    def __init__(self, seed: int, people: int, *, regulars: int = 1500, regular_share: float = 0.6) -> None:
        rng = self._rng = np.random.default_rng(seed)
        self.people = people
        self._geometry = Geometry.draw(rng)
        self._listed = self._identities(people)
        counts = rng.integers(1, _MOST_TEMPLATES + 1, people)
        self.owners = np.repeat(np.arange(people), counts)
        self.templates = self._listed[self.owners] + self._normal(len(self.owners)) * self._geometry.photo
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        places = [starts + np.minimum(number, counts - 1) for number in range(_MOST_TEMPLATES)]
        self._slabs = [np.ascontiguousarray(self.templates[place]) for place in places]
        self._halves = [0.5 * np.einsum("nd,nd->n", slab, slab) for slab in self._slabs]
        self._regulars = self._identities(regulars)
        self._regular_share = regular_share

    def _normal(self, *shape: int) -> Floats:
        return self._rng.standard_normal((*shape, DIMENSION), dtype=np.float32)

    def _identities(self, count: int) -> Floats:
        return np.asarray(self._normal(count) * self._geometry.identity, np.float32)

    def strangers(self, count: int, rule: RuleShape, small: float = _SMALL_SHARE) -> Tracks:
        """`count` tracks of people who are on no list; this share of them with small faces."""
        identities = self._identities(count)
        again = self._rng.random(count) < self._regular_share
        identities[again] = self._regulars[self._rng.integers(0, len(self._regulars), int(again.sum()))]
        return self._tracks(identities, rule, small)

    def mates(self, count: int, rule: RuleShape, small: float = _SMALL_SHARE) -> tuple[Tracks, NDArray[np.intp]]:
        """`count` tracks of listed people, and which person each is of."""
        who = self._rng.integers(0, self.people, count)
        return self._tracks(self._listed[who], rule, small), who

    def examples(self, count: int, rule: RuleShape) -> Iterator[tuple[list[tuple[Floats, float]], float, int]]:
        """Tracks of listed people look by look: (vector, quality) of each, the score found here, and its person."""
        identities = self._listed[self._rng.integers(0, self.people, count)]
        seen = _Seen.draw(self._rng, self._geometry, identities, _SMALL_SHARE)
        tracks = self._judged(seen, rule)
        for row in np.flatnonzero(tracks.score <= rule.reach):
            looks = [seen.look(np.array([row]), number)[0] for number in range(LOOKS)]
            yield (
                list(zip(looks, map(float, seen.weights[row]), strict=True)),
                float(tracks.score[row]),
                int(tracks.person[row]),
            )

    def _tracks(self, identities: Floats, rule: RuleShape, small: float) -> Tracks:
        starts = range(0, len(identities), 4000)
        pieces = [self._batch(identities[start : start + 4000], rule, small) for start in starts]
        return Tracks(*(np.concatenate([getattr(p, n) for p in pieces]) for n in Tracks.__dataclass_fields__))

    def _batch(self, identities: Floats, rule: RuleShape, small: float) -> Tracks:
        return self._judged(_Seen.draw(self._rng, self._geometry, identities, small), rule)

    def _judged(self, seen: "_Seen", rule: RuleShape) -> Tracks:
        best = _Best(len(seen.means[0]))
        nears = [self._near(mean) for mean in seen.means]
        seen.draw_looks(np.flatnonzero(np.min([near.min(axis=1) for near in nears], axis=0) <= rule.reach))
        for moment, near in zip(MOMENTS, nears, strict=True):
            self._note(best, seen, near, moment, rule)
        return best.tracks()

    def _near(self, probes: Floats) -> Floats:
        """Distances (n, people) to each person's best template."""
        best = probes @ self._slabs[0].T - self._halves[0]
        for slab, halves in zip(self._slabs[1:], self._halves[1:], strict=True):
            np.maximum(best, probes @ slab.T - halves, out=best)
        squares = np.einsum("nd,nd->n", probes, probes)[:, None] - 2 * best
        return np.asarray(np.sqrt(np.maximum(squares, 0)), np.float32)

    def _note(self, best: "_Best", seen: "_Seen", near: Floats, moment: int, rule: RuleShape) -> None:
        order = np.argpartition(near, 1, axis=1)[:, :2]
        pair = np.take_along_axis(near, order, axis=1)
        swap = pair[:, 0] > pair[:, 1]
        first, nearest = np.where(swap, order[:, 1], order[:, 0]), pair.min(axis=1)
        apart = np.abs(pair[:, 1] - pair[:, 0])
        best.offer("mean", nearest)
        if moment == 1:
            best.offer("look", nearest)
        close, far = np.flatnonzero(nearest <= rule.reach), np.flatnonzero(nearest > rule.reach)
        few = rule.few_looks * (moment < rule.minimum_looks)
        best.offer_score((nearest[far] + few).astype(np.float32), far, first[far])
        median, votes = self._agree(seen, close, first[close], moment)
        best.offer("median", median, close)
        score = np.maximum(nearest[close], median - rule.median_slack)
        score += rule.unclear * (apart[close] < rule.margin) + few
        needed = votes == moment if moment < rule.minimum_looks else votes * 2 > moment
        best.offer_score(np.where(needed, score, np.inf).astype(np.float32), close, first[close])

    def _agree(
        self, seen: "_Seen", rows: NDArray[np.intp], persons: NDArray[np.intp], moment: int
    ) -> tuple[Floats, NDArray[np.intp]]:
        """For tracks `rows`: the median of the looks' distances to `persons`, and how many looks name them."""
        if not len(rows):
            return np.empty(0, np.float32), np.empty(0, np.intp)
        distances = np.empty((len(rows), moment), np.float32)
        votes = np.zeros(len(rows), np.intp)
        for look in range(moment):
            near = self._near(seen.look(rows, look))
            distances[:, look] = near[np.arange(len(rows)), persons]
            votes += near.argmin(axis=1) == persons
        return np.sort(distances, axis=1)[:, moment // 2], votes


class _Best:
    """The least of each rule over a track's moments."""

    def __init__(self, count: int) -> None:
        self._least = {rule: np.full(count, np.inf, np.float32) for rule in ("look", "mean", "median", "track")}
        self._person = np.full(count, -1, np.intp)

    def offer(self, rule: str, values: Floats, rows: NDArray[np.intp] | None = None) -> None:
        kept = self._least[rule]
        where = np.arange(len(kept)) if rows is None else rows
        kept[where] = np.minimum(kept[where], values)

    def offer_score(self, values: Floats, rows: NDArray[np.intp], persons: NDArray[np.intp]) -> None:
        better = values < self._least["track"][rows]
        self._least["track"][rows[better]] = values[better]
        self._person[rows[better]] = persons[better]

    def tracks(self) -> Tracks:
        least = self._least
        return Tracks(least["track"], least["look"], least["mean"], least["median"], self._person)


class _Seen:
    """The looks of n tracks, of which only the running means are drawn at first.

    The means at 1, 3, 6 and 12 looks follow from four sums of noise; the single looks of the few tracks that come near
    the list are drawn afterwards, given those sums: the same distribution, a tenth of the work.
    """

    def __init__(self, rng: np.random.Generator, base: Floats, scales: Floats, noise: Floats, sums: Floats) -> None:
        self._rng, self._base, self._scales, self._noise, self._sums = rng, base, scales, noise, sums
        self.weights = _weights(scales)
        self._place = np.empty(0, np.intp)
        self._looks = np.empty((0, LOOKS, DIMENSION), np.float32)
        self.means = tuple(self._running_means())

    @classmethod
    def draw(cls, rng: np.random.Generator, geometry: Geometry, identities: Floats, small_share: float) -> "_Seen":
        count = len(identities)
        shared = rng.standard_normal((count, DIMENSION), dtype=np.float32) * geometry.photo
        base = identities + np.float32(np.sqrt(geometry.shared)) * shared
        small = rng.random(count) < small_share
        camera = np.where(small, CAMERA_NOISE[1], CAMERA_NOISE[0])
        own = (1 - geometry.shared) * float((geometry.photo**2).sum())
        level = np.sqrt(own + camera**2)[:, None] * rng.lognormal(0, 0.25, (count, LOOKS))
        scales = level.astype(np.float32)
        return cls(rng, base, scales, geometry.noise, _block_sums(rng, scales))

    def _running_means(self) -> Iterator[Floats]:
        total, weight = np.zeros_like(self._base), np.zeros(len(self._base), np.float32)
        for number, (start, stop) in enumerate(_blocks()):
            total = total + self._sums[number] * self._noise
            weight = weight + self.weights[:, start:stop].sum(axis=1)
            yield self._base + total / weight[:, None]

    def draw_looks(self, rows: NDArray[np.intp]) -> None:
        """Draw the single looks of the tracks `rows`, given the sums of their noise."""
        self._place = np.full(len(self._base), -1, np.intp)
        self._place[rows] = np.arange(len(rows))
        self._looks = np.concatenate([self._block(rows, number) for number in range(len(MOMENTS))], axis=1)

    def look(self, rows: NDArray[np.intp], look: int) -> Floats:
        """The vectors (m, 128) of one look of the tracks `rows`, which must be drawn."""
        return self._looks[self._place[rows], look]

    def _block(self, rows: NDArray[np.intp], number: int) -> Floats:
        """The looks (m, looks of the block, 128) of a block, given their weighted sum (Gaussian conditioning)."""
        start, stop = _blocks()[number]
        scales, weights = self._scales[rows, start:stop, None], self.weights[rows, start:stop, None]
        free = scales * self._rng.standard_normal((len(rows), stop - start, DIMENSION), dtype=np.float32)
        missing = self._sums[number][rows] - (weights * free).sum(axis=1)
        share = weights * scales**2 / (weights**2 * scales**2).sum(axis=1, keepdims=True)
        return np.asarray(self._base[rows, None] + (free + share * missing[:, None]) * self._noise, np.float32)


def _blocks() -> tuple[tuple[int, int], ...]:
    return tuple(zip((0, *MOMENTS[:-1]), MOMENTS, strict=True))


def _weights(scales: Floats) -> Floats:
    """The quality of each look as the gateway would see it: less where the noise is more."""
    return np.asarray(np.clip(0.04 / scales**2, 1e-3, 1.0), np.float32)


def _block_sums(rng: np.random.Generator, scales: Floats) -> Floats:
    """The weighted noise (4, n, 128), in sum over each block of looks, before it is shaped."""
    weights = _weights(scales)
    deviations = [np.sqrt((weights[:, a:b] ** 2 * scales[:, a:b] ** 2).sum(axis=1)) for a, b in _blocks()]
    drawn = [rng.standard_normal((len(scales), DIMENSION), dtype=np.float32) * each[:, None] for each in deviations]
    return np.stack(drawn)
