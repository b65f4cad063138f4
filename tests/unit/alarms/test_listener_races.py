"""What changes while the listener waits for the disk."""

from harness.dialects import Bench

from gateway.alarms import InboundMessage
from gateway.alarms.conditions import ConditionBook
from gateway.alarms.dialects.said import Condition
from gateway.events import Event
from gateway.settings import DeviceSettings


async def test_a_device_that_is_removed_while_a_message_of_several_is_stored_is_passed_over() -> None:
    """One topic may be of many devices; an administrator may remove one between the first and the next."""
    bench = Bench({"entry": {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/both"}})
    bench.listener.add(DeviceSettings(id="btn-02", dialect="zigbee2mqtt", topic="zigbee2mqtt/both"))
    store = bench.listener._store._report

    async def remove_the_other(event: Event) -> Event:
        bench.listener.remove("btn-02")
        return await store(event)

    bench.listener._store._report = remove_the_other
    await bench.listener.handle(InboundMessage(topic="zigbee2mqtt/both", payload=b'{"action": "press"}', qos=1))
    assert [each.subject for each in bench.events] == ["btn-01"]


def test_a_device_with_as_many_conditions_as_are_remembered_forgets_none_by_repeating_them() -> None:
    book = ConditionBook()
    said = [Condition(name=f"input {number}", active=True) for number in range(100)]
    for each in [*said, said[-1]]:
        book.note("btn-01", each)
    assert [book.change_of("btn-01", each) for each in said] == [None] * 100
