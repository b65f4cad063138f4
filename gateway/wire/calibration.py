"""What thresholds cost: counts to the gallery child, thresholds back."""

from dataclasses import dataclass

from gateway.wire.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTracks:
    """Histogram of unconfirmed (or of confirmed) tracks of one camera and face size, with a list of `people`."""

    camera: str
    size: str
    rule: str
    people: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksPerDay:
    """Unknown tracks a day at a camera, with faces of a size."""

    camera: str
    size: str
    per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRequest(Message):
    """Parent to gallery child: what do thresholds mean for this site?

    Attributes:
        people: size of the list to tell it for; negative for the one that is built.
        tracks_per_day: traffic to tell it for; negative for what was counted.
        unconfirmed, confirmed: what the site's tracks came to.
        traffic: what was counted; empty while less than a day was.
        warned, warned_days: unconfirmed warnings lately, and in how many days.
    """

    request: int
    people: int = -1
    tracks_per_day: float = -1.0
    unconfirmed: tuple[CountedTracks, ...] = ()
    confirmed: tuple[CountedTracks, ...] = ()
    traffic: tuple[TracksPerDay, ...] = ()
    warned: int = 0
    warned_days: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One threshold of one rule.

    Attributes:
        fmr: chance that an unknown track matches one listed person; fpir: that it matches anybody of the list.
        per_day, at_least, at_most: false warnings a day, with the 95 % interval.
        fnmr: share of listed people's tracks that are missed.
        from_site: whether the site's own tracks are enough and outweigh the factory model.
        decades: how many powers of ten below anything counted the figure lies.
    """

    rule: str
    threshold: float
    fmr: float
    fpir: float
    per_day: float
    at_least: float
    at_most: float
    fnmr: float
    from_site: bool
    decades: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraThresholds:
    """The thresholds of one camera by the size of the face."""

    camera: str
    full: float
    small: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReply(Message):
    """Gallery child to parent: the thresholds to use, what they cost, and a table of others.

    Attributes:
        refusal: empty, or why there is none.
        people, templates: of the list that it is told for.
        tracks_per_day: unknown tracks a day; `traffic_counted` if the site counted them itself.
        tracks_seen: unconfirmed tracks that it rests on; `tracks_missing` more until they have their whole weight.
        configured: the threshold is set by hand.
        default: for cameras that have counted nothing yet (its `camera` is empty).
        in_use: the thresholds in use as one row, over all cameras.
        drift: above or below if warnings lately left the interval that was expected; else empty.
        source: where the factory model comes from.
    """

    request: int
    refusal: str = ""
    people: int = 0
    templates: int = 0
    tracks_per_day: float = 0.0
    traffic_counted: bool = False
    tracks_seen: int = 0
    tracks_missing: int = 0
    configured: bool = False
    default: CameraThresholds | None = None
    cameras: tuple[CameraThresholds, ...] = ()
    in_use: CalibrationRow | None = None
    rows: tuple[CalibrationRow, ...] = ()
    drift: str = ""
    model: str = ""
    revision: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedThresholds(Message):
    """Parent to video child: compare with these from the next look on.

    Attributes:
        default: of cameras that are not in `cameras`.
        warnings_per_day: false warnings a day that are expected of the whole site.
        basis: site, factory or configured.
        people: of the list that they were chosen for; it may have grown meanwhile.
    """

    default: CameraThresholds
    cameras: tuple[CameraThresholds, ...]
    warnings_per_day: float
    basis: str
    people: int
