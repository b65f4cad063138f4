"""Hears one ONVIF camera's events and passes on what they mean: contacts first, then events for the journal."""

from dataclasses import dataclass
from typing import Any, Protocol

from gateway.cameras import CameraEvents, EventFeed, FeedEnds, Finding, FindingBook, Kind, Notice, PushReceiver
from gateway.clock import Clock
from gateway.events import (
    CameraEvent,
    CameraFault,
    CameraInputTriggered,
    CameraMotion,
    CameraTampered,
    Severity,
    camera_source,
    encode,
    new_id,
)
from gateway.wire import CameraAssigned, ContactSaid, ContactsHeard, Message, Report

_SIGN_OF_LIFE_SECONDS = 15.0
_STORAGE_FAULT, _STORAGE_GOOD = "storage_failure", "storage_ok"
_STORAGE_REMEDY = "The camera says that its memory card failed: replace the card."


class Sender(Protocol):
    """The way to the parent."""

    async def send(self, message: Message) -> None:
        """Send one message."""
        ...


@dataclass(frozen=True, slots=True)
class Ear:
    """One camera to be heard: its subscriptions, and where it can send if it only pushes."""

    events: CameraEvents
    host: str
    push: PushReceiver


class EventListening:
    """One camera.

    Args:
        assigned: the camera as the parent gave it.
        ear: how it is heard.
        site: for the source of events.
        sender: the way to the parent.
        clock: for time stamps and waits.
    """

    def __init__(self, assigned: CameraAssigned, ear: Ear, site: str, sender: Sender, clock: Clock) -> None:
        self._assigned = assigned
        self._ear = ear
        self._site = site
        self._sender = sender
        self._clock = clock
        self._book = FindingBook()
        self._heard: bool | None = None
        self._heard_by = ""
        self._heard_at = float("-inf")
        self._consumer: str | None = None
        ends = FeedEnds(take=self._take, lost=self._lost, consumer=self._consumer_address)
        self._feed = EventFeed(ear.events, ends, clock, f"camera {assigned.camera}")

    async def run(self) -> None:
        """Hear for ever; when it is cancelled the camera is told."""
        try:
            await self._feed.run()
        finally:
            if self._consumer is not None:
                self._ear.push.remove(self._consumer)
                self._consumer = None

    def figures(self) -> dict[str, object]:
        """Whether it is heard and by what way, and the topics that nobody knows, with how often each came."""
        heard = {"events_heard": bool(self._heard), "events_by": self._feed.way}
        return heard | {"unknown_topics": dict(self._book.unknown_topics)}

    async def _consumer_address(self) -> str | None:
        if self._consumer is None:
            self._consumer = await self._ear.push.add(self._ear.host, self._take)
        return self._consumer

    async def _lost(self, reason: str) -> None:
        self._book.lost()
        if self._heard is not False:
            self._heard, self._heard_by = False, ""
            await self._sender.send(ContactsHeard(camera=self._assigned.camera, heard=False, reason=reason))

    async def _take(self, notices: tuple[Notice, ...]) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for found in self._book.take(notices, self._ear.events.clock_offset, now, monotonic):
            await self._pass_on(found)
        way = self._feed.way
        if not self._heard or way != self._heard_by or monotonic - self._heard_at >= _SIGN_OF_LIFE_SECONDS:
            self._heard, self._heard_by, self._heard_at = True, way, monotonic
            await self._sender.send(ContactsHeard(camera=self._assigned.camera, heard=True, by=way))

    async def _pass_on(self, found: Finding) -> None:
        if found.kind is Kind.INPUT:
            said = ContactSaid(
                camera=self._assigned.camera,
                input=found.token,
                active=found.active,
                initial=found.initial,
                at=found.at.timestamp(),
            )
            await self._sender.send(said)
            if found.initial and not found.changed:
                return  # how it is when it is heard for the first time is no event
        await self._sender.send(Report(event=encode(self._event_of(found))))

    def _event_of(self, found: Finding) -> CameraEvent:
        begins = Severity.HIGH if found.active else Severity.INFO
        match found.kind:
            case Kind.INPUT:
                more: dict[str, Any] = {"input": found.token, "active": found.active, "initial": found.initial}
                return CameraInputTriggered(**self._common(found, Severity.INFO), **more, withheld=found.withheld)
            case Kind.TAMPER:
                return CameraTampered(**self._common(found, begins), active=found.active, detector=found.token)
            case Kind.MOTION:
                return CameraMotion(**self._common(found, Severity.INFO), detector=found.token, withheld=found.withheld)
            case _:
                severity = Severity.MEDIUM if found.active else Severity.INFO
                state, remedy = (_STORAGE_FAULT, _STORAGE_REMEDY) if found.active else (_STORAGE_GOOD, "")
                return CameraFault(**self._common(found, severity), state=state, remedy=remedy)

    def _common(self, found: Finding, severity: Severity) -> dict[str, Any]:
        assigned = self._assigned
        return {
            "id": new_id(),
            "source": camera_source(self._site, assigned.camera),
            "subject": assigned.camera,
            "time": found.at,
            "severity": severity,
            "camera": assigned.camera,
            "name": assigned.name,
            "place": assigned.place,
        }
