"""A day of cameras, played: what is counted, from when, and what not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.daemon.camera_day import CameraTally, Watched
from gateway.events import (
    CameraDay,
    CameraFault,
    CameraInputTriggered,
    CameraLost,
    CameraMotion,
    CameraRestored,
    CameraTampered,
    Event,
    GatewayStarted,
    Severity,
)
from gateway.workers import CameraState

SINCE = datetime(2026, 11, 26, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)
GATE = Watched("gate", "东门", "East")
COMMON: dict[str, Any] = {"id": "1", "source": "/c", "subject": "gate", "camera": "gate"}


def at(hours: float) -> datetime:
    return SINCE + timedelta(hours=hours)


def lost(hours: float) -> Event:
    return CameraLost(**COMMON, time=at(hours), severity=Severity.HIGH, reason="stalled")


def restored(hours: float, outage: float = 0.0) -> Event:
    return CameraRestored(**COMMON, time=at(hours), outage=outage)


def fault(state: str, severity: Severity = Severity.MEDIUM) -> Event:
    return CameraFault(**COMMON, time=at(5), severity=severity, state=state)


def tampered(detector: str, *, active: bool = True) -> Event:
    return CameraTampered(**COMMON, time=at(6), active=active, detector=detector)


def played(
    *events: Event, before: tuple[str, ...] = (), state: CameraState | None = None, camera: Watched = GATE
) -> CameraDay:
    tally = CameraTally(SINCE, UNTIL, before)
    for event in events:
        tally.take(event)
    (day,) = tally.days([camera], {} if state is None else {"gate": state})
    return day


def test_a_day_on_which_nothing_happened_is_well() -> None:
    assert played() == CameraDay(camera="gate", name="东门", place="East")


def test_losses_and_the_time_without_picture_are_summed() -> None:
    day = played(lost(1), restored(2), lost(3), lost(3.1), restored(3.5))
    assert (day.losses, day.seconds_without_picture, day.lost, day.well) == (2, 5400.0, False, False)


def test_a_loss_that_goes_on_counts_to_the_days_end() -> None:
    day = played(lost(23))
    assert (day.losses, day.seconds_without_picture, day.lost) == (1, 3600.0, True)


@pytest.mark.parametrize("before", [(), ("gate",)])
def test_a_loss_from_the_day_before_counts_from_midnight(before: tuple[str, ...]) -> None:
    day = played(restored(2, outage=3 * 86400), before=before)
    assert (day.losses, day.seconds_without_picture, day.well) == (0, 7200.0, False)


def test_a_camera_that_is_lost_since_before_counts_all_day() -> None:
    away = CameraState(camera="gate", name="", place="", state="lost", lost_since=at(-1))
    day = played(state=away)
    assert (day.seconds_without_picture, day.lost) == (86400.0, True)


def test_a_restart_ends_what_is_known_of_a_loss() -> None:
    started = GatewayStarted(id="1", source="/g", subject="gateway", time=at(2), version="1")
    assert played(lost(1), started).seconds_without_picture == 3600.0
    again = played(lost(1), started, lost(2), restored(3))
    assert (again.losses, again.seconds_without_picture) == (2, 7200.0)


def test_faults_and_ailments_are_counted_when_they_begin() -> None:
    day = played(
        fault("clock_off"), fault("clock_off"), fault("ok", Severity.INFO), fault("frozen"),
        tampered("picture dark"), tampered("picture dark", active=False), tampered("Tamper"),
    )  # fmt: skip
    assert day.faults == {"clock_off": 2, "frozen": 1}
    assert day.tampered == {"Tamper": 1, "dark": 1}
    assert (day.events_heard, day.well) == (1, False)


def test_a_camera_that_names_a_thousand_detectors_makes_no_long_report() -> None:
    day = played(*(tampered(f"Tamper {number}") for number in range(1000)))
    assert len(day.tampered) == 17
    assert day.tampered["others"] == 984


def test_movements_are_counted_with_those_that_came_too_fast_and_contacts_are_not() -> None:
    motion = CameraMotion(**COMMON, time=at(1), withheld=7)
    contact = CameraInputTriggered(**COMMON, time=at(1), input="1")
    day = played(motion, contact)
    assert (day.events_heard, day.well) == (8, True)


def test_events_of_other_days_count_nothing() -> None:
    assert played(lost(-1), lost(24)).well


def test_clock_and_certificate_are_as_they_are_known() -> None:
    said = {"clock_offset_seconds": -61.26, "certificate_days_left": 12}
    day = played(state=CameraState(camera="gate", name="", place="", state="live", description=said))
    assert (day.clock_offset_seconds, day.certificate_days_left, day.well) == (-61.3, 12, False)


def test_an_outage_in_which_the_wall_clock_was_set_back_counts_as_long_as_it_was() -> None:
    assert played(lost(10), restored(9.5, outage=5400)).seconds_without_picture == 5400.0
    assert played(lost(10), restored(0.5, outage=5400)).seconds_without_picture == 1800.0  # no more than the day has


def test_a_day_without_picture_is_no_longer_than_a_day() -> None:
    day = played(lost(1), restored(0.9, outage=3000), lost(0.1), before=("gate",))
    assert day.seconds_without_picture <= 86400.0


def test_a_camera_that_was_removed_is_counted_until_then_and_lost_no_more() -> None:
    away = CameraState(camera="gate", name="", place="", state="lost", lost_since=at(-1))
    day = played(state=away, camera=Watched("gate", until=at(18)))
    assert (day.seconds_without_picture, day.lost, day.well) == (18 * 3600.0, False, False)


def test_a_gap_in_the_cameras_own_recording_is_no_good_day() -> None:
    state = CameraState(camera="gate", name="", place="", state="live", description={"recording_gap": True})
    assert (played(state=state).recording_gap, played(state=state).well) == (True, False)
