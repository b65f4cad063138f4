"""Wrong passwords must not lock a camera."""

import pytest

from gateway.cameras import CameraError, CameraState
from gateway.cameras.lockout import PasswordGuard
from gateway.clock import ManualClock


def _may_try(guard: PasswordGuard) -> bool:
    try:
        guard.check()
    except CameraError as error:
        return error.state is not CameraState.CREDENTIALS_WRONG
    return True


def test_three_refusals_then_minutes_of_silence() -> None:
    clock = ManualClock()
    guard = PasswordGuard("onvif://h:80", clock)
    for _ in range(3):
        assert _may_try(guard)
        guard.refused()

    assert not _may_try(guard)
    clock.advance(299)
    assert not _may_try(guard)
    clock.advance(2)
    assert _may_try(guard)


def test_pauses_double_up_to_half_an_hour() -> None:
    clock = ManualClock()
    guard = PasswordGuard("onvif://h:80", clock)
    guard.refused()
    guard.refused()
    for pause in (300, 600, 1200, 1800, 1800):
        guard.refused()
        clock.advance(pause - 1)
        assert not _may_try(guard)
        clock.advance(2)
        assert _may_try(guard)


def test_a_success_begins_the_count_anew() -> None:
    guard = PasswordGuard("onvif://h:80", ManualClock())
    for _ in range(5):
        guard.refused()
        guard.refused()
        guard.accepted()

    assert _may_try(guard)


def test_the_refusal_says_when_it_goes_on() -> None:
    guard = PasswordGuard("onvif://h:80", ManualClock())
    for _ in range(3):
        guard.refused()

    with pytest.raises(CameraError, match="3 times; the next try is in 300 s"):
        guard.check()


def test_a_password_that_is_wrong_for_months_stays_a_pause() -> None:
    clock = ManualClock()
    guard = PasswordGuard("onvif://h:80", clock)
    for _ in range(3000):
        guard.refused()
    clock.advance(1799)
    assert not _may_try(guard)
    clock.advance(2)
    assert _may_try(guard)


def test_a_guard_is_spent_when_a_camera_has_forgotten_too() -> None:
    clock = ManualClock()
    guard = PasswordGuard("onvif://h:80", clock)
    spent = [guard.is_spent]
    guard.refused()
    for seconds in (1799, 2):
        clock.advance(seconds)
        spent.append(guard.is_spent)
    guard.refused()
    guard.accepted()
    assert [*spent, guard.is_spent] == [True, False, True, True]
