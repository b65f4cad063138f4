"""The journal's stamp on an event: a copy that differs in nothing else, for every kind of event."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.events import Event, recorded_at
from gateway.events.codec import event_types

NOW = datetime(2026, 11, 27, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", [Event, *event_types().values()], ids=lambda kind: kind.__name__)
def test_only_the_time_of_recording_differs(kind: type[Event]) -> None:
    values: dict[str, Any] = {field.name: f"{field.name}'s" for field in fields(kind)} | {"recorded": None}
    event = kind(**values)
    stamped = recorded_at(event, NOW)
    assert stamped == replace(event, recorded=NOW)
    assert type(stamped) is kind
    assert event.recorded is None
