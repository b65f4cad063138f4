"""What is known of each alarm device, what of it outlives the process, and how its battery fares."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

_MOST_SAMPLES = 60
_LEAST_SAMPLES = 3
_LEAST_DAYS = 3.0
_NEW_BATTERY_PERCENT = 20.0
_FLAT_PERCENT_PER_DAY = 0.01
_DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """What is known of one alarm device.

    Attributes:
        last_seen: when it said anything; None if it never did.
        lost: whether it counts as lost; `reason` is silent, last_will or bridge.
        flapping: it goes and comes too often to be relied on.
        battery: percent; `battery_low` also by its own word.
        battery_trend: percent a week, negative while it empties; None until three days are known.
        battery_days_left: days until it is empty by that trend.
        rssi: dBm; `link_quality` 0 to 255; `uptime` seconds.
        tampered: it is open or was moved, and nobody cleared that.
        troubles: names of what is wrong with it, such as ``clock_wrong``.
        last_press, last_test: when it was pressed, and tested.
        last_loud_press: when it was pressed last neither silently nor under duress: all that every screen may show.
        test_due: whether a press test is due; silent presses and those under duress do not count for it, because
            every screen shows it.
        via: who delivered its last message: a client of the endpoint, or a broker's address.
    """

    device: str
    last_seen: datetime | None = None
    lost: bool = False
    reason: str = ""
    flapping: bool = False
    battery: float | None = None
    battery_low: bool = False
    battery_trend: float | None = None
    battery_days_left: float | None = None
    rssi: float | None = None
    link_quality: float | None = None
    firmware: str | None = None
    uptime: float | None = None
    tampered: bool = False
    troubles: tuple[str, ...] = ()
    last_press: datetime | None = None
    last_loud_press: datetime | None = None
    last_test: datetime | None = None
    test_due: bool = False
    via: str = ""


@dataclass(frozen=True, slots=True)
class BatterySample:
    """The last percentage of a day, UTC."""

    day: date
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """What of a device outlives the process.

    Attributes:
        since: when it was supervised first; a press test is due from then on.
        samples: of its battery, from old to new.
        conditions: what it says again and again, such as ``/sos``.
    """

    status: DeviceStatus
    since: datetime
    samples: tuple[BatterySample, ...] = ()
    conditions: dict[str, bool] = field(default_factory=dict)


def with_sample(samples: Sequence[BatterySample], day: date, percent: float) -> tuple[BatterySample, ...]:
    """The samples with one more; one a day is kept, and none of the battery before the present one."""
    if samples and percent > samples[-1].percent + _NEW_BATTERY_PERCENT:
        samples = ()
    kept = [each for each in samples if each.day < day]
    return (*kept[-(_MOST_SAMPLES - 1) :], BatterySample(day, percent))


def trend_of(samples: Sequence[BatterySample]) -> tuple[float | None, float | None]:
    """Percent a week and days until empty, by a line of least squares; None where too little is known."""
    if len(samples) < _LEAST_SAMPLES or (samples[-1].day - samples[0].day).days < _LEAST_DAYS:
        return None, None
    days = [float((each.day - samples[0].day).days) for each in samples]
    mean_day = sum(days) / len(days)
    mean_percent = sum(each.percent for each in samples) / len(samples)
    spread = sum((day - mean_day) ** 2 for day in days)
    slope = sum((day - mean_day) * (s.percent - mean_percent) for day, s in zip(days, samples, strict=True)) / spread
    left = round(samples[-1].percent / -slope, 0) if slope < -_FLAT_PERCENT_PER_DAY else None
    return round(slope * _DAYS_PER_WEEK, 2), left
