"""The alarm path's part of the composition: endpoint, brokers, listener, supervision, and answers to buttons."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from gateway.alarms import (
    AlarmListener,
    BrokerState,
    Contact,
    EndpointStatistics,
    Feedback,
    MqttEndpoint,
    MqttSession,
    SessionStore,
    SiaReceiver,
    SiaStatistics,
    SupervisionTimer,
    Verify,
    dialects_with,
    output_command,
)
from gateway.clock import Clock
from gateway.errors import PermanentError
from gateway.events import ButtonPressed, Cause, Event, IncidentAcknowledged, IncidentResolved, Severity
from gateway.settings import BrokerSettings, DeviceSettings, MqttSettings, OutputSettings, Settings, SiaSettings
from gateway.storage import Incident
from gateway.wire import ContactSaid, ContactsHeard

_OF_THE_BROKER = ("password_file", "ca_file", "certificate_file", "key_file")
_ANSWERS: dict[type[Event], str] = {IncidentAcknowledged: "acknowledged", IncidentResolved: "resolved"}


class AlarmLine:
    """Everything between a button and the journal.

    Args:
        report: journals an event; returns it once it is durable, or the one before that has its id.
        unstored: shows an event that could not be stored.
        kept: where the endpoint keeps sessions.
        verify: checks a password against its hash.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        report: Callable[[Event], Awaitable[Event]],
        unstored: Callable[[Event], None],
        clock: Clock,
        kept: SessionStore,
        verify: Verify,
    ) -> None:
        self._site = site = settings.gateway.site
        self.supervision = SupervisionTimer(site, report, clock)
        self.listener = AlarmListener(
            site=site,
            report=report,
            unstored=unstored,
            answer=self._answer,
            supervision=self.supervision,
            clock=clock,
            window_seconds=settings.mqtt.duplicate_window_seconds,
            dialects=dialects_with(settings.dialects),
        )
        self.endpoint = self._endpoint(settings.mqtt, site, kept, verify) if settings.mqtt.mode == "embedded" else None
        brokers = _brokers(settings.mqtt)
        take, topics = self.listener.handle, self.listener.subscriptions
        self.sessions = [MqttSession(each, site=site, topics=topics, handler=take) for each in brokers]
        self.panels = self._receiver(settings.sia, clock) if settings.sia is not None else None
        self.accepting = False

    def _receiver(self, settings: SiaSettings, clock: Clock) -> SiaReceiver:
        return SiaReceiver(settings, handler=self.listener.handle_panel, on_fault=self._record_fault, clock=clock)

    def _endpoint(self, settings: MqttSettings, site: str, kept: SessionStore, verify: Verify) -> MqttEndpoint:
        return MqttEndpoint(
            settings,
            site=site,
            store=kept,
            verify=verify,
            takes=self.listener.takes,
            private=self.listener.keeps_private,
            handler=self.listener.handle,
            on_fault=self._record_fault,
        )

    async def _record_fault(self, cause: Cause, client: str) -> None:
        await self.listener.faults.record(cause.at(f" (client {client})", client=client), severity=Severity.MEDIUM)

    def _answer(self, feedback: Feedback) -> None:
        if self.endpoint is not None:
            self.endpoint.answer(feedback)
        for session in self.sessions:
            session.answer(feedback)

    def switch(self, output: OutputSettings, on: bool) -> None:  # the outputs' port
        """Tell a siren or lamp, at the endpoint and at every broker."""
        self._answer(output_command(output, self._site, on=on))

    def answer_transition(self, incident: Incident, event: Event) -> None:
        """Tell the button what became of its press; a silent or duress press is never answered."""
        state = _ANSWERS.get(type(event))
        if state is None or incident.kind != ButtonPressed.TYPE or incident.discreet:
            return
        device = incident.source.rsplit("/", 1)[-1]
        for trigger in incident.triggers:
            self.listener.answer(device, trigger.event, state)

    async def take_contact(self, said: ContactSaid) -> None:
        """A camera's dry contact, which may be a button; raises GatewayError if that could not be stored."""
        at = datetime.fromtimestamp(said.at, UTC)
        contact = Contact(camera=said.camera, input=said.input, active=said.active, initial=said.initial, at=at)
        await self.listener.handle_contact(contact)

    def is_quiet_contact(self, camera: str, contact: str) -> bool:
        """Whether nothing but silent alarm buttons is wired to a camera's contact."""
        return self.listener.is_quiet_contact(camera, contact)

    async def note_heard(self, said: ContactsHeard) -> None:
        """Whether a camera's contacts are heard: its buttons live, or are lost with it."""
        await self.listener.note_heard(said.camera, heard=said.heard)

    async def start(self) -> None:
        """Take presses from now on.

        Raises:
            PermanentError: the endpoint's address or TLS files cannot be used.
        """
        if self.endpoint is not None:
            await self.endpoint.start()
        if self.panels is not None:
            await self.panels.start()
        self.accepting = True

    async def stop(self) -> None:
        """Take no more presses; what is in flight is committed and acknowledged first."""
        self.accepting = False
        if self.panels is not None:
            await self.panels.stop()
        if self.endpoint is not None:
            await self.endpoint.stop()

    async def put_device(self, device: DeviceSettings) -> None:
        """Take presses of a device.

        Raises:
            PermanentError: there is no such dialect, or no receiver for it.
        """
        if device.account is not None and self.panels is None:
            raise PermanentError(
                "no section [sia] receives alarm panels", where="dialect", remedy="Add it.", code="no_panels"
            )
        self.listener.add(device)
        self._topics_changed()

    async def drop_device(self, device: str) -> None:
        """Take presses of it no more."""
        self.listener.remove(device)
        self._topics_changed()

    def _topics_changed(self) -> None:
        for session in self.sessions:
            session.resubscribe()

    def statistics(self) -> EndpointStatistics | None:
        """Figures of the embedded endpoint."""
        return self.endpoint.statistics if self.endpoint is not None else None

    def panel_statistics(self) -> SiaStatistics | None:
        """Figures of the receiver of alarm panels."""
        return self.panels.statistics if self.panels is not None else None

    def broker_states(self) -> tuple[BrokerState, ...]:
        """How the external brokers are."""
        return tuple(session.state for session in self.sessions)

    @property
    def address(self) -> str:
        """Where buttons connect, for the line that says ready."""
        if self.endpoint is not None:
            return f"mqtt://{self.endpoint.settings.host}:{self.endpoint.port}"
        return self.sessions[0].address


def _brokers(settings: MqttSettings) -> list[BrokerSettings]:
    brokers = list(settings.brokers)
    if settings.mode == "external" and settings.url is not None:
        given = {name: getattr(settings, name) for name in _OF_THE_BROKER}
        brokers.insert(0, BrokerSettings(url=settings.url, **given))
    return brokers
