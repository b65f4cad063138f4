"""What browsers are told that may not know of silent and duress presses, and what of the journal nobody can judge."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.alarms import DeviceStatus
from gateway.api.auth import Principal
from gateway.api.discretion import shown_meanings, shown_status
from gateway.api.routes.site import deliveries
from gateway.events import ButtonPressed, ButtonTested, PressKind, encode
from gateway.incidents import is_discreet
from gateway.storage import DeadLetter, Delivery, Stored

NOW = datetime(2026, 11, 26, tzinfo=UTC)
EARLIER = datetime(2026, 11, 25, tzinfo=UTC)
PROGRAM = Principal(name="token x", role="viewer", key="k", by_cookie=False)
BROWSER = Principal(name="wang", role="admin", key="k", by_cookie=True)


def press(position: int, kind: PressKind) -> Stored:
    event = ButtonPressed(id=f"press-{position}", source="/s", subject="b", time=NOW, device="b", kind=kind)
    return Stored(position, event, encode(event))


EVENTS = [press(1, PressKind.PRESS), press(2, PressKind.SILENT), press(3, PressKind.DURESS), press(4, PressKind.PRESS)]


class Outbox:
    """Everything was delivered and refused, newest first, also one (5) that the journal has no more."""

    async def deliveries(self, _destination: str, limit: int) -> list[Delivery]:
        return [Delivery(each, f"press-{each}", "accepted", 1, "", NOW) for each in range(5, 0, -1)][:limit]

    async def dead_letters(self, _destination: str, limit: int) -> list[DeadLetter]:
        return [DeadLetter(each, f"press-{each}", "no", NOW) for each in range(5, 0, -1)][:limit]


async def at(positions: list[int]) -> list[Stored]:
    return [each for each in EVENTS if each.position in positions]


PARTS: Any = SimpleNamespace(
    installation=SimpleNamespace(destinations=SimpleNamespace(get=lambda _id: None)),
    stores=SimpleNamespace(outbox=Outbox(), journal=SimpleNamespace(at=at)),
)


@pytest.mark.parametrize(
    ("caller", "limit", "told"),
    [(PROGRAM, 100, [5, 4, 3, 2, 1]), (PROGRAM, 2, [5, 4]), (BROWSER, 100, [4, 1]), (BROWSER, 2, [4, 1])],
)
async def test_deliveries_tell_of_no_press_that_the_caller_may_not_know_of(
    caller: Principal, limit: int, told: list[int]
) -> None:
    body = await deliveries("office", caller, PARTS, limit)
    for part in ("items", "dead_letters"):
        assert [each["position"] for each in body[part]] == told


@pytest.mark.parametrize(("discreet", "at"), [(True, NOW), (False, EARLIER)])
def test_the_last_press_is_one_that_the_caller_may_know_of(discreet: bool, at: datetime) -> None:
    status = DeviceStatus(device="a", last_press=NOW, last_loud_press=EARLIER)
    body = shown_status(status, discreet=discreet)
    assert body["last_press"] == at
    assert "last_loud_press" not in body


@pytest.mark.parametrize(("kind", "told"), [(None, False), ("press", False), ("silent", True), ("duress", True)])
def test_the_test_of_a_silent_button_is_not_shown_where_it_must_not_be_known(kind: str | None, told: bool) -> None:
    """Whether it is withheld: event and stream would else say what a walk test keeps to itself."""
    as_kind = PressKind(kind) if kind is not None else None
    event = ButtonTested(id="t", source="/s", subject="b", time=NOW, device="b", trial="walk", kind=as_kind)
    assert is_discreet(event) is told


def test_an_entry_tells_no_silent_action_at_the_place() -> None:
    body = {"id": "b", "actions": {"double": "silent", "single": "press"}, "generic": {"values": {"9": "duress"}}}
    shown = shown_meanings(body)
    assert shown["actions"] == {"double": "press", "single": "press"}
    assert shown["generic"] == {"values": {"9": "press"}}
