"""The pitfalls of MQTT buttons in the wild, each a test that is named after it."""

import json
import sys
from typing import Any

import pytest
from harness.dialects import Bench

from gateway.alarms import BrokerState, InboundMessage
from gateway.alarms.access import AccessList, nobody
from gateway.api.reach import Ways, reach_of
from gateway.events import ButtonLost, ButtonPressed, ButtonTested, GatewayFault, Severity
from gateway.incidents.keys import key_of
from gateway.settings import DeviceSettings, MqttSettings

OWN = "campus/east/button/btn-01"


def own(**entry: Any) -> Bench:
    return Bench({"entry": {"dialect": "campus"} | entry})


async def say(bench: Bench, body: dict[str, Any], *, leaf: str = "event", after: float = 0, **flags: bool) -> None:
    await bench.play({"topic": f"{OWN}/{leaf}", "payload": json.dumps(body), "after_seconds": after} | flags)


def presses(bench: Bench) -> list[ButtonPressed]:
    return [each for each in bench.events if isinstance(each, ButtonPressed)]


def faults(bench: Bench) -> list[tuple[str, bool]]:
    return [(each.fault, each.cleared) for each in bench.events if isinstance(each, GatewayFault)]


async def test_1_a_retained_press_never_alarms() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press"}, retain=True, replayed=True)
    assert presses(bench) == []
    assert faults(bench) == [("retained_press", False)]


async def test_1_a_retained_condition_sets_the_state_and_never_alarms() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    kept = {"topic": "zigbee2mqtt/btn-01", "payload": '{"sos": true}', "retain": True, "replayed": True}
    await bench.play(kept)
    await bench.play(kept)
    await bench.play({"topic": "zigbee2mqtt/btn-01", "payload": '{"sos": true}'})
    assert presses(bench) == []
    assert faults(bench) == [("retained_press", False)], "the first is said, because its change never came"
    await bench.play({"topic": "zigbee2mqtt/btn-01", "payload": '{"sos": false}'})
    await bench.play({"topic": "zigbee2mqtt/btn-01", "payload": '{"sos": true}'})
    assert len(presses(bench)) == 1


async def test_1_a_kept_message_is_no_sign_of_life() -> None:
    bench = own()
    await say(bench, {"battery": 90}, leaf="health", retain=True, replayed=True)
    await say(bench, {"online": True}, leaf="state", retain=True, replayed=True)
    assert bench.supervision.statuses()[0].last_seen is None
    await say(bench, {"online": True}, leaf="state", retain=True)
    assert bench.supervision.statuses()[0].last_seen is not None, "a birth message that the device has kept is one"


async def test_2_a_copy_by_id_is_the_same_press_however_late() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press"})
    await say(bench, {"id": "1", "type": "press"}, after=7200)
    assert len({each.id for each in presses(bench)}) == 1


async def test_2_a_late_copy_by_id_is_said_because_it_may_be_a_device_that_counts_from_1_again() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press"})
    await say(bench, {"id": "1", "type": "press"}, after=300)
    assert faults(bench) == []
    await say(bench, {"id": "1", "type": "press"}, after=601)
    assert faults(bench) == [("press_id_reused", False)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"seq": 1}, {"seq": 2}),
        ({"at": "2026-11-23T08:00:00Z"}, {"at": "2026-11-23T08:02:01Z"}),
        ({"at": "2026-11-23T08:00:00Z", "seq": 1}, {"at": "2026-11-23T08:00:03Z", "seq": 2}),
    ],
)
async def test_2_an_id_that_another_press_had_hides_no_press(first: dict[str, Any], second: dict[str, Any]) -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press"} | first)
    for _ in range(2):
        await say(bench, {"id": "1", "type": "press"} | second, after=1)
    assert len({each.id for each in presses(bench)}) == 2
    assert {each.press_id for each in presses(bench)} == {"1"}
    assert ("press_id_reused", False) in faults(bench)
    answered = {json.loads(each.payload)["event"] for each in bench.answers}
    assert answered == {each.id for each in presses(bench)}


