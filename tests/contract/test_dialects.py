"""Every message of the fixtures becomes the events, or the faults, that stand beside it; in whatever dialect it is."""

import json
from pathlib import Path

import pytest
from harness.dialects import FIXTURES, Bench, cases, content_of, device_of

from gateway.alarms import DIALECTS, Dialect, PayloadError
from gateway.events import ButtonPressed, GatewayFault
from gateway.settings import BUILT_IN_DIALECTS, DeviceSettings

CASES = list(cases())
NAMES = [str(case.relative_to(FIXTURES).with_suffix("")) for case in CASES]


async def played(case: Path) -> Bench:
    bench = Bench(device_of(case))
    for message in content_of(case)["messages"]:
        await bench.play(message)
    return bench


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_messages_become_what_stands_beside_them(case: Path) -> None:
    expected = content_of(case)
    bench = await played(case)
    await bench.settle()
    assert bench.told() == expected["events"]
    assert bench.status() == expected.get("status", {})


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_a_press_that_comes_twice_in_a_second_is_one(case: Path) -> None:
    """QoS 1 delivers at least once (MQTT 3.1.1 §4.3.2): each message, sent again at once, is the same press."""
    messages = content_of(case)["messages"]
    once, twice = Bench(device_of(case)), Bench(device_of(case))
    for message in messages:
        await once.play(message)
        await twice.play(message)
        await twice.play(message | {"after_seconds": 0})
    presses = [{each.id for each in bench.events if isinstance(each, ButtonPressed)} for bench in (once, twice)]
    assert len(presses[0]) == len(presses[1])


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_a_fault_names_size_and_hash_and_nothing_of_the_payload(case: Path) -> None:
    bench = await played(case)
    for event in bench.events:
        if isinstance(event, GatewayFault) and event.topic:
            assert event.payload_size is not None
            assert len(event.payload_sha256 or "") == 64


@pytest.mark.parametrize("case", CASES, ids=NAMES)
async def test_a_topic_of_a_fixture_is_among_those_that_the_device_publishes_on(case: Path) -> None:
    bench = Bench(device_of(case))
    if bench.device.account is not None or case.stem in {"command-to-it", "other-site", "unknown-device"}:
        return
    for message in content_of(case)["messages"]:
        assert bench.listener.takes(message["topic"])
        published = bench.listener.topics_of(bench.device)
        assert any(_fits(pattern, message["topic"]) for pattern in published)


def _fits(pattern: str, topic: str) -> bool:
    """MQTT 5.0 §4.7.1, written apart from the gateway's own."""
    for number, level in enumerate(pattern.split("/")):
        if level == "#":
            return True
        levels = topic.split("/")
        if number >= len(levels) or level not in ("+", levels[number]):
            return False
    return len(pattern.split("/")) == len(topic.split("/"))


# A contact of an ONVIF camera is no message: tests/acceptance/test_camera_button.py presses one.
BY_MESSAGE = [each for each in DIALECTS.values() if each.name != "onvif"]


@pytest.mark.parametrize("dialect", BY_MESSAGE, ids=[each.name for each in BY_MESSAGE])
def test_every_dialect_has_a_fixture_with_a_press(dialect: Dialect) -> None:
    mine = [case for case in CASES if device_of(case)["entry"]["dialect"] == dialect.name]
    kinds = [each.get("type") for case in mine for each in content_of(case)["events"]]
    assert "campus.button.pressed" in kinds


def test_the_settings_know_every_dialect_of_the_table() -> None:
    assert set(DIALECTS) == set(BUILT_IN_DIALECTS)


def test_an_action_means_the_same_whoever_says_it_again() -> None:
    for dialect in DIALECTS.values():
        for topic in dialect.topics("a/b"):
            made = topic.replace("+", "x").replace("#", "x")
            answers = []
            for _ in range(2):
                try:
                    answers.append(dialect.decode(made, b'{"action": "single"}'))
                except PayloadError as error:
                    answers.append((str(error),))  # type: ignore[arg-type]  # compared only
            assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", ["silent", "duress"])
async def test_nothing_answers_a_silent_press(kind: str) -> None:
    bench = Bench({"entry": {"dialect": "campus"}})
    await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": "{kind}"}}'})
    assert bench.answers == []


@pytest.mark.parametrize("kind", ["silent", "duress"])
async def test_nothing_answers_a_silent_press_that_a_test_waited_for(kind: str) -> None:
    bench = Bench({"entry": {"dialect": "campus"}})
    bench.listener.trials.arm("btn-01", "walk-1", 60)
    await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": "{kind}"}}'})
    assert [event.TYPE for event in bench.events] == ["campus.button.tested"]
    assert bench.answers == []


async def test_a_press_is_answered_once_it_is_stored() -> None:
    bench = Bench({"entry": {"dialect": "campus"}})
    await bench.play({"topic": "campus/east/button/btn-01/event", "payload": '{"type": "press", "id": "1"}'})
    assert [answer.topic for answer in bench.answers] == ["campus/east/button/btn-01/feedback"]
    assert json.loads(bench.answers[0].payload)["state"] == "received"


async def test_a_device_of_another_dialect_is_not_answered_on_the_own_profile() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    await bench.play({"topic": "zigbee2mqtt/btn-01", "payload": '{"action": "emergency"}'})
    assert bench.answers == []


async def test_a_device_without_topic_has_the_address_of_its_dialect() -> None:
    for name in ("shelly1", "shelly2", "tasmota", "zigbee2mqtt"):
        bench = Bench({"entry": {"dialect": name}})
        assert all("btn-01" in each or "bridge" in each for each in bench.listener.topics_of(bench.device))


async def test_a_press_of_the_own_profile_for_a_device_of_another_dialect_is_a_fault() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    await bench.play({"topic": "campus/east/button/btn-01/event", "payload": '{"type": "press"}'})
    assert bench.told() == [{"fault": "unknown_device"}]


async def test_a_removed_device_is_not_taken_any_more() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    bench.listener.add(DeviceSettings(id="other", dialect="tasmota"))
    bench.listener.remove("btn-01")
    assert not bench.listener.takes("zigbee2mqtt/btn-01")
    assert bench.listener.takes("stat/other/RESULT")
    assert bench.listener.subscriptions()[3:] == ("stat/other/+", "tele/other/+")
