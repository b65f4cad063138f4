"""Floods of odd payloads to every dialect: never an exception, always an event, a fault or silence on purpose."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from harness.dialects import FIXTURES, Bench, cases, content_of, device_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.alarms import InboundMessage
from gateway.alarms.dialects.generic import resolve
from gateway.events import decode, encode

DEVICES = {str(each.parent.relative_to(FIXTURES)): each.parent for each in cases()}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from([
    "action", "event", "event_cnt", "params", "events", "method", "NotifyEvent", "component", "ts", "battery", "sos",
    "Button1", "Switch1", "Action", "Wifi", "Signal", "state", "update", "installed_version", "last_seen", "id",
    "type", "seq", "boot", "at", "data", "code",
])  # fmt: skip
OBJECTS = st.dictionaries(WORDS, VALUES | WORDS | st.dictionaries(WORDS, VALUES, max_size=3), max_size=6)


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


PAYLOADS = (
    st.binary(max_size=200)
    | OBJECTS.map(as_bytes)
    | VALUES.map(as_bytes)
    | st.sampled_from([
        b"[" * 5000, b'{"a":' * 5000, b"1" * 5000, b'{"battery": 1' + b"0" * 5000 + b"}", b"NaN", b'"\\ud800"',
        b'{"action": "\\ud800"}', b'{"type": "press", "id": "\\udfff"}', b'{"last_seen": 1e308, "action": "single"}',
        b'{"event": "S", "event_cnt": 99999999999999999999999}', b"\xff\xfe", b"\x00",
        b'{"type": "press", "at": "9999-12-31T23:59:59-23:59"}',
        b'{"type": "press", "at": "0001-01-01T00:00:00+14:00"}',
        b"#1234|1120 01 ZZZ]", b"#1234|Nri1/", b"#1234|1120 01 005][H99:99:99,99-99-9999]",
    ])
)  # fmt: skip


@cache
def topics_of(folder: Path) -> list[str]:
    bench = Bench(device_of(folder / "any"))
    if bench.device.account is not None:
        return ["ADM-CID/0001", "SIA-DCS/0002", "NULL/0000", "RSP/0000", "ADM-CID/"]
    mine = [case for case in cases() if case.parent == folder]
    recorded = [message["topic"] for case in mine for message in content_of(case)["messages"]]
    patterns = bench.listener.topics_of(bench.device)
    return [*dict.fromkeys(recorded), *(each.replace("+", "RESULT").replace("#", "$state") for each in patterns)]


async def flood(device: Path, data: st.DataObject) -> None:
    bench = Bench(device_of(device / "any"))
    topic = data.draw(st.sampled_from(topics_of(device)))
    for payload in data.draw(st.lists(PAYLOADS, min_size=1, max_size=4)):
        retain = data.draw(st.booleans())
        await bench.take(InboundMessage(topic=topic, payload=payload, retain=retain, replayed=retain))
    for event in bench.events:
        assert decode(encode(event)).id == event.id, "an event that cannot be written down is a lost press"


@pytest.mark.parametrize("device", DEVICES.values(), ids=list(DEVICES))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
async def test_whatever_comes_is_an_event_a_fault_or_nothing(device: Path, data: st.DataObject) -> None:
    await flood(device, data)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("device", DEVICES.values(), ids=list(DEVICES))
@settings(max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
async def test_whatever_comes_for_long_is_an_event_a_fault_or_nothing(device: Path, data: st.DataObject) -> None:
    await flood(device, data)


@given(garbage=st.binary(max_size=64))
def test_a_described_dialect_reads_no_pointer_out_of_bounds(garbage: bytes) -> None:
    pointer = "/" + garbage.decode("latin-1")
    assert resolve([1, {"a": [2]}], pointer) in (None, 1, {"a": [2]})
