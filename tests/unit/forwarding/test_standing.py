"""What is said about a destination: failing once, recovered once, and a refused press always."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.clock import ManualClock
from gateway.events import (
    ButtonPressed,
    ButtonTested,
    DestinationFailing,
    DestinationRecovered,
    Event,
    FaceMatched,
    IncidentEscalated,
    IncidentNoted,
    Severity,
)
from gateway.forwarding.intake import wants
from gateway.forwarding.standing import Standing
from gateway.settings import DestinationSettings
from gateway.storage import Stored

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def press() -> Stored:
    event = ButtonPressed(id="p1", severity=Severity.CRITICAL, device="btn-01", source="s", subject="b", time=START)
    return Stored(1, event, b"")


def lesser() -> Stored:
    return Stored(2, ButtonTested(id="t1", device="btn-01", source="s", subject="b", time=START), b"")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def standing(clock: ManualClock) -> Standing:
    return Standing("office", name="安保办公室", site="east", clock=clock, failing_after=3)


def said(standing: Standing) -> list[type[Event]]:
    return [type(each) for each in standing.to_say]


def test_it_is_failing_after_some_tries_in_a_row_and_that_is_said_once(standing: Standing) -> None:
    standing.unanswered("away")
    standing.unanswered("away")
    standing.accepted(waiting=0)
    for _ in range(2):
        standing.unanswered("away")
    assert (standing.state, standing.to_say) == ("ok", [])
    for _ in range(9):
        standing.unanswered("still away")
    assert (standing.state, said(standing)) == ("failing", [DestinationFailing])
    failing = standing.to_say[0]
    assert isinstance(failing, DestinationFailing)
    assert (failing.destination, failing.severity, failing.reason) == ("office", Severity.HIGH, "still away")
    assert failing.name == "安保办公室"


def test_it_has_recovered_when_it_takes_an_event(standing: Standing) -> None:
    for _ in range(3):
        standing.unanswered("away")
    assert standing.down
    assert standing.accepted(waiting=17)
    assert not standing.accepted(waiting=16)
    assert said(standing) == [DestinationFailing, DestinationRecovered]
    recovered = standing.to_say[1]
    assert isinstance(recovered, DestinationRecovered)
    assert (recovered.waited, recovered.name) == (17, "安保办公室")
    assert standing.state == "ok"


def test_one_event_that_is_stuck_is_failing_though_others_are_taken(standing: Standing) -> None:
    for tries in range(1, 9):
        standing.unanswered("answered HTTP 500", tries=tries)
        standing.accepted(waiting=1, stuck=tries >= 3)
    assert (standing.state, standing.down, said(standing)) == ("failing", False, [DestinationFailing])
    standing.accepted(waiting=0)
    assert (standing.state, said(standing)) == ("ok", [DestinationFailing, DestinationRecovered])


def test_refusals_among_acceptances_are_one_failing_period(standing: Standing, clock: ManualClock) -> None:
    for _ in range(20):
        standing.refused_one(lesser(), "answered HTTP 422")
        clock.advance(5)
        standing.accepted(waiting=0)
    assert (said(standing), standing.refused) == ([DestinationFailing], 20)
    clock.advance(60)
    standing.accepted(waiting=0)
    assert said(standing) == [DestinationFailing, DestinationRecovered]


def test_a_refused_press_is_said_in_any_case(standing: Standing) -> None:
    standing.refused_one(lesser(), "answered HTTP 422")
    standing.refused_one(press(), "answered HTTP 422")
    failing = [each for each in standing.to_say if isinstance(each, DestinationFailing)]
    assert [each.refused for each in failing] == ["t1", "p1"]


def test_one_that_refuses_is_not_down(standing: Standing) -> None:
    for _ in range(5):
        standing.unanswered("away")
    assert standing.refused_one(lesser(), "answered HTTP 422")
    assert not standing.down


def test_what_was_said_last_is_known_after_a_restart(standing: Standing) -> None:
    def failing(destination: str) -> DestinationFailing:
        return DestinationFailing(id="f", source="g", subject="o", time=START, destination=destination, reason="away")

    recovered = DestinationRecovered(id="r", source="g", subject="o", time=START, destination="office")
    standing.remember([recovered, failing("office"), failing("police")])
    assert standing.state == "failing"
    for _ in range(5):
        standing.unanswered("away")
    assert standing.to_say == []
    standing.remember([failing("office"), recovered, failing("police")])
    assert standing.state == "new"


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({}, True),
        ({"minimum_severity": "high"}, True),
        ({"minimum_severity": "critical"}, False),
        ({"events": ("campus.face.",)}, True),
        ({"events": ("campus.button.", "campus.face.matched")}, True),
        ({"events": ("campus.button.",)}, False),
    ],
)
def test_a_destination_gets_what_its_entry_asks_for(entry: dict[str, object], wanted: bool) -> None:
    destination = DestinationSettings.model_validate({"id": "office", "url": "http://127.0.0.1/"} | entry)
    face = FaceMatched(
        id="f", source="s", subject="c", time=START, severity=Severity.HIGH, camera="c", person="p", distance=0.4,
        threshold=0.5, looks=3, face_height=80, quality=1, model="m", detector="d", passage="x",
    )  # fmt: skip
    assert wants(destination, face) is wanted


def test_a_destination_gets_nothing_about_itself() -> None:
    event = DestinationFailing(id="f", source="g", subject="office", time=START, destination="office", reason="away")
    office, police = (DestinationSettings(id=name, url="http://127.0.0.1/") for name in ("office", "police"))
    assert (wants(office, event), wants(police, event)) == (False, True)
    about = "/site/east/gateway#office"  # the incident of it
    noted = IncidentNoted(id="n", source=about, subject="i", time=START, incident="i", note="cable pulled")
    assert (wants(office, noted), wants(police, noted)) == (False, True)


def test_nothing_of_a_drill_goes_to_the_police() -> None:
    office = DestinationSettings(id="office", url="https://office.example/")
    police = DestinationSettings(id="police", url="https://police.example/", audience="police")
    source = "/site/east/button/btn-01"
    real = ButtonPressed(id="p", source=source, subject="b", time=START, severity=Severity.CRITICAL, device="b")
    drilled = replace(real, drill=True)
    assert [wants(office, real), wants(office, drilled)] == [True, True]
    assert [wants(police, real), wants(police, drilled)] == [True, False]


def test_a_call_out_gets_escalations_from_its_level_on() -> None:
    call_out = DestinationSettings(
        id="hook", url="https://hook.example/", events=("campus.incident.escalated",), minimum_level=3
    )

    def escalated(level: int) -> IncidentEscalated:
        return IncidentEscalated(
            id=f"e{level}", source="s", subject="i", time=START, severity=Severity.CRITICAL, incident="i", level=level
        )

    assert [wants(call_out, escalated(level)) for level in (1, 2, 3, 4)] == [False, False, True, True]
