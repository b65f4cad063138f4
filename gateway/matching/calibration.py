"""From a threshold to false warnings a day and missed visits: what the factory, the list and the site know together.

Words are those of ISO/IEC 19795-1: FMR and FNMR of one comparison, FPIR and FNIR of a search in the whole list.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.matching.factory import FaceSize, FactoryModel, Rule, of_track
from gateway.matching.intervals import gamma_quantile
from gateway.matching.tail import DistanceCounts, Pool, TailFit

HIGHEST_THRESHOLD = 0.6
LOWEST_THRESHOLD = 0.2
_STEP = 0.001
# The factory's curves may be wrong by three times either way (one standard deviation), for a site it has not seen.
_FACTORY_DOUBT = math.log(3.0)
_FACTORY_WEIGHT = 1 / _FACTORY_DOUBT**2
_INTERVAL = 0.95
# Pupils pass again and again, and who looks like somebody matches again: so many hits say as much as one of strangers.
# Chosen on synthetic sites that the benchmark does not use.
_PASSES_AGAIN = 3.0
# A camera or a size of faces needs this many expected matches before its own counts weigh as much as the site's.
_STRATUM_WEIGHT = 10.0
_DATA_HITS = 3.0
# The rule of three: n strangers without a match leave an upper end of 3 M / n false warnings a day. With fewer than 3 M
# a site's counts cannot tell whether there is more than one a day, and who passes first is who tries the cameras out.
_ENOUGH_DAYS = 3.0
# The factory's share of misses counts as much as this many confirmed visits.
_FACTORY_VISITS = 50.0
Stratum = tuple[str, FaceSize]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % interval.

    Attributes:
        from_site: whether the site's own tracks are enough and outweigh the factory model in it.
        decades: how many powers of ten below what was counted the figure lies; 0 where it was counted.
    """

    expected: float
    low: float
    high: float
    from_site: bool
    decades: float = 0.0

    def times(self, factor: float) -> "Rate":
        """The rate of so many times as many."""
        return Rate(self.expected * factor, self.low * factor, self.high * factor, self.from_site, self.decades)


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """What the site's own tracks came to by one rule, in sum.

    Attributes:
        strata: per camera and face size, unconfirmed tracks' best distances, one histogram per size of the list.
        confirmed: of tracks that a guard confirmed.
        tracks_per_day: unknown tracks a day at each camera and size; empty while nothing was counted.
        counted_per_day: unknown tracks a day as counted, where `tracks_per_day` asks for another traffic; else 0.
    """

    strata: Mapping[Stratum, tuple[DistanceCounts, ...]] = field(default_factory=dict)
    confirmed: DistanceCounts | None = None
    tracks_per_day: Mapping[Stratum, float] = field(default_factory=dict)
    counted_per_day: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What one rule's thresholds mean for a list of `people` persons.

    Attributes:
        pairs: best distances between the photos of one and all photos of another person of the list.
    """

    factory: FactoryModel
    rule: Rule
    people: int
    site: SiteCounts = field(default_factory=SiteCounts)
    pairs: DistanceCounts | None = None

    @cached_property
    def _pool(self) -> Pool:
        return Pool(tuple(part for parts in self.site.strata.values() for part in parts if part.people))

    @cached_property
    def _fit(self) -> TailFit | None:
        return self._pool.lowest()

    @cached_property
    def tracks_seen(self) -> int:
        """Unconfirmed tracks that the site counted."""
        return self._pool.tracks

    @cached_property
    def tracks_missing(self) -> int:
        """How many more tracks the site must count until its own figures have their whole weight: 3 M in all."""
        return max(0, self._tracks_wanted - self.tracks_seen)

    @cached_property
    def _tracks_wanted(self) -> int:
        return max(1, math.ceil(_ENOUGH_DAYS * (self.site.counted_per_day or self.tracks_per_day)))

    @cached_property
    def _trust(self) -> float:
        """What one of the site's own tracks counts for, 0 to 1: it grows with their number."""
        return min(1.0, self.tracks_seen / self._tracks_wanted)

    @cached_property
    def tracks_per_day(self) -> float:
        """Unknown tracks a day: counted, or the factory's."""
        counted = self.site.tracks_per_day
        return sum(counted.values()) if counted else self.factory.tracks_per_day

    @cached_property
    def list_factor(self) -> float:
        """How many times likelier than the factory's this list's people are taken for one another.

        Matches of one look-alike come in clumps, so they are counted by the clump.
        """
        if self.pairs is None or not self.pairs.tracks:
            return 1.0
        fit = Pool((self.pairs,)).lowest()
        if fit is None:
            return 1.0
        clumps = fit.hits / self.factory.hits_per_lookalike
        expected = clumps * self.factory.fmr("look", fit.at * self.factory.camera_scale) / fit.fmr
        return (_FACTORY_WEIGHT + clumps) / (_FACTORY_WEIGHT + expected)

    def fmr(self, threshold: float) -> Rate:
        """The chance that an unknown track matches one person of the list.

        Gamma prior (factory and list, and the fit on the site's lowest 2 %, each with the weight of its doubt), Poisson
        counts of the site, which weigh in proportion to their number until that is enough (`tracks_missing`). Without a
        hit in n comparisons the upper end falls as 3/n: the rule of three.
        """
        expected, counted = self._posterior(threshold)
        own = counted / _PASSES_AGAIN
        shape = _FACTORY_WEIGHT + own
        scale = expected / shape
        low, high = (gamma_quantile(shape, each) * scale for each in ((1 - _INTERVAL) / 2, (1 + _INTERVAL) / 2))
        from_site = own > _FACTORY_WEIGHT and not self.tracks_missing
        return Rate(expected, low, high, from_site, self._beyond(expected))

    def _posterior(self, threshold: float) -> tuple[float, float]:
        """The expected FMR, and how many hits the site's own tracks are worth in it."""
        prior = max(self.factory.fmr(self.rule, threshold) * self.list_factor, 1e-300)
        weight, hits = _FACTORY_WEIGHT, self._trust * self._pool.hits(threshold)
        own, fit = 0.0, self._fit
        if fit is not None and threshold < fit.at:
            own = self._trust / fit.doubt(threshold) ** 2
            share = own / (own + weight)
            prior = math.exp((1 - share) * math.log(prior) + share * math.log(max(fit.reaching(threshold), 1e-300)))
        expected = (weight + own + hits) / ((weight + own) / prior + self._trust * self._pool.comparisons)
        return expected, own + hits

    def _beyond(self, expected: float) -> float:
        """Decades below the smallest chance that the site counted (three hits), or that the factory knows."""
        if self._pool.comparisons:
            counted = _DATA_HITS / self._pool.comparisons
        else:
            counted = self.factory.fmr(self.rule, min(math.exp(curve[0][0]) for curve in self._curves()))
        return max(0.0, math.log10(counted / expected)) if expected > 0 else math.inf

    def _curves(self) -> list[tuple[tuple[float, float], ...]]:
        names = ("mean",) if self.rule == "track" else (self.rule,)
        return [self.factory.false_match[name] for name in names]

    def stratum_factor(self, stratum: Stratum, threshold: float) -> float:
        """How many times likelier than the site's usual one camera's faces of one size match.

        Counted where hits are many, at the fit's lowest 2 %: below it a power law keeps the ratio. What the factory
        says of small faces fades as the stratum's own tracks come in: it is steep, and of another camera.
        """
        factory = self.factory.small_face_factor(self.rule, threshold) if stratum[1] == "small" else 1.0
        if self._fit is None:
            return factory
        part = Pool(self.site.strata.get(stratum, ()))
        expected = _STRATUM_WEIGHT + part.comparisons * self._fit.fmr
        counted = _STRATUM_WEIGHT + part.hits(self._fit.at)
        return float(factory ** (_STRATUM_WEIGHT / expected) * counted / expected)

    def fpir(self, threshold: float, *, factor: float = 1.0) -> Rate:
        """The chance that an unknown track matches anybody: 1 - (1 - FMR)^N, the FMR times `factor`."""
        rate = self.fmr(threshold)
        expected, low, high = (
            of_track(min(1.0, each * factor), self.people) for each in (rate.expected, rate.low, rate.high)
        )
        return Rate(expected, low, high, rate.from_site, rate.decades)

    def warnings_per_day(self, threshold: float) -> Rate:
        """Expected false warnings a day: M (1 - (1 - FMR)^N)."""
        return self.fpir(threshold).times(self.tracks_per_day)

    def missed(self, threshold: float) -> float:
        """The share of listed people's tracks that do not match (FNMR; with a threshold alone also FNIR).

        What was confirmed lies within the threshold of its time: it says how many more a tighter one would miss.
        """
        factory, confirmed = self.factory.fnmr(self.rule, threshold), self.site.confirmed
        if confirmed is None or not confirmed.tracks:
            return factory
        beyond = confirmed.tracks - confirmed.within(threshold)
        return (factory * _FACTORY_VISITS + beyond) / (_FACTORY_VISITS + confirmed.tracks)

    def threshold_for(self, warnings_per_day: float = 1.0, stratum: Stratum | None = None) -> float:
        """The laxest threshold that keeps expected false warnings of the whole site within so many a day.

        Each camera and face size gets the one at which its tracks match as seldom as everybody's; never above 0.6.
        """
        allowed = min(1.0, warnings_per_day / max(self.tracks_per_day, 1e-9))
        best = LOWEST_THRESHOLD
        for step in range(round((HIGHEST_THRESHOLD - LOWEST_THRESHOLD) / _STEP) + 1):
            threshold = round(LOWEST_THRESHOLD + step * _STEP, 3)
            factor = 1.0 if stratum is None else self.stratum_factor(stratum, threshold)
            if of_track(min(1.0, self._expected(threshold) * factor), self.people) > allowed:
                break
            best = threshold
        return best

    def _expected(self, threshold: float) -> float:
        if threshold not in self._known:
            self._known[threshold], _ = self._posterior(threshold)
        return self._known[threshold]

    @cached_property
    def _known(self) -> dict[float, float]:
        return {}
