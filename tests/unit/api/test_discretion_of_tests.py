"""What a screen at the place is told of a press that a test took, and of a device's entry."""

import json
from datetime import UTC, datetime

import pytest

from gateway.api.discretion import body_of, shown_meanings
from gateway.api.hub import frame_of
from gateway.events import ButtonTested, PressKind, encode
from gateway.storage import Stored

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def a_test(kind: PressKind | None, trial: str | None = "walk-1") -> Stored:
    event = ButtonTested(
        id="t",
        source="s",
        subject="btn-01",
        time=NOW,
        recorded=NOW,
        device="btn-01",
        kind=kind,
        trial=trial,
        own_id="p",
    )
    return Stored(7, event, encode(event))


@pytest.mark.parametrize("kind", list(PressKind))
def test_how_a_tested_button_was_pressed_is_not_told_at_the_place(kind: PressKind) -> None:
    stored = a_test(kind)
    told = json.loads(body_of(stored, discreet=False))
    assert told == json.loads(body_of(a_test(PressKind.PRESS), discreet=False)), "one cannot be told from another"
    assert told["data"]["kind"] == "press"
    assert "own_id" not in {name for name, value in told["data"].items() if value}
    assert json.loads(body_of(stored, discreet=True))["data"]["kind"] == kind.value
    assert kind is PressKind.PRESS or kind.value.encode() not in frame_of(stored, discreet=False)


def test_a_test_message_of_the_button_itself_is_as_it_was() -> None:
    stored = a_test(None, trial=None)
    assert body_of(stored, discreet=False) is stored.body


def test_an_entry_tells_no_silent_action_at_the_place() -> None:
    body = {"id": "b", "actions": {"double": "silent", "single": "press"}, "generic": {"values": {"9": "duress"}}}
    shown = shown_meanings(body)
    assert shown["actions"] == {"double": "press", "single": "press"}
    assert shown["generic"] == {"values": {"9": "press"}}