async def test_2_a_reused_id_that_is_sent_often_is_one_more_press() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press", "at": "2026-11-23T08:00:00Z"})
    for second in range(5):
        await say(bench, {"id": "1", "type": "press", "at": f"2026-11-23T09:00:0{second}Z"}, after=1)
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_a_device_that_stamps_a_copy_anew_presses_once() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press", "at": "2026-11-23T08:00:00Z", "seq": 4})
    await say(bench, {"id": "1", "type": "press", "at": "2026-11-23T08:01:00Z", "seq": 4}, after=60)
    assert len({each.id for each in presses(bench)}) == 1
    assert faults(bench) == []


@pytest.mark.parametrize(
    ("flaw", "left_out"),
    [
        ({"at": "2026-11-26T08:00:00"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": [1]}, "at"),
        ({"at": float("inf")}, "at"),
        ({"seq": "-1"}, "seq"),
        ({"seq": -1}, "seq"),
        ({"seq": 1.5}, "seq"),
        ({"seq": float("nan")}, "seq"),
        ({"seq": 10**4000}, "seq"),
        ({"seq": True}, "seq"),
        ({"boot": {}}, "boot"),
        ({"id": ""}, "id"),
        ({"id": ["a"]}, "id"),
        ({"id": 10**400}, "id"),
    ],
)
async def test_4_a_press_counts_whatever_stands_beside_its_type(flaw: dict[str, Any], left_out: str) -> None:
    bench = own()
    sys.set_int_max_str_digits(0)
    try:
        await say(bench, {"type": "press"} | flaw)
    finally:
        sys.set_int_max_str_digits(4300)
    assert len(presses(bench)) == 1
    fault = bench.events[-1]
    assert isinstance(fault, GatewayFault)
    assert (fault.fault, fault.severity) == ("bad_field", Severity.MEDIUM)
    assert fault.detail.startswith(f"{left_out} should be ")


@pytest.mark.parametrize("identity", [5, "i" * 60_000, "\ud800", "a\x00\u202e"])
async def test_4_an_odd_id_tells_a_copy_all_the_same(identity: object) -> None:
    bench = own()
    for _ in range(2):
        await say(bench, {"type": "press", "id": identity}, after=60)
    await say(bench, {"type": "press", "id": "\ud801"})
    assert len({each.id for each in presses(bench)}) == 2
    assert max(len(each.press_id or "") for each in presses(bench)) <= 128
    assert faults(bench) == []


@pytest.mark.parametrize(
    "payload", ['\ufeff{"type": "press", "id": "1"}', '{"type": " PRESS\\n", "id": "1", "seq": "17"}']
)
async def test_4_a_byte_order_mark_and_capitals_are_no_reason_to_miss_a_press(payload: str) -> None:
    bench = own()
    await bench.play({"topic": f"{OWN}/event", "payload": payload})
    assert [each.press_id for each in presses(bench)] == ["1"]
    assert faults(bench) == []


@pytest.mark.parametrize("payload", ["", "[", "[]", '{"id": "1"}', '{"type": "help"}', "[" * 30_000, '{"type": 7}'])
async def test_4_what_cannot_be_read_on_the_topic_of_presses_is_critical_so_that_a_guard_looks(payload: str) -> None:
    bench = own()
    await bench.play({"topic": f"{OWN}/event", "payload": payload})
    assert [(each.TYPE, each.severity) for each in bench.events] == [(GatewayFault.TYPE, Severity.CRITICAL)]
    assert key_of(bench.events[0]) is not None


async def test_2_a_copy_by_counter_and_start_is_the_same_press_however_late() -> None:
    bench = own()
    await say(bench, {"seq": 4, "boot": 2, "type": "press"})
    await say(bench, {"seq": 4, "boot": 2, "type": "press"}, after=7200)
    await say(bench, {"seq": 4, "boot": 3, "type": "press"}, after=1)
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_a_counter_alone_may_begin_anew_so_that_a_press_after_a_while_is_a_new_one() -> None:
    bench = own()
    await say(bench, {"seq": 1, "type": "press"})
    await say(bench, {"seq": 1, "type": "press"}, after=30)
    await say(bench, {"seq": 1, "type": "press"}, after=100)
    assert len({each.id for each in presses(bench)}) == 1
    await say(bench, {"seq": 1, "type": "press"}, after=3600)
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_a_bounce_is_one_press_and_a_second_real_press_is_a_second() -> None:
    bench = own()
    await say(bench, {"type": "press"})
    await say(bench, {"type": "press"}, after=0.4)
    assert len({each.id for each in presses(bench)}) == 1
    await say(bench, {"type": "press"}, after=3)
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_a_second_real_press_within_the_window_is_a_second_if_it_has_an_id() -> None:
    bench = own()
    await say(bench, {"id": "1", "type": "press"})
    await say(bench, {"id": "2", "type": "press"}, after=0.1)
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_two_inputs_pressed_at_once_are_two_presses() -> None:
    bench = Bench({"entry": {"dialect": "tasmota"}})
    for number in (1, 2):
        body = json.dumps({f"Button{number}": {"Action": "SINGLE"}})
        await bench.play({"topic": "stat/btn-01/RESULT", "payload": body})
    assert len({each.id for each in presses(bench)}) == 2


async def test_2_a_counter_that_is_said_again_after_a_restart_is_no_new_press() -> None:
    topic, body = "shellies/btn-01/input_event/0", '{"event": "S", "event_cnt": 7}'
    before = Bench({"entry": {"dialect": "shelly1"}})
    await before.play({"topic": topic, "payload": body})
    after = Bench({"entry": {"dialect": "shelly1"}})
    after.listener.restore([], [], before.events)
    await after.play({"topic": topic, "payload": body, "after_seconds": 20})
    assert {each.id for each in presses(after)} == {before.events[0].id}
    await after.play({"topic": topic, "payload": '{"event": "S", "event_cnt": 8}', "after_seconds": 1})
    assert len({each.id for each in presses(after)}) == 2


async def test_3_a_press_out_of_a_queue_is_late_and_has_both_times() -> None:
    bench = own()
    bench.clock.advance(3600)
    pressed = bench.clock.now().replace(hour=8, minute=10)
    await say(bench, {"id": "q", "type": "press", "at": pressed.isoformat()})
    event = presses(bench)[0]
    assert event.late
    assert event.time == event.device_time == pressed
    assert not event.clock_wrong
    assert faults(bench) == []


async def test_3_a_device_that_was_heard_all_the_time_has_a_clock_that_is_behind_and_no_late_press() -> None:
    bench = own(health_deadline_seconds=180)
    for _ in range(40):
        await say(bench, {"battery": 90}, leaf="health", after=100)
    behind = bench.clock.now().replace(hour=8, minute=20)
    await say(bench, {"id": "1", "type": "press", "at": behind.isoformat()})
    event = presses(bench)[0]
    assert event.clock_wrong
    assert not event.late
    assert event.time == bench.clock.now(), "it counts as pressed now"


async def test_3_a_clock_that_is_wrong_is_said_once_and_its_end_once() -> None:
    bench = own()
    for number in range(3):
        await say(bench, {"id": f"w{number}", "type": "press", "at": "1970-01-01T00:00:09Z"}, after=10)
    for number in range(3):
        await say(bench, {"id": f"r{number}", "type": "press", "at": bench.clock.now().isoformat()})
    assert faults(bench) == [("clock_wrong", False), ("clock_wrong", True)]
    assert [each.clock_wrong for each in presses(bench)] == [True, True, True, False, False, False]


async def test_3_a_late_press_is_no_test_although_one_waits() -> None:
    bench = own()
    bench.clock.advance(7200)
    bench.listener.trials.arm("btn-01", "walk", 600)
    await say(bench, {"id": "old", "type": "press", "at": "2026-11-23T08:00:00Z"})
    assert len(presses(bench)) == 1
    await say(bench, {"id": "new", "type": "press", "at": bench.clock.now().isoformat()})
    assert [type(each) for each in bench.events] == [ButtonPressed, ButtonTested]


@pytest.mark.parametrize(
    "pattern",
    ["#", "campus/#", "campus/east/button/+/feedback", "campus/east/button/btn-02/feedback", f"$share/all/{OWN}/event"],
)
def test_5_a_subscription_that_the_list_forbids_is_refused_and_not_granted_and_filtered(pattern: str) -> None:
    """On the wire: test_mqtt_security.py; with a broker that does grant it: test_external_broker.py."""
    rights = AccessList(MqttSettings(), "east", nobody).rights_of("btn-01", "btn-01")
    assert rights.may_subscribe(f"{OWN}/feedback")
    assert not rights.may_subscribe(pattern)


def test_5_a_device_of_which_a_broker_delivers_nothing_counts_as_one_that_reaches_nobody() -> None:
    bench = own()
    broker = BrokerState("mqtt://broker:1883", connected=True)
    ways = Ways(accepting=True, stored=True, embedded=False, brokers=(broker,), office=())
    statuses = {each.device: each for each in bench.supervision.statuses()}
    (found,) = reach_of([bench.device], statuses, ways, proved=True)
    assert (found.reaches, found.reasons) == (False, ("never_heard",))


async def test_6_a_last_will_has_a_few_seconds_and_then_the_button_is_lost() -> None:
    bench = own()
    await say(bench, {"online": True}, leaf="state")
    await say(bench, {"online": False}, leaf="state")
    await bench.settle()
    assert [type(each) for each in bench.events] == [ButtonLost]


async def test_6_a_last_will_and_a_return_at_once_is_nothing() -> None:
    bench = own()
    await say(bench, {"online": False}, leaf="state")
    await say(bench, {"online": True}, leaf="state", after=1)
    await bench.settle()
    assert bench.events == []


async def test_7_two_devices_with_one_client_id_flap_and_that_is_one_fault() -> None:
    bench = own()
    for _ in range(50):
        await say(bench, {"online": False}, leaf="state", after=1)
        await say(bench, {"online": True}, leaf="state", after=1)
    await bench.settle()
    assert faults(bench) == [("device_flapping", False)]
    assert bench.supervision.statuses()[0].flapping
    assert not any(isinstance(each, ButtonLost) for each in bench.events)


async def test_8_an_empty_action_is_nothing() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    for payload in ('{"action": ""}', '{"action": null}', "{}"):
        await bench.play({"topic": "zigbee2mqtt/btn-01", "payload": payload})
    assert bench.events == []


async def test_9_a_topic_of_a_device_has_no_wildcards() -> None:
    for topic in ("zigbee2mqtt/+", "a/#", "a/b\0", "/a", "a/", "$SYS/x"):
        try:
            DeviceSettings(id="x", dialect="zigbee2mqtt", topic=topic)
        except ValueError:
            continue
        raise AssertionError(f"{topic!r} was taken")


async def test_9_a_topic_from_the_wire_with_wildcards_finds_no_device() -> None:
    bench = Bench({"entry": {"dialect": "zigbee2mqtt"}})
    for topic in ("zigbee2mqtt/+", "#", "+/btn-01", "$SYS/broker", "campus/+/button/btn-01/event"):
        await bench.take(InboundMessage(topic=topic, payload=b'{"action": "emergency"}'))
    assert presses(bench) == []
    assert {each for each, _ in faults(bench)} == {"wrong_topic"}
