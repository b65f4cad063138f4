"""From an MQTT message to a durable event and an answer; the sender is acknowledged only after `handle` returned."""

import json
from collections.abc import Awaitable, Callable

from gateway.alarms.dialects import campus
from gateway.alarms.dialects.campus import EventPayload, HealthPayload, PayloadError
from gateway.alarms.faults import FaultRecorder
from gateway.alarms.messages import Feedback, InboundMessage
from gateway.alarms.presses import PressBook
from gateway.alarms.supervision import SupervisionTimer
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.events import ButtonEvent, ButtonPressed, Event, PressKind, Severity
from gateway.settings import DeviceSettings

_EVENT = "event"


class AlarmListener:
    """Takes what buttons say.

    Args:
        site: topics of other sites are faults.
        report: journals an event; returns once it is durable.
        unstored: shows an event that could not be stored, so that a guard sees it all the same.
        answer: sends feedback to a button; must not wait.
        supervision: is told of every sign of life.
        window_seconds: presses without id and counter within it are one press.
    """

    def __init__(
        self,
        *,
        site: str,
        report: Callable[[Event], Awaitable[object]],
        unstored: Callable[[Event], None],
        answer: Callable[[Feedback], None],
        supervision: SupervisionTimer,
        clock: Clock,
        window_seconds: float,
    ) -> None:
        self._site = site
        self._report = report
        self._unstored = unstored
        self._answer = answer
        self._supervision = supervision
        self._clock = clock
        self._presses = PressBook(site, window_seconds)
        self._devices: dict[str, DeviceSettings] = {}
        self.faults = FaultRecorder(site, report, clock)

    def add(self, device: DeviceSettings) -> None:
        """Take presses of a device; again replaces its settings."""
        self._devices[device.id] = device
        self._supervision.watch(device)

    def remove(self, device: str) -> None:
        """Take no presses of it any more; what it sends is a fault."""
        self._devices.pop(device, None)
        self._supervision.forget(device)

    @staticmethod
    def takes(topic: str) -> bool:
        """Whether a topic is one of the gateway's own profile."""
        return topic.startswith("campus/")

    @staticmethod
    def keeps_private(topic: str) -> bool:
        """Whether no other button may learn of a message: a press is nobody else's, and an answer is the gateway's."""
        return topic.startswith("campus/") and not topic.endswith(("/health", "/state"))

    async def handle(self, message: InboundMessage) -> None:
        """Take one message; returns once what it means is durable.

        Raises:
            GatewayError: it could not be stored; the sender must not be acknowledged.
        """
        parts = campus.parse_topic(message.topic)
        if parts is None or parts[0] != self._site or parts[2] == "feedback":
            await self._fault("wrong_topic", "no topic that a button of this site publishes on", message)
            return
        _site, identity, leaf = parts
        device = self._devices.get(identity)
        if device is None:
            severity = Severity.HIGH if leaf == _EVENT else Severity.MEDIUM
            await self._fault("unknown_device", f"no device {identity} is configured", message, severity=severity)
            return
        if message.retain and leaf == _EVENT:
            await self._fault("retained_press", "a retained press never alarms", message, device=identity)
            return
        try:
            said = campus.decode(leaf, message.payload)
        except PayloadError as error:
            await self._fault("bad_payload", str(error), message, device=identity, severity=_severity_of(leaf))
            return
        await self._take(device, said)

    async def _take(self, device: DeviceSettings, said: campus.Payload) -> None:
        if isinstance(said, EventPayload):
            event = self._presses.event_of(device, said, self._clock.now(), self._clock.monotonic())
            await self._store(event)
            await self._supervision.seen(device.id)
        elif isinstance(said, HealthPayload):
            await self._supervision.health(device.id, said)
        else:
            await self._supervision.state(device.id, online=said.online)

    async def _store(self, event: ButtonEvent) -> None:
        try:
            await self._report(event)
        except GatewayError:
            self._unstored(event)
            raise
        if not isinstance(event, ButtonPressed) or event.kind is PressKind.PRESS:
            self.answer(event.device, event.id, "received")

    def answer(self, device: str, event: str, state: str) -> None:
        """Tell a button what became of its press; never called for a silent or duress press."""
        body = {"event": event, "state": state, "at": self._clock.now().isoformat().replace("+00:00", "Z")}
        topic = campus.feedback_topic(self._site, device)
        self._answer(Feedback(topic=topic, payload=json.dumps(body).encode()))

    async def _fault(
        self,
        fault: str,
        detail: str,
        message: InboundMessage,
        *,
        device: str = "",
        severity: Severity = Severity.MEDIUM,
    ) -> None:
        await self.faults.record(
            fault, detail, topic=message.topic, device=device, payload=message.payload, severity=severity
        )


def _severity_of(leaf: str) -> Severity:
    return Severity.HIGH if leaf == _EVENT else Severity.MEDIUM
