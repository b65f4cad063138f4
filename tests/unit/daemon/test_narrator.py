"""The log's lines about events: one for what matters, none for the rest, few of a storm."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.daemon.narrator import tell
from gateway.events import (
    BatteryLow,
    ButtonPressed,
    ButtonTested,
    CameraFault,
    DestinationFailing,
    Event,
    GatewayFault,
    Severity,
)

ABOUT: dict[str, Any] = {"id": "e", "source": "/site/east", "subject": "s", "time": datetime(2026, 11, 26, tzinfo=UTC)}


def pressed(number: int = 1) -> Event:
    return ButtonPressed(device=f"btn-{number:02}", **ABOUT)


def test_what_matters_has_a_line_and_the_rest_has_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    failing = DestinationFailing(destination="office", reason="cannot be reached", **ABOUT)
    tested = ButtonTested(device="btn-01", **ABOUT)
    tell([pressed(), tested, failing])
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("INFO", "button btn-01 was pressed (press)"),
        ("WARNING", "destination office fails: cannot be reached"),
    ]


def test_of_a_storm_the_first_are_told_and_how_many_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tell([pressed(number) for number in range(50)])
    assert len(caplog.records) == 21
    assert caplog.records[-1].getMessage() == "and 30 more; the journal has them all"


def test_a_critical_fault_is_critical_in_the_log_and_no_storm_hides_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fault = GatewayFault(fault="file_damaged", detail="journal.db", severity=Severity.CRITICAL, **ABOUT)
    lesser = GatewayFault(fault="wrong_topic", detail="no topic", severity=Severity.MEDIUM, **ABOUT)
    tell([*(pressed(number) for number in range(50)), lesser, fault])
    first = caplog.records[0]
    assert (first.levelname, first.getMessage()) == ("CRITICAL", "file_damaged: journal.db")
    caplog.clear()
    tell([lesser])
    assert [each.levelname for each in caplog.records] == ["WARNING"]


def test_a_camera_that_is_well_again_is_no_warning_and_has_no_remedy(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    covered = CameraFault(camera="cam-02", state="covered", remedy="Look.", severity=Severity.MEDIUM, **ABOUT)
    well = CameraFault(camera="cam-02", state="ok", severity=Severity.INFO, **ABOUT)
    over = GatewayFault(fault="false_warning_rate_normal", detail="over", severity=Severity.INFO, **ABOUT)
    tell([covered, well, over])
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("WARNING", "camera cam-02: covered. Look."),
        ("INFO", "camera cam-02: ok"),
        ("INFO", "false_warning_rate_normal: over"),
    ]


def test_a_battery_that_is_only_said_to_be_low_has_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tell([BatteryLow(device="btn-01", battery=each, **ABOUT) for each in (None, 9.6)])
    assert [each.getMessage() for each in caplog.records] == [
        "button btn-01 has a low battery",
        "button btn-01 has 10 % of its battery left",
    ]
