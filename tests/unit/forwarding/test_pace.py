"""Deliveries give way while the journal grows fast, and only then."""

from gateway.clock import ManualClock
from gateway.forwarding.pace import Pace


def test_a_rush_is_seen_and_ends() -> None:
    clock = ManualClock()
    pace = Pace(clock, 100)
    assert not pace.rushes(5000)  # all at once tells nothing yet
    clock.advance(1.0)
    assert pace.rushes(5000)
    clock.advance(0.4)
    assert pace.rushes(5000)
    clock.advance(0.2)
    assert not pace.rushes(5000)


def test_what_a_site_does_on_a_busy_day_is_no_rush() -> None:
    clock = ManualClock()
    pace = Pace(clock, 0)
    for second in range(1, 20):
        clock.advance(1.0)
        assert not pace.rushes(second * 500)
