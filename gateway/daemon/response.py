"""The response's part of the composition: incidents, their clock, drills, posts, and outputs at the place."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from gateway.clock import Clock, boot_id
from gateway.events import Event, gateway_source
from gateway.incidents import (
    DrillDesk,
    EscalationClock,
    IncidentDesk,
    OutputDriver,
    Patience,
    Policy,
    PostBook,
    ServiceDesk,
    Switch,
    Transition,
)
from gateway.settings import DeviceSettings, IncidentSettings, Settings
from gateway.storage import Incident, Stored, Stores


class Response:
    """Everything between the journal and the people who act.

    Args:
        device: the settings of an alarm device, if there is one.
        switch: tells an output.
        on_transition: told of each incident event behind its commit, besides the outputs.
        returned: told of a device that is in service again.
    """

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        clock: Clock,
        *,
        device: Callable[[str], DeviceSettings | None],
        switch: Switch,
        on_transition: Transition,
        returned: Callable[[str], None] = lambda _device: None,
    ) -> None:
        source = gateway_source(settings.gateway.site)
        rules = settings.incidents
        self.posts = PostBook(stores.posts, clock)
        self.outputs = OutputDriver(settings.outputs, self._unresolved, switch, clock)
        self.drills = DrillDesk(
            stores.journal, clock, site=settings.gateway.site, source=source, device=_names_of(device)
        )
        self.service = ServiceDesk(
            stores.journal, clock, site=settings.gateway.site, device=_names_of(device), returned=returned
        )

        def tell(incident: Incident, event: Event) -> None:
            self.outputs.note_transition(incident, event)
            if stores.retold_before is None or event.time >= stores.retold_before:
                on_transition(incident, event)

        policy = _policy(rules, source, lambda name: (found := device(name)) is not None and found.reports_clear)
        self.desk = IncidentDesk(
            stores.journal, stores.incidents, clock, tell, policy, timedelta(hours=rules.longest_shelf_hours)
        )
        self._escalation = EscalationClock(
            self.desk, stores.incidents, clock, _patience(rules), boot=boot_id(), attended=self.posts.attends
        )

    def _unresolved(self) -> tuple[Incident, ...]:
        return self.desk.unresolved()

    async def load(self) -> None:
        """Take up where the last run ended."""
        await self.desk.load()
        await self.posts.load()
        await self.drills.load()
        await self.service.load()

    def report(self, event: Event, store: Callable[[Event], Awaitable[Stored]]) -> Awaitable[Stored]:
        """Store what a device says, marked if a drill waits for it or its button is out of service."""
        return self.drills.report(event, lambda marked: self.service.report(marked, store))

    def work(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """The endless tasks by name."""
        return {
            "incident desk": self.desk.run,
            "escalation": self._escalation.run,
            "drills": self.drills.run,
            "out of service": self.service.run,
            "outputs": self.outputs.run,
        }


def _names_of(device: Callable[[str], DeviceSettings | None]) -> Callable[[str], tuple[str, str] | None]:
    def names(identity: str) -> tuple[str, str] | None:
        found = device(identity)
        return (found.name, found.place) if found is not None else None

    return names


def _policy(rules: IncidentSettings, source: str, reports_clear: Callable[[str], bool]) -> Policy:
    inhibitions: dict[str, frozenset[str]] = {}
    for each in rules.inhibitions:
        inhibitions[each.cause] = inhibitions.get(each.cause, frozenset()) | frozenset(each.covers)
    return Policy(
        join_window_seconds=rules.join_window_seconds,
        join_cap_seconds=rules.join_cap_seconds,
        flood_incidents=rules.flood_incidents,
        flood_window_seconds=rules.flood_window_seconds,
        flood_calm=rules.flood_calm_incidents,
        inhibitions=inhibitions,
        reports_clear=reports_clear,
        source=source,
    )


def _patience(rules: IncidentSettings) -> Patience:
    return Patience(
        emergency=rules.escalate_after_seconds,
        warning=rules.escalate_warnings_after_seconds,
        acknowledged=rules.acknowledgement_timeout_seconds,
        unattended_level=rules.unattended_level,
    )
