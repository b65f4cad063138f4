"""What a reader may not see leaves gaps in the positions: it goes on behind them, and nothing reads as lost."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.api.hub import EventHub
from gateway.api.routes.events import events
from gateway.clock import SystemClock
from gateway.events import ButtonPressed, Event, PressKind, Severity, encode
from gateway.storage import Stored

_KINDS = [PressKind.PRESS, PressKind.SILENT, PressKind.DURESS, PressKind.PRESS, PressKind.SILENT]
_LOUD = [1, 4]


def pressed(position: int, kind: PressKind) -> Event:
    return ButtonPressed(
        id=str(position),
        source="/site/east/button/b",
        subject="b",
        time=datetime(2026, 11, 26, tzinfo=UTC),
        severity=Severity.CRITICAL,
        device="b",
        kind=kind,
    )


class Pages:
    """A journal of five presses; two of them are loud, and the last is silent."""

    def __init__(self) -> None:
        events = [pressed(number, kind) for number, kind in enumerate(_KINDS, 1)]
        self.stored = [Stored(number, event, encode(event)) for number, event in enumerate(events, 1)]
        self.last_position = len(self.stored)

    async def read(self, after: int, limit: int, _wanted: object = None) -> list[Stored]:
        return [each for each in self.stored if each.position > after][:limit]

    async def tail(self, limit: int, _wanted: object = None) -> list[Stored]:
        return self.stored[-limit:]


def positions(page: Sequence[dict[str, Any]]) -> list[int]:
    return [each["position"] for each in page]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_lead_over_what_is_hidden_to_the_end_of_the_journal(limit: int) -> None:
    caller: Any = SimpleNamespace(sees_discreet=False)
    parts: Any = SimpleNamespace(stores=SimpleNamespace(journal=Pages()))
    told, after = list[int](), 0
    for _ in range(10):
        page = await events(caller, parts, None, after=after, limit=limit)
        told += positions(page["items"])
        assert page["next"] >= after
        after = page["next"]
    assert (told, after) == (_LOUD, 5)
    newest = await events(caller, parts, None, last=2)
    assert (positions(newest["items"]), newest["next"]) == ([4], 5)


@pytest.mark.parametrize("after", range(6))
async def test_a_stream_goes_on_behind_any_position_also_one_that_was_never_told(after: int) -> None:
    hub = EventHub(Pages(), SystemClock())  # type: ignore[arg-type]  # what a hub reads of a journal
    cursor, data = await hub.frames_after(after, None, discreet=False)
    assert cursor == 5, "the next look begins at the end, so that what is hidden is passed over once"
    assert [int(each) for each in re.findall(rb"^id: (\d+)", data, re.M)] == [each for each in _LOUD if each > after]
    assert await hub.frames_after(cursor, None, discreet=False) == (5, b"")


async def test_the_heartbeat_says_the_end_of_the_journal_also_where_the_last_event_is_hidden() -> None:
    hub = EventHub(Pages(), SystemClock())  # type: ignore[arg-type]  # what a hub says of a journal
    assert b'"position": 5' in hub.heartbeat()
