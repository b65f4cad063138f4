"""A camera's certificate: told once, thirty days before its end, and once that it was renewed."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from harness.certificates import certificate
from harness.devices_bench import ASSIGNED

from gateway.events import Severity
from gateway.simulators.camera.mutation import mutated
from gateway.vision.certificates import CertificateWatch, end_of

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
SOON, LATE = certificate(NOW + timedelta(days=31)), certificate(NOW + timedelta(days=365))


def test_it_is_told_once_when_thirty_days_are_left() -> None:
    watch = CertificateWatch(ASSIGNED, "east")
    assert watch.judge(SOON, NOW) is None
    assert watch.days_left(NOW) == 31

    news = [watch.judge(SOON, NOW + timedelta(hours=hour)) for hour in range(0, 24 * 40, 12)]

    (told,) = [each for each in news if each is not None]
    assert (told.state, told.severity) == ("certificate_ends", Severity.MEDIUM)
    assert told.figures == {"date": "2026-12-28", "days": 30}


def test_whoever_looks_at_the_same_certificate_tells_the_same_event() -> None:
    then = NOW + timedelta(days=10)
    one, other = (CertificateWatch(ASSIGNED, "east").judge(SOON, moment) for moment in (then, then + timedelta(days=3)))
    assert one is not None
    assert other is not None
    assert one.id == other.id


def test_its_renewal_is_told_if_its_end_was() -> None:
    watch, then = CertificateWatch(ASSIGNED, "east"), NOW + timedelta(days=10)
    watch.judge(SOON, then)

    renewed = watch.judge(LATE, then)

    assert renewed is not None
    assert (renewed.state, renewed.severity) == ("certificate_renewed", Severity.INFO)
    assert watch.judge(LATE, then) is None


def test_one_that_is_over_is_told_with_a_figure_below_zero() -> None:
    told = CertificateWatch(ASSIGNED, "east").judge(SOON, NOW + timedelta(days=40))
    assert told is not None
    assert told.figures is not None
    assert told.figures["days"] == -9


@pytest.mark.parametrize("shown", [b"", b"\x30", b"no certificate", LATE])
def test_nothing_is_told_of_none_of_what_is_none_and_of_a_good_one(shown: bytes) -> None:
    assert CertificateWatch(ASSIGNED, "east").judge(shown, NOW) is None


def test_whatever_is_shown_is_read_or_is_none() -> None:
    chance = random.Random(1)
    for _ in range(500):
        ends = end_of(mutated(SOON, chance))
        assert ends is None or ends.tzinfo is UTC
