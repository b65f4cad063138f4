"""Which events open an incident, which join one, and what its events make of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from unit.incidents import memory
from unit.incidents.memory import START

from gateway.events import (
    BatteryLow,
    ButtonCleared,
    ButtonPressed,
    ButtonTampered,
    ButtonTested,
    Event,
    FaceMatched,
    FaceVerified,
    IncidentAcknowledged,
    IncidentDispatched,
    IncidentEscalated,
    IncidentNoted,
    IncidentOpened,
    IncidentRaisedAgain,
    IncidentResolved,
    PressKind,
    Severity,
    UnknownEvent,
    encode,
)
from gateway.incidents import Policy, apply, decide
from gateway.storage import Incident, Late, Stored

POLICY = Policy(join_window_seconds=600)


def press(name: str = "p1", kind: PressKind = PressKind.PRESS, **more: Any) -> ButtonPressed:
    return replace(memory.press(name, "btn-01", kind), **{"name": "东门岗亭", "place": "East gate booth"} | more)


def face(name: str = "f1", person: str = "person-1", **more: Any) -> FaceMatched:
    return memory.face(name, person, **more)


def stored(position: int, event: Event, at: float = 0.0) -> Stored:
    event = replace(event, recorded=START + timedelta(seconds=at))
    return Stored(position, event, encode(event))


def opened_by(event: Event) -> Incident:
    (opening,) = decide(None, stored(1, event), POLICY)
    incident = apply(None, stored(2, opening))
    assert incident is not None
    return incident


def command(kind: Callable[..., Event], incident: Incident, **more: object) -> Event:
    common = {"source": incident.source, "subject": incident.id, "time": START, "incident": incident.id}
    return kind(id=f"{kind}-{more}", **common, **more)


@pytest.mark.parametrize("kind", list(PressKind))
def test_every_kind_of_press_opens_an_incident(kind: PressKind) -> None:
    incident = opened_by(press(kind=kind))
    assert (incident.state, incident.severity, incident.count) == ("raised", Severity.CRITICAL, 1)
    assert incident.discreet is (kind is not PressKind.PRESS)
    assert (incident.title, incident.place, incident.kind) == ("东门岗亭", "East gate booth", "campus.button.pressed")


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [("silent", "duress", "duress"), ("duress", "silent", "duress"), ("silent", "silent", "silent")],
)
def test_who_was_threatened_once_stays_told_whatever_is_pressed_with_it(first: str, then: str, told: str) -> None:
    incident = opened_by(press(kind=PressKind(first)))
    assert incident.press == first
    (again,) = decide(incident, stored(3, press("p2", PressKind(then))), POLICY)
    assert isinstance(again, IncidentRaisedAgain)
    assert again.press == then
    joined = apply(incident, stored(4, again))
    assert joined is not None
    assert (joined.press, joined.count, joined.discreet) == (told, 2, True)


def test_what_is_no_press_tells_of_none() -> None:
    assert opened_by(face()).press == ""
    assert opened_by(press()).press == "press"


def test_a_late_press_opens_one_like_any_other() -> None:
    assert decide(None, stored(1, press(late=True, clock_wrong=True), at=7200), POLICY)


def test_a_late_press_tells_its_incident_when_it_was_made_and_when_it_arrived() -> None:
    arrived = START + timedelta(seconds=7200)
    late = stored(1, press(late=True), at=7200)
    (opening,) = decide(None, late, POLICY)
    incident = apply(None, stored(2, opening, at=7201))
    assert incident is not None
    assert incident.late == Late(pressed=START, arrived=arrived)
    assert (incident.opened, incident.raised) == (START, arrived + timedelta(seconds=1))
    (again,) = decide(incident, stored(3, press("p2", time=START + timedelta(seconds=7300)), at=7300), POLICY)
    joined = apply(incident, stored(4, again, at=7300))
    assert joined is not None
    assert joined.late == incident.late, "that a newer one came at once takes nothing from it"


def test_a_late_press_that_joins_an_incident_is_told_on_it() -> None:
    incident = opened_by(press())
    assert incident.late is None
    old = START - timedelta(hours=1)
    (again,) = decide(incident, stored(3, press("p2", time=old, late=True), at=60), POLICY)
    joined = apply(incident, stored(4, again, at=60))
    assert joined is not None
    assert joined.late == Late(pressed=old, arrived=START + timedelta(seconds=60))


def test_a_face_warning_opens_one_of_its_own_kind() -> None:
    incident = opened_by(face())
    assert (incident.kind, incident.severity, incident.key) == ("campus.face.matched", Severity.HIGH, "person-1")


def test_a_critical_event_of_a_newer_version_opens_one() -> None:
    event = UnknownEvent(
        id="x",
        source="/site/east/camera/cam-01",
        subject="cam-01",
        time=START,
        severity=Severity.CRITICAL,
        type="campus.camera.input_triggered",
        data="{}",
    )
    assert opened_by(event).kind == "campus.camera.input_triggered"


@pytest.mark.parametrize("kind", [ButtonTested, ButtonTampered, ButtonCleared, BatteryLow])
def test_what_is_not_critical_opens_none(kind: type[ButtonTested]) -> None:
    event = kind(id="t", source="s", subject="btn-01", time=START, severity=Severity.HIGH, device="btn-01")
    assert decide(None, stored(1, event), POLICY) == ()


def test_incident_events_are_critical_and_open_none() -> None:
    (opening,) = decide(None, stored(1, press()), POLICY)
    assert opening.severity is Severity.CRITICAL
    assert decide(None, stored(2, opening), POLICY) == ()
    newer = UnknownEvent(
        id="n",
        source="s",
        subject="i",
        time=START,
        severity=Severity.CRITICAL,
        type="campus.incident.merged",
        data="{}",
    )
    assert decide(None, stored(3, newer), POLICY) == ()


def test_decisions_about_the_same_event_have_the_same_id() -> None:
    first, again = (decide(None, stored(position, press()), POLICY)[0] for position in (1, 1))
    assert (first.id, first.incident) == (again.id, again.incident)
    assert decide(None, stored(2, press("p2")), POLICY)[0].id != first.id


def test_a_further_press_joins_however_late() -> None:
    incident = opened_by(press())
    (joined,) = decide(incident, stored(9, press("p2"), at=90_000), POLICY)
    assert isinstance(joined, IncidentRaisedAgain)
    assert (joined.incident, joined.count, joined.trigger) == (incident.id, 2, "p2")


def test_the_trigger_itself_again_decides_nothing() -> None:
    assert decide(opened_by(press()), stored(1, press()), POLICY) == ()


def test_a_warning_joins_within_the_window_only() -> None:
    incident = opened_by(face())
    assert isinstance(decide(incident, stored(9, face("f2"), at=599), POLICY)[0], IncidentRaisedAgain)
    assert isinstance(decide(incident, stored(9, face("f2"), at=601), POLICY)[0], IncidentOpened)


def test_a_further_press_raises_an_acknowledged_incident_again() -> None:
    incident: Incident | None = opened_by(press())
    assert incident is not None
    incident = apply(incident, stored(3, command(IncidentAcknowledged, incident, actor="wang"), at=5))
    assert incident is not None
    incident = apply(incident, stored(4, command(IncidentEscalated, incident, level=2)))
    assert incident is not None
    (joined,) = decide(incident, stored(5, press("p2"), at=60), POLICY)
    again = apply(incident, stored(6, joined, at=60))
    assert again is not None
    assert (again.state, again.count, again.level, again.owner) == ("raised", 2, 0, "wang")
    assert again.raised == START + timedelta(seconds=60)
    assert again.events == (1, 2, 3, 4, 5, 6)


def test_the_whole_life() -> None:
    incident = opened_by(press())
    for position, event in enumerate(
        [
            command(IncidentAcknowledged, incident, actor="wang"),
            command(IncidentDispatched, incident, actor="wang", to="patrol 2"),
            command(IncidentNoted, incident, actor="li", note="seen"),
            ButtonCleared(id="c", source=incident.source, subject="btn-01", time=START, device="btn-01"),
            command(IncidentResolved, incident, actor="li", verdict="genuine"),
        ],
        start=3,
    ):
        changed = apply(incident, stored(position, event, at=position))
        assert changed is not None
        incident = changed
    assert (incident.state, incident.verdict, incident.note, incident.active) == ("resolved", "genuine", "seen", False)
    assert (incident.owner, incident.events) == ("wang", (1, 2, 3, 4, 5, 6, 7))
    assert incident.resolved == START + timedelta(seconds=7)


def test_clearing_only_sets_the_flag() -> None:
    incident = opened_by(press())
    cleared = apply(
        incident, stored(3, ButtonCleared(id="c", source=incident.source, subject="b", time=START, device="b"))
    )
    assert cleared is not None
    assert (cleared.state, cleared.active) == ("raised", False)
    (joined,) = decide(cleared, stored(4, press("p2")), POLICY)
    again = apply(cleared, stored(5, joined))
    assert again is not None
    assert again.active


def test_the_same_event_twice_changes_nothing() -> None:
    incident = opened_by(press())
    event = stored(3, command(IncidentAcknowledged, incident, actor="wang"))
    once = apply(incident, event)
    assert apply(once, event) is once
    (opening,) = decide(None, stored(1, press()), POLICY)
    assert apply(once, stored(2, opening)) is once


def test_a_verification_is_kept() -> None:
    incident = opened_by(face())
    judged = FaceVerified(
        id="v", source="s", subject="i", time=START, camera="cam-01", incident=incident.id, match="f1",
        verdict="rejected", actor="wang",
    )  # fmt: skip
    changed = apply(incident, stored(3, judged))
    assert changed is not None
    assert (changed.verification, changed.state) == ("rejected", "raised")


def test_an_event_of_an_unknown_incident_is_none() -> None:
    assert apply(None, stored(1, command(IncidentNoted, opened_by(press()), note="x"))) is None


def test_a_stuck_button_does_not_make_an_incident_grow_for_ever() -> None:
    incident: Incident | None = opened_by(press())
    for number in range(2, 1500):
        assert incident is not None
        (joined,) = decide(incident, stored(number * 2, press(f"p{number}")), POLICY)
        incident = apply(incident, stored(number * 2 + 1, joined))
    assert incident is not None
    assert incident.count == 1499
    assert len(incident.triggers) == len(incident.events) == 502
    assert incident.triggers[0].event == "p1"
    assert incident.events[-1] == 2999
