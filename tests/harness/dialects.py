"""A listener with one device of a fixture: plays its messages and tells what they became."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.alarms import AlarmListener, Feedback, InboundMessage, PayloadError, SupervisionTimer, dialects_with
from gateway.clock import ManualClock
from gateway.events import Event, GatewayFault, as_cloudevent, because
from gateway.settings import DeviceSettings, DialectSettings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mqtt"
DEVICE = "btn-01"
_PLACE = {"device": DEVICE, "name": "东门岗亭", "place": "East gate booth"}
_TOLD = ("last_seen", "last_press", "last_loud_press", "last_test", "via", "device")


def cases() -> Iterator[Path]:
    """Every case of every device."""
    yield from sorted(path for path in FIXTURES.glob("*/*/*.json") if path.name != "device.json")


def content_of(case: Path) -> dict[str, Any]:
    """A case's messages and what they become."""
    found: dict[str, Any] = json.loads(case.read_text("utf-8"))
    return found


def device_of(case: Path) -> dict[str, Any]:
    """What a case's device is."""
    found: dict[str, Any] = json.loads((case.parent / "device.json").read_text("utf-8"))
    return found


class Bench:
    """A listener with the device of a fixture."""

    def __init__(self, device: dict[str, Any]) -> None:
        self.events: list[Event] = []
        self.answers: list[Feedback] = []
        self.clock = ManualClock()
        self.supervision = SupervisionTimer("east", self._report, self.clock)
        described = [DialectSettings.model_validate(device["described"])] if "described" in device else []
        self.listener = AlarmListener(
            site="east",
            report=self._report,
            unstored=self.events.append,
            answer=self.answers.append,
            supervision=self.supervision,
            clock=self.clock,
            window_seconds=2.0,
            dialects=dialects_with(described),
        )
        self.entry = {"id": DEVICE, "name": _PLACE["name"], "place": _PLACE["place"]} | device["entry"]
        self.device = DeviceSettings.model_validate(self.entry)
        self.listener.add(self.device)

    async def _report(self, event: Event) -> Event:
        """As the journal: the one before, if it has the same id; every telling is noted."""
        before = next((each for each in self.events if each.id == event.id), None)
        recorded = replace(event, recorded=self.clock.now())
        self.events.append(recorded)
        return before or recorded

    async def play(self, message: dict[str, Any]) -> None:
        """Let time pass and a message come."""
        self.clock.advance(message.get("after_seconds", 0))
        retain, replayed = message.get("retain", False), message.get("replayed", False)
        payload = message["payload"].encode()
        await self.take(
            InboundMessage(topic=message["topic"], payload=payload, qos=1, retain=retain, replayed=replayed)
        )

    async def take(self, inbound: InboundMessage) -> None:
        """A message comes, by MQTT or from a panel as the device's entry says."""
        if self.device.account is None:
            await self.listener.handle(inbound)
            return
        try:
            await self.listener.handle_panel(self.device.account, inbound)
        except PayloadError:
            await self.listener.faults.record(because("bad_payload", "not understood"), payload=inbound.payload)

    async def settle(self) -> None:
        """Let supervision see what came, and five seconds pass."""
        task = asyncio.create_task(self.supervision.run(), name="supervision")
        for _ in range(2):
            for _ in range(10):
                await asyncio.sleep(0)
            self.clock.advance(2.5)
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def told(self) -> list[dict[str, Any]]:
        """The events, each once, as a fixture writes them: without what every event of the device has."""
        seen: set[str] = set()
        found = []
        for event in self.events:
            if event.id not in seen:
                found.append(_as_told(event))
            seen.add(event.id)
        return found

    def status(self) -> dict[str, Any]:
        """What the device's status says beyond its sign of life."""
        status = self.supervision.statuses()[0]
        fields = {name: getattr(status, name) for name in status.__slots__ if name not in _TOLD}
        return {
            name: list(v) if isinstance(v, tuple) else v for name, v in fields.items() if v not in (None, False, "", ())
        }


def _as_told(event: Event) -> dict[str, Any]:
    if isinstance(event, GatewayFault):
        return {"fault": event.fault} | ({"cleared": True} if event.cleared else {})
    cloud = json.loads(json.dumps(as_cloudevent(event), default=lambda each: each.isoformat().replace("+00:00", "Z")))
    data = {name: value for name, value in cloud["data"].items() if name not in _PLACE}
    return {key: cloud[key] for key in ("type", "severity", "time")} | {"data": data}
