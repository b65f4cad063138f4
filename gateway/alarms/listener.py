"""From a device's message to a durable event and an answer; the sender is acknowledged only after `handle` returned."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic_core import to_json

from gateway.alarms import complaints
from gateway.alarms.conditions import ConditionBook
from gateway.alarms.contacts import condition_of, message_of
from gateway.alarms.device_status import DeviceMemory
from gateway.alarms.device_topics import TopicTree
from gateway.alarms.dialects import DIALECTS
from gateway.alarms.dialects.campus import feedback_topic, parse_topic
from gateway.alarms.dialects.onvif import CONTACT
from gateway.alarms.dialects.said import (
    DISCREET,
    Action,
    Condition,
    Dialect,
    Health,
    PayloadError,
    Presence,
    Said,
    Trouble,
)
from gateway.alarms.faults import FaultRecorder
from gateway.alarms.messages import Contact, Feedback, InboundMessage
from gateway.alarms.press_store import PressStore
from gateway.alarms.presses import Arrival, PressBook
from gateway.alarms.supervision import SupervisionTimer
from gateway.alarms.trials import Trials
from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import ButtonCleared, ButtonEvent, ButtonPressed, Cause, Event, Severity, of_error
from gateway.settings import DeviceSettings, Meaning

_EVENT = "event"
_OWN = "campus"
_MISSING = "/missing"


@dataclass(frozen=True, slots=True)
class _Told:
    """A message with the device that it is of."""

    device: DeviceSettings
    dialect: Dialect
    message: InboundMessage


class AlarmListener:
    """Takes what buttons say.

    Args:
        site: what speaks for another one is a fault.
        report: journals an event; returns it once it is durable, or the one before that has its id.
        unstored: shows an event that could not be stored, so that a guard sees it all the same.
        answer: sends feedback to a button; must not wait.
        supervision: is told of every sign of life.
        window_seconds: presses without id and counter within it are one press.
        dialects: what devices may speak, by name.
    """

    def __init__(
        self,
        *,
        site: str,
        report: Callable[[Event], Awaitable[Event]],
        unstored: Callable[[Event], None],
        answer: Callable[[Feedback], None],
        supervision: SupervisionTimer,
        clock: Clock,
        window_seconds: float,
        dialects: Mapping[str, Dialect] = DIALECTS,
    ) -> None:
        self._site = site
        self._answer = answer
        self._supervision = supervision
        self._clock = clock
        self._dialects = dialects
        self._presses = PressBook(site, window_seconds)
        self._store = PressStore(self._presses, report=report, unstored=unstored, clock=clock)
        self._conditions = ConditionBook()
        self._devices: dict[str, DeviceSettings] = {}
        self._topics = TopicTree()
        self.trials = Trials(clock)
        self.faults = FaultRecorder(site, report, clock)
        self.conditions_changed = asyncio.Event()

    def add(self, device: DeviceSettings) -> None:
        """Take presses of a device; again replaces its settings.

        Raises:
            PermanentError: there is no such dialect.
        """
        dialect = self._dialects.get(device.dialect)
        if dialect is None:
            remedy = f"Choose one of {', '.join(self._dialects)}, or describe it under [[dialects]]."
            what, name = f"the dialect {device.dialect} is unknown", device.dialect
            raise PermanentError(what, where="dialect", remedy=remedy, code="unknown_dialect", dialect=name)
        self._devices[device.id] = device
        if device.dialect != _OWN:
            self._topics.put(device.id, self.topics_of(device))
        self._supervision.watch(device)

    def remove(self, device: str) -> None:
        """Take no presses of it any more; what it sends is a fault."""
        self._devices.pop(device, None)
        self._topics.drop(device)
        self._conditions.forget(device)
        self._supervision.forget(device)

    def topics_of(self, device: DeviceSettings) -> tuple[str, ...]:
        """The filters (MQTT 5.0 §4.7) that a device publishes on, for access lists and subscriptions."""
        dialect = self._dialects[device.dialect]
        default = dialect.address.replace("{site}", self._site).replace("{device}", device.id)
        return dialect.topics(device.topic or default)

    def subscriptions(self) -> tuple[str, ...]:
        """The filters that an external broker is asked for: all of the own profile, and those of other devices."""
        own = tuple(f"campus/{self._site}/button/+/{leaf}" for leaf in ("event", "health", "state"))
        return (*own, *self._topics.filters())

    def takes(self, topic: str) -> bool:
        """Whether a topic is one of the gateway's own profile, or of a configured device."""
        return topic.startswith("campus/") or bool(self._topics.devices_of(topic))

    def keeps_private(self, topic: str) -> bool:
        """Whether no other button may learn of a message: a press is nobody else's, and an answer is the gateway's."""
        if topic.startswith("campus/"):
            return not topic.endswith(("/health", "/state"))
        return bool(self._topics.devices_of(topic))

    def restore(self, memories: Iterable[DeviceMemory], said: Sequence[Event], pressed: Sequence[Event]) -> None:
        """Take up what a former run knew of devices.

        Args:
            memories: what it wrote down.
            said: the events that it stored after that, from old to new.
            pressed: its latest presses and tests, from old to new.
        """
        known = list(memories)
        for memory in known:
            self._conditions.remember(memory.status.device, memory.conditions)
        self._presses.remember(pressed, self._clock.monotonic())
        self.trials.restore(pressed)
        self._supervision.restore(known, said)

    def memories(self) -> dict[str, DeviceMemory]:
        """What should outlive the process, by device."""
        found = self._supervision.memories()
        return {name: replace(each, conditions=self._conditions.known(name)) for name, each in found.items()}

    def handle(self, message: InboundMessage) -> Awaitable[None]:
        """Take one message; done once what it means is durable.

        Raises:
            GatewayError: it could not be stored; the sender must not be acknowledged.
        """
        return self._handle_own(message) if message.topic.startswith("campus/") else self._handle_foreign(message)

    async def _handle_foreign(self, message: InboundMessage) -> None:
        devices = sorted(self._topics.devices_of(message.topic))
        if not devices:
            await self._fault(complaints.WRONG_TOPIC, message)
        for identity in devices:
            device = self._devices.get(identity)
            if device is not None:  # it may be removed while the message is stored for another
                await self._decode(_Told(device, self._dialects[device.dialect], message), _EVENT)

    def _handle_own(self, message: InboundMessage) -> Awaitable[None]:
        parts = parse_topic(message.topic)
        if parts is None or parts[2] == "feedback":
            return self._fault(complaints.WRONG_TOPIC, message)
        site, identity, leaf = parts
        device = self._devices.get(identity)
        if site != self._site:
            known = identity if device is not None else ""
            return self._stranger(complaints.other_site(site, identity, self._site), message, device=known)
        if device is None or device.dialect != _OWN:
            return self._stranger(complaints.unknown_device(identity), message)
        if message.retain and leaf == _EVENT:
            return self._kept_press(message, identity)
        return self._decode(_Told(device, self._dialects[_OWN], message), leaf)

    def _stranger(self, cause: Cause, message: InboundMessage, *, device: str = "") -> Awaitable[None]:
        severity = complaints.weight_of_a_stranger(message)
        return self._fault(cause, message, device=device, severity=severity)

    def _kept_press(self, message: InboundMessage, device: str) -> Awaitable[None]:
        """One that a broker kept is of no present interest; one that a device wants kept is its wrong setting."""
        severity = Severity.MEDIUM if message.replayed else Severity.HIGH
        return self._fault(complaints.RETAINED_PRESS, message, device=device, severity=severity)

    def _decode(self, told: _Told, leaf: str) -> Awaitable[None]:
        try:
            said = told.dialect.decode(told.message.topic, told.message.payload)
        except PayloadError as error:
            cause = of_error("bad_payload", error)
            return self._fault(cause, told.message, device=told.device.id, severity=_weight(told, leaf))
        return self._take(told, said)

    async def handle_panel(self, account: str, message: InboundMessage) -> bool:
        """Take a message of an alarm panel: its topic is ``<id token>/<sequence>``; False if no device has the account.

        Raises:
            PayloadError: it has not the form of its token.
            GatewayError: it could not be stored; the panel must not be acknowledged.
        """
        devices = {(each.zone or "").lstrip("0"): each for each in self._devices.values() if each.account == account}
        if not devices:
            await self._fault(complaints.unknown_account(account), message, severity=Severity.HIGH)
            return False
        for said in self._dialects["sia"].decode(message.topic, message.payload):
            of_zone = devices.get(said.part) or devices.get("")
            whole = not said.part and not isinstance(said, Action)
            meant = [of_zone] if of_zone is not None else list(devices.values()) if whole else []
            for device in meant:
                await self._take(_Told(device, self._dialects["sia"], message), (said,), lives=False)
            if not meant:
                cause = complaints.unknown_zone(account, said.part or "-")
                await self._fault(cause, message, severity=Severity.HIGH)
        for device in devices.values():  # the panel speaks for each zone that it does not miss
            if not self._conditions.known(device.id).get(_MISSING):
                await self._supervision.seen(device.id, message.origin)
        return True

    async def handle_contact(self, contact: Contact) -> None:
        """Take how a camera's contact is: each device that is wired to it.

        What changed while the camera was not heard is a press; how a contact is that was never heard before is none.

        Raises:
            GatewayError: it could not be stored; it must be handed over again.
        """
        wired = self._wired_to(contact.camera)
        if not contact.input and len(wired) == 1:  # some cameras with one input do not name it
            contact = replace(contact, input=wired[0].input)
        meant = [device for device in wired if device.input in ("", contact.input)]
        for device in meant:
            await self._take_contact(_Told(device, self._dialects[device.dialect], message_of(contact)), contact)
        if wired and not meant and contact.active and not contact.initial:
            cause = complaints.unknown_contact(contact.camera, contact.input)
            await self._fault(cause, message_of(contact), severity=Severity.HIGH)

    def is_quiet_contact(self, camera: str, contact: str) -> bool:
        """Whether nothing but silent alarm buttons is wired to a camera's contact: the place is not told of it."""
        wired = [each for each in self._wired_to(camera) if not contact or each.input in ("", contact)]
        return bool(wired) and all(each.actions.get(CONTACT) in DISCREET for each in wired)

    async def _take_contact(self, told: _Told, contact: Contact) -> None:
        said = condition_of(contact, told.device)
        if contact.initial and said.active and not self._conditions.knows(told.device.id, said):
            self._conditions.note(told.device.id, said)
            cause = complaints.CONTACT_AT_START
            await self._fault(cause, told.message, device=told.device.id, severity=Severity.HIGH)
            return
        await self._take(told, (said,))

    async def note_heard(self, camera: str, *, heard: bool) -> None:
        """A camera's contacts are heard, or are not: who is wired to it lives, or is lost with it."""
        for device in self._wired_to(camera):
            if heard:
                await self._supervision.seen(device.id, f"camera {camera}")
            else:
                await self._supervision.state(device.id, online=False, bridge=True)

    def _wired_to(self, camera: str) -> list[DeviceSettings]:
        return [device for device in self._devices.values() if device.camera == camera]

    async def _take(self, told: _Told, said: Sequence[Said], *, lives: bool = True) -> None:
        """Presses first, because nothing may stand before them; `lives`: the message is a sign of life."""
        for each in said:
            if isinstance(each, Action):
                await self._act(told, each)
            elif isinstance(each, Condition):
                await self._change(told, each)
        device, message = told.device.id, told.message
        offline = any(isinstance(each, Presence) and (each.bridge or not each.online) for each in said)
        if lives and not message.replayed and not offline:
            await self._supervision.seen(device, message.origin)
        for each in said:
            if isinstance(each, Health):
                await self._supervision.health(device, each)
            elif isinstance(each, Presence):
                self._note_missing(told, each)
                await self._supervision.state(device, online=each.online, bridge=each.bridge)
            elif isinstance(each, Trouble):
                cause = Cause(each.name, each.detail, each.reason)
                await self._supervision.trouble(device, cause, active=each.active)

    def _note_missing(self, told: _Told, said: Presence) -> None:
        """A zone that its panel misses is missing until the panel finds it, whatever else the panel says."""
        if told.device.account is not None:
            self._conditions.note(told.device.id, Condition(name="missing", active=not said.online))

    def _meaning_of(self, told: _Told, said: Action | Condition) -> Meaning | None:
        if told.device.input and said.part != told.device.input:
            return "ignore"
        chosen = told.device.actions
        found = chosen.get(f"{said.part}/{said.name}") or chosen.get(said.name)
        return found or told.dialect.meanings.get(said.name)

    async def _act(self, told: _Told, action: Action) -> None:
        meaning = self._meaning_of(told, action)
        if meaning is None:
            cause = complaints.unknown_action(action.name)
            await self._fault(cause, told.message, device=told.device.id, severity=Severity.HIGH)
        elif meaning != "ignore":
            if told.message.retain:
                await self._kept_press(told.message, told.device.id)
            else:
                await self._press(told, action, meaning)

    async def _change(self, told: _Told, condition: Condition) -> None:
        """A condition that changed is a press, or the end of one; a kept one that nobody knew of is a fault."""
        meaning = self._meaning_of(told, condition)
        if meaning is None or meaning == "ignore":
            return
        action = self._conditions.change_of(told.device.id, condition)
        if action is not None and told.message.replayed and condition.active:
            cause = complaints.RETAINED_CONDITION
            await self._fault(cause, told.message, device=told.device.id, severity=Severity.HIGH)
        elif action is not None and (condition.active or meaning not in ("test", "clear")):
            await self._press(told, action, meaning if condition.active else "clear")
        self._conditions.note(told.device.id, condition)
        if action is not None:
            self.conditions_changed.set()

    async def _press(self, told: _Told, action: Action, meaning: Meaning) -> None:
        device = told.device
        heard = self._supervision.heard_for(device.id)
        arrival = Arrival(self._clock.now(), self._clock.monotonic(), heard)
        certain = action.certain or (action.id is None and action.seq is None)
        claim = self.trials.claim(self._presses.event_of(device, action, meaning, arrival), certain=certain)
        if await self._supervision.hushes(claim.event):
            return
        quiet = meaning in DISCREET or (isinstance(claim.event, ButtonCleared) and claim.event.discreet)
        event, complaint = await self._store.store(claim, lambda stored: self._confirm(stored, quiet=quiet))
        if complaint is not None:
            await self._fault(complaint.cause, told.message, device=device.id, severity=complaint.severity)
        self.trials.done(event)
        self._supervision.told(event)
        if action.flaws:
            await self._fault(complaints.bad_field(action.flaws), told.message, device=device.id)
        if isinstance(event, ButtonPressed) and event.device_time is not None:
            cause = complaints.clock_wrong(event.device_time.isoformat(), wrong=event.clock_wrong)
            await self._supervision.trouble(device.id, cause, active=event.clock_wrong)

    def _confirm(self, event: ButtonEvent, *, quiet: bool) -> None:
        if not quiet:
            self.answer(event.device, event.id, "received")

    def answer(self, device: str, event: str, state: str) -> None:
        """Tell a button what became of its press; never called for a silent or duress press."""
        known = self._devices.get(device)
        if known is None or known.dialect != _OWN:
            return
        body = {"event": event, "state": state, "at": self._clock.now()}
        topic = feedback_topic(self._site, device)
        self._answer(Feedback(topic=topic, payload=to_json(body)))

    async def _fault(
        self,
        cause: Cause,
        message: InboundMessage,
        *,
        device: str = "",
        severity: Severity = Severity.MEDIUM,
    ) -> None:
        known = self._devices.get(device)
        name, place = (known.name, known.place) if known is not None else ("", "")
        await self.faults.record(
            cause,
            topic=message.topic,
            device=device,
            name=name,
            place=place,
            payload=message.payload,
            severity=severity,
        )


def _weight(told: _Told, leaf: str) -> Severity:
    """How grave it is that a message was not understood; on the topic of presses alone it may be a call for help."""
    if leaf != _EVENT:
        return Severity.MEDIUM
    return Severity.CRITICAL if told.dialect.name == _OWN and not told.message.retain else Severity.HIGH
