"""The offset of a camera's clock: learnt without credentials first, and anew when the camera refuses."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.cameras.clock_offset import ClockOffset
from gateway.cameras.soap import FaultError
from gateway.cameras.states import CameraError, CameraState, camera_error
from gateway.clock import ManualClock

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _said(hour: int, second: int = 0) -> etree._Element:
    return etree.fromstring(
        f"<E><UTCDateTime><Time><Hour>{hour}</Hour><Minute>0</Minute><Second>{second}</Second></Time>"
        "<Date><Year>2026</Year><Month>11</Month><Day>26</Day></Date></UTCDateTime></E>"
    )


def _offset() -> ClockOffset:
    return ClockOffset(ManualClock(NOON))


def test_it_is_learnt_without_credentials() -> None:
    offset, asked = _offset(), []

    def ask(anonymous: bool) -> etree._Element:
        asked.append(anonymous)
        return _said(13)

    offset.learn(ask)

    assert asked == [True]
    assert offset.now() == datetime(2026, 11, 26, 13, 0, 0, 500_000, tzinfo=UTC)


def test_a_camera_that_wants_them_is_asked_with_credentials() -> None:
    offset = _offset()

    def ask(anonymous: bool) -> etree._Element:
        if anonymous:
            raise camera_error(CameraState.CREDENTIALS_WRONG, "no", where="x")
        return _said(11)

    offset.learn(ask)

    assert offset.value.total_seconds() == pytest.approx(-3600, abs=1)


def test_a_camera_without_time_has_no_offset() -> None:
    offset = _offset()

    def ask(anonymous: bool) -> etree._Element:
        raise FaultError(("ActionNotSupported",), "no")

    offset.learn(ask)

    assert (offset.known, offset.value.total_seconds()) == (None, 0)
    assert not offset.has_moved(ask)


def test_an_unreachable_camera_is_an_error() -> None:
    def ask(anonymous: bool) -> etree._Element:
        raise camera_error(CameraState.UNREACHABLE, "no", where="x")

    with pytest.raises(CameraError):
        _offset().learn(ask)
    assert not _offset().has_moved(ask)


@pytest.mark.parametrize(("second", "moved"), [(0, False), (1, False), (30, True)])
def test_it_has_moved_when_another_try_can_help(second: int, moved: bool) -> None:
    offset = _offset()
    offset.learn(lambda _anonymous: _said(12))

    assert offset.has_moved(lambda _anonymous: _said(12, second)) is moved
