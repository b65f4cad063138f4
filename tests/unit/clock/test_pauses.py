"""Pauses that grow: they never end, and never grow beyond what a float holds."""

from gateway.clock import doubled


def test_a_pause_doubles_up_to_its_longest() -> None:
    assert [doubled(2.0, 60.0, times) for times in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert doubled(2.0, 60.0, -1) == 2.0


def test_a_thousand_doublings_are_the_longest_too() -> None:
    """2.0 ** 1024 is an error: what waits for a camera must not end after a night."""
    assert [doubled(0.2, 5.0, times) for times in (100, 1023, 1024, 10**9)] == [5.0] * 4
