"""Events survive the way to JSON and back, and what is no event is refused."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.errors import PermanentError
from gateway.events import (
    ButtonPressed,
    Event,
    FaceMatched,
    GatewayFault,
    PressKind,
    Severity,
    UnknownEvent,
    because,
    decode,
    derived_id,
    encode,
    event_types,
    new_id,
    of_error,
)

PRESS = ButtonPressed(
    id="e-1",
    source="/site/east/button/btn-01",
    subject="btn-01",
    time=datetime(2026, 11, 23, 8, 3, 11, 250000, tzinfo=UTC),
    severity=Severity.CRITICAL,
    device="btn-01",
    name="东门岗亭",
    place="East gate booth",
    kind=PressKind.SILENT,
    seq=17,
)


def test_a_press_comes_back_as_it_was() -> None:
    recorded = replace(PRESS, recorded=datetime(2026, 11, 23, 8, 3, 12, tzinfo=UTC), drill=True)
    assert decode(encode(recorded)) == recorded


def test_the_json_is_a_cloudevent_with_the_contract_s_extensions() -> None:
    cloud = json.loads(encode(PRESS))
    assert cloud["specversion"] == "1.0"
    assert cloud["type"] == "campus.button.pressed"
    assert cloud["time"] == "2026-11-23T08:03:11.250000Z"
    assert cloud["severity"] == "critical"
    assert "drill" not in cloud
    assert cloud["data"] == {
        "device": "btn-01",
        "name": "东门岗亭",
        "place": "East gate booth",
        "kind": "silent",
        "seq": 17,
        "late": False,
        "clock_wrong": False,
    }


def test_every_type_has_its_class() -> None:
    assert event_types()["campus.face.matched"] is FaceMatched
    assert all(name == kind.TYPE for name, kind in event_types().items())
    assert len(event_types()) >= 24


def test_an_unknown_type_is_kept_whole() -> None:
    cloud = json.loads(encode(PRESS)) | {"type": "campus.future.thing", "data": {"a": [1, "二"]}}
    event = decode(json.dumps(cloud))
    assert isinstance(event, UnknownEvent)
    assert json.loads(encode(event)) == cloud


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"type": "campus.button.pressed"}',
        encode(PRESS).replace(b'"silent"', b'"loud"'),
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(PermanentError, match="not an event"):
        decode(body)


def test_new_ids_are_version_7_and_in_order_of_time() -> None:
    first, second = uuid.UUID(new_id()), uuid.UUID(new_id())
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert first.int >> 80 <= second.int >> 80


def test_derived_ids_repeat_and_keep_parts_apart() -> None:
    assert derived_id("a", "bc") == derived_id("a", "bc")
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert derived_id("5", "17") == "e58260eb-8112-5015-87d1-27d37ee20761"
    assert derived_id("门", "17") == str(uuid.uuid5(uuid.UUID("9c1c0b8e-6a0d-5c86-9a55-6f6a1d7a3f10"), "门\x1f17"))
    joined = [("5", "17"), ("5\x1f17",), ("5\x1e_17",), ("5\x1e", "17"), ("5", "\x1e17"), ("5\x1e\x1f17",)]
    assert len({derived_id(*parts) for parts in joined}) == len(joined)


def fault(**data: Any) -> GatewayFault:
    return GatewayFault(id="f", source="/site/east/gateway", subject="gateway", time=PRESS.time, **data)


def test_a_fault_keeps_the_name_and_the_figures_of_what_is_wrong() -> None:
    cause = because("unknown_device", "no device b is configured", identity="b").at(" (3 more)", more=3)
    found = decode(encode(fault(**cause.data)))
    assert isinstance(found, GatewayFault)
    assert (found.reason, found.figures) == ("unknown_device", {"identity": "b", "more": 3})
    assert found.detail == "no device b is configured (3 more)"


def test_a_fault_of_a_former_version_has_words_only() -> None:
    body = json.loads(encode(fault(fault="wrong_topic", detail="no topic")))
    assert "reason" not in body["data"]
    found: Event = decode(json.dumps(body))
    assert isinstance(found, GatewayFault)
    assert (found.reason, found.figures, found.detail) == (None, None, "no topic")


def test_a_cause_of_an_error_has_its_code_and_figures() -> None:
    error = PermanentError("is neither on nor off", where="state", code="payload_neither", one="on", other="off")
    cause = of_error("bad_payload", error)
    assert (cause.fault, cause.reason) == ("bad_payload", "payload_neither")
    assert cause.figures == {"one": "on", "other": "off", "where": "state"}
