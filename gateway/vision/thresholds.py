"""The thresholds that each camera compares with: set by hand, told by the parent, or the factory's until then."""

from dataclasses import replace

from gateway.matching import Calibration, FaceSize, FactoryModel, Thresholds
from gateway.settings import MatchingSettings
from gateway.wire import CalibratedThresholds, CameraThresholds

_FACTORY = "factory"
_PLACES = 3
# Of this share of strangers the mean view is near enough to somebody to be worth a closer look.
_NEAR_SHARE = 0.1


def by_hand(settings: MatchingSettings, factory: FactoryModel) -> tuple[float, float] | None:
    """The thresholds for full and small faces that the configuration sets; None if it leaves them to calibration."""
    if settings.threshold is None:
        return None
    small = settings.small_face_threshold or round(settings.threshold * factory.small_face_scale, _PLACES)
    return settings.threshold, min(settings.threshold, small)


def tighter(full: float, small: float, factory: FactoryModel) -> float:
    """The threshold for small faces, whatever their counts say: distances shrink with a face, so it lies below `full`.

    A camera has few small faces; by chance, or because they are people who pass far away each day, their counts may ask
    for a laxer one.
    """
    return min(small, round(full * factory.small_face_scale, _PLACES))


class ThresholdBook:
    """What a video child compares with; the parent's word replaces the factory's.

    Args:
        settings: a threshold set by hand wins over both.
    """

    def __init__(self, settings: MatchingSettings) -> None:
        self._budget = settings.warnings_per_day
        self._factory = FactoryModel.load()
        self._fixed = by_hand(settings, self._factory)
        self._told: CalibratedThresholds | None = None
        self._known: dict[int, Thresholds] = {}
        self._near: dict[int, float] = {}

    def apply(self, told: CalibratedThresholds) -> None:
        """Compare with these from now on."""
        self._told = told

    def of(self, camera: str, people: int) -> Thresholds:
        """The thresholds of a camera for a list of so many people.

        A list that has grown since the parent's word is compared with thresholds that are as much tighter as the
        factory's are; a word about an empty list, which any threshold fits, is none.
        """
        if self._told is None or not self._told.people:
            return self._own(people)
        found = next((each for each in self._told.cameras if each.camera == camera), self._told.default)
        if people > self._told.people:
            found = self._grown(found, self._told.people, people)
        return self._checked(found, self._told)

    def _grown(self, found: CameraThresholds, told: int, people: int) -> CameraThresholds:
        before, now = self._own(told), self._own(people)
        full, small = found.full * now.full / before.full, found.small * now.small / before.small
        return replace(found, full=round(full, _PLACES), small=round(small, _PLACES))

    def near(self, people: int, size: FaceSize) -> float:
        """The distance within which one stranger in ten comes to somebody of a list of so many people."""
        if people not in self._near:
            calibration = Calibration(self._factory, "mean", people)
            self._near[people] = calibration.threshold_for(_NEAR_SHARE * calibration.tracks_per_day)
        return self._near[people] * (self._factory.small_face_scale if size == "small" else 1.0)

    def _checked(self, found: CameraThresholds, told: CalibratedThresholds) -> Thresholds:
        full, small = self._fixed or (found.full, found.small)
        return Thresholds(full, small, told.warnings_per_day, told.basis)

    def _own(self, people: int) -> Thresholds:
        """What the factory model alone gives; computed once for each size of the list."""
        if people not in self._known:
            self._known[people] = factory_thresholds(self._factory, self._fixed, people, self._budget)
        return self._known[people]


def factory_thresholds(
    factory: FactoryModel, fixed: tuple[float, float] | None, people: int, budget: float
) -> Thresholds:
    """The thresholds before a site has counted anything."""
    calibration = Calibration(factory, "track", people)
    full = calibration.threshold_for(budget) if fixed is None else fixed[0]
    small = tighter(full, calibration.threshold_for(budget, ("", "small")), factory) if fixed is None else fixed[1]
    expected = calibration.warnings_per_day(full).expected
    return Thresholds(full, small, expected, _FACTORY if fixed is None else "configured")
