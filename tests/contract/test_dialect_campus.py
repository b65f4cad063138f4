"""Every message of the fixtures becomes the event, or the fault, that stands beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.alarms import AlarmListener, Feedback, InboundMessage, SupervisionTimer
from gateway.clock import ManualClock
from gateway.events import Event, GatewayFault, as_cloudevent
from gateway.settings import DeviceSettings

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "mqtt" / "campus").iterdir())


class Bench:
    """A listener with its device; notes what is reported and answered."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.answers: list[Feedback] = []
        clock = ManualClock()
        self.listener = AlarmListener(
            site="east",
            report=self._report,
            unstored=self.events.append,
            answer=self.answers.append,
            supervision=SupervisionTimer("east", self._report, clock),
            clock=clock,
            window_seconds=2.0,
        )
        self.listener.add(DeviceSettings(id="btn-01", name="东门岗亭", place="East gate booth"))

    async def _report(self, event: Event) -> None:
        self.events.append(event)

    async def play(self, message: dict[str, Any]) -> None:
        payload = message["payload"].encode()
        await self.listener.handle(
            InboundMessage(topic=message["topic"], payload=payload, qos=1, retain=message["retain"])
        )


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_message_becomes_what_stands_beside_it(case: Path) -> None:
    message = json.loads((case / "message.json").read_text("utf-8"))
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    bench = Bench()
    await bench.play(message)
    assert len(bench.events) == 1
    event = bench.events[0]
    if "fault" in expected:
        assert isinstance(event, GatewayFault)
        assert event.fault == expected["fault"]
        assert event.payload_size == len(message["payload"])
        assert event.payload_sha256 is not None
        assert bench.answers == []
        return
    cloud = json.loads(
        json.dumps(as_cloudevent(event), default=lambda moment: moment.isoformat().replace("+00:00", "Z"))
    )
    place = {"device": "btn-01", "name": "东门岗亭", "place": "East gate booth"}
    found = {name: value for name, value in cloud["data"].items() if name not in place}
    assert {key: cloud[key] for key in ("type", "severity", "time")} | {"data": found} == expected


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_same_message_again_has_the_same_id(case: Path) -> None:
    message = json.loads((case / "message.json").read_text("utf-8"))
    bench = Bench()
    await bench.play(message)
    await bench.play(message)
    if not isinstance(bench.events[0], GatewayFault) and message["topic"].endswith("/event"):
        assert bench.events[0].id == bench.events[1].id


@pytest.mark.parametrize("kind", ["silent", "duress"])
async def test_nothing_answers_a_silent_press(kind: str) -> None:
    bench = Bench()
    await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": "{kind}"}}', "retain": False})
    assert bench.answers == []


async def test_a_press_is_answered_once_it_is_stored() -> None:
    bench = Bench()
    topic = "campus/east/button/btn-01/event"
    await bench.play({"topic": topic, "payload": '{"type": "press", "id": "1"}', "retain": False})
    assert [answer.topic for answer in bench.answers] == ["campus/east/button/btn-01/feedback"]
    assert json.loads(bench.answers[0].payload)["state"] == "received"


async def test_a_second_real_press_is_a_second_press() -> None:
    bench = Bench()
    topic = "campus/east/button/btn-01/event"
    for identity in ("1", "2"):
        await bench.play({"topic": topic, "payload": f'{{"type": "press", "id": "{identity}"}}', "retain": False})
    assert len({event.id for event in bench.events}) == 2
