"""Each fault is told with size and hash; a storm of one kind is told by its first and by its count."""

import hashlib

from gateway.alarms.faults import FaultRecorder
from gateway.clock import ManualClock
from gateway.events import Cause, Event, GatewayFault


class Desk:
    def __init__(self) -> None:
        self.events: list[GatewayFault] = []

    async def take(self, event: Event) -> None:
        assert isinstance(event, GatewayFault)
        self.events.append(event)


async def test_two_bad_payloads_on_one_topic_are_two_faults_with_their_hashes() -> None:
    desk = Desk()
    recorder = FaultRecorder("east", desk.take, ManualClock())
    for payload in (b"{", b"[]"):
        await recorder.record(Cause("bad_payload", "no"), topic="campus/east/button/b/event", payload=payload)
    assert [event.payload_size for event in desk.events] == [1, 2]
    assert desk.events[1].payload_sha256 == hashlib.sha256(b"[]").hexdigest()


async def test_a_storm_is_held_back_and_counted() -> None:
    desk, clock = Desk(), ManualClock()
    recorder = FaultRecorder("east", desk.take, clock)
    for _ in range(500):
        await recorder.record(Cause("bad_payload", "no"), topic="t")
    await recorder.record(Cause("unknown_device", "who"), topic="u")
    assert len(desk.events) == 21
    clock.advance(11)
    await recorder.record(Cause("bad_payload", "no"), topic="t")
    assert "480 more like it" in desk.events[-1].detail
    assert desk.events[-1].figures == {"more": 480}


async def test_a_storm_over_many_topics_is_held_back_too() -> None:
    desk, clock = Desk(), ManualClock()
    recorder = FaultRecorder("east", desk.take, clock)
    for number in range(5000):
        await recorder.record(Cause("unknown_device", "who"), topic=f"campus/east/button/{number}/event")
    assert len(desk.events) == 200
    clock.advance(11)
    await recorder.record(Cause("unknown_device", "who"), topic="campus/east/button/new/event")
    assert "4800 more like it" in desk.events[-1].detail
