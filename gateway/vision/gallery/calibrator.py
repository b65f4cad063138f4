"""Answers what thresholds mean for this site: the list from the keeper, the counts from the parent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from gateway.errors import GatewayError
from gateway.matching import (
    BINS,
    HIGHEST_THRESHOLD,
    RULES,
    SIZES,
    Calibration,
    DistanceCounts,
    FaceSize,
    FactoryModel,
    Rate,
    Rule,
    SiteCounts,
    poisson_at_most,
)
from gateway.matching.calibration import Stratum
from gateway.settings import MatchingSettings
from gateway.vision.gallery.keeper import GalleryKeeper
from gateway.vision.gallery.list_pairs import list_pairs
from gateway.vision.thresholds import by_hand, tighter
from gateway.wire import CalibrationReply, CalibrationRequest, CalibrationRow, CameraThresholds, CountedTracks

_STEPS = range(30, 61)
# An alarm of drift comes by chance once in a hundred looks at it.
_CHANCE = 0.01


class Calibrator:
    """Tells error rates; keeps the list's own pairs of the newest revision.

    Args:
        settings: a threshold set by hand, and the false warnings a day that others are chosen for.
    """

    def __init__(self, settings: MatchingSettings) -> None:
        self._budget = settings.warnings_per_day
        self._factory = FactoryModel.load()
        self._fixed = by_hand(settings, self._factory)
        self._pairs: tuple[int, DistanceCounts | None] = (-1, None)

    def answer(self, request: CalibrationRequest, keeper: GalleryKeeper, model: str) -> CalibrationReply:
        """The reply; counts that are none are refused in words."""
        try:
            return self._answer(request, keeper, model)
        except GatewayError as error:
            return CalibrationReply(request=request.request, refusal=str(error))

    def _answer(self, request: CalibrationRequest, keeper: GalleryKeeper, model: str) -> CalibrationReply:
        people = request.people if request.people >= 0 else keeper.people
        all_rules = {rule: self._calibration(rule, request, people, keeper) for rule in RULES}
        track = all_rules["track"]
        default = self._thresholds(track, "")
        cameras = tuple(self._thresholds(track, name) for name in sorted({each.camera for each in request.unconfirmed}))
        in_use = self._in_use(track, {each.camera: each for each in (default, *cameras)})
        return CalibrationReply(
            request=request.request,
            people=people,
            templates=keeper.templates,
            tracks_per_day=track.tracks_per_day,
            traffic_counted=bool(request.traffic) and request.tracks_per_day < 0,
            tracks_seen=track.tracks_seen,
            tracks_missing=track.tracks_missing,
            configured=self._fixed is not None,
            default=default,
            cameras=cameras,
            in_use=in_use,
            rows=tuple(_row(each, step / 100) for each in all_rules.values() for step in _STEPS),
            drift=_drift(request, in_use),
            model=model,
            revision=keeper.revision,
            source=self._factory.source,
        )

    def _calibration(self, rule: Rule, request: CalibrationRequest, people: int, keeper: GalleryKeeper) -> Calibration:
        strata: dict[Stratum, list[DistanceCounts]] = defaultdict(list)
        for each in request.unconfirmed:
            if each.rule == rule:
                strata[each.camera, _size(each.size)].append(DistanceCounts(each.people, each.counts))
        site = SiteCounts(
            strata={stratum: tuple(parts) for stratum, parts in strata.items()},
            confirmed=_summed(each for each in request.confirmed if each.rule == rule),
            tracks_per_day=_traffic(request),
            counted_per_day=sum(each.per_day for each in request.traffic) or self._factory.tracks_per_day,
        )
        return Calibration(self._factory, rule, people, site, self._list_pairs(keeper))

    def _list_pairs(self, keeper: GalleryKeeper) -> DistanceCounts | None:
        gallery = keeper.gallery
        if gallery is None:
            return None
        if self._pairs[0] != gallery.revision:
            self._pairs = (gallery.revision, list_pairs(gallery, keeper.rows))
        return self._pairs[1]

    def _thresholds(self, track: Calibration, camera: str) -> CameraThresholds:
        if self._fixed is not None:
            return CameraThresholds(camera=camera, full=self._fixed[0], small=self._fixed[1])
        full, small = (track.threshold_for(self._budget, (camera, size)) for size in ("full", "small"))
        return CameraThresholds(camera=camera, full=full, small=tighter(full, small, self._factory))

    def _in_use(self, track: Calibration, known: Mapping[str, CameraThresholds]) -> CalibrationRow:
        """All cameras and sizes together, each at its own threshold, weighted by its traffic."""
        traffic = track.site.tracks_per_day or {("", "full"): track.tracks_per_day}
        default = known[""]
        parts: list[tuple[float, Rate, float]] = []
        for stratum, tracks in traffic.items():
            found = known.get(stratum[0], default)
            threshold = found.small if stratum[1] == "small" else found.full
            factor = track.stratum_factor(stratum, threshold)
            parts.append((tracks, track.fpir(threshold, factor=factor).times(tracks), track.missed(threshold)))
        return _joined(default.full, parts, track.fmr(default.full))


def _size(name: str) -> FaceSize:
    return next((size for size in SIZES if size == name), "full")


def _traffic(request: CalibrationRequest) -> dict[Stratum, float]:
    """Tracks a day per camera and size; scaled, if they are to be told for another traffic."""
    counted: dict[Stratum, float] = {(each.camera, _size(each.size)): each.per_day for each in request.traffic}
    if request.tracks_per_day < 0:
        return counted
    total = sum(counted.values())
    if not total:
        return {("", "full"): request.tracks_per_day}
    return {stratum: each * request.tracks_per_day / total for stratum, each in counted.items()}


def _summed(found: Iterable[CountedTracks]) -> DistanceCounts | None:
    counts = [0] * BINS
    for each in found:
        counts = [a + b for a, b in zip(counts, DistanceCounts(each.people, each.counts).counts, strict=True)]
    return DistanceCounts(0, tuple(counts)) if any(counts) else None


def _row(calibration: Calibration, threshold: float) -> CalibrationRow:
    one, per_day = calibration.fmr(threshold), calibration.warnings_per_day(threshold)
    return CalibrationRow(
        rule=calibration.rule,
        threshold=threshold,
        fmr=one.expected,
        fpir=calibration.fpir(threshold).expected,
        per_day=per_day.expected,
        at_least=per_day.low,
        at_most=per_day.high,
        fnmr=calibration.missed(threshold),
        from_site=one.from_site,
        decades=one.decades,
    )


def _joined(threshold: float, parts: list[tuple[float, Rate, float]], one: Rate) -> CalibrationRow:
    tracks = max(sum(each for each, _, _ in parts), 1e-12)
    rates = [rate for _, rate, _ in parts]
    per_day = sum(rate.expected for rate in rates)
    return CalibrationRow(
        rule="track",
        threshold=min(threshold, HIGHEST_THRESHOLD),
        fmr=one.expected,
        fpir=per_day / tracks,
        per_day=per_day,
        at_least=sum(rate.low for rate in rates),
        at_most=sum(rate.high for rate in rates),
        fnmr=sum(each * missed for each, _, missed in parts) / tracks,
        from_site=one.from_site,
        decades=max((rate.decades for rate in rates), default=0.0),
    )


def _drift(request: CalibrationRequest, in_use: CalibrationRow) -> str:
    """Whether so many warnings in so many days are hardly possible anywhere in the interval."""
    if request.warned_days <= 0:
        return ""
    if 1 - poisson_at_most(request.warned - 1, in_use.at_most * request.warned_days) < _CHANCE:
        return "above"
    return "below" if poisson_at_most(request.warned, in_use.at_least * request.warned_days) < _CHANCE else ""
