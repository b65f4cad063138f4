"""Incidents after ``state.db`` was lost: made anew from the journal, without telling anybody once more."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.clock import SystemClock
from gateway.daemon.response import Response
from gateway.events import ButtonPressed, Event, IncidentAcknowledged, IncidentOpened, Severity
from gateway.settings import Settings
from gateway.storage import Incident, Stores, open_storage


def press(name: str, device: str) -> ButtonPressed:
    return ButtonPressed(
        id=name,
        source=f"/site/s/button/{device}",
        subject=device,
        time=datetime.now(UTC),
        device=device,
        severity=Severity.CRITICAL,
    )


def responding(stores: Stores, settings: Settings, told: list[Event]) -> Response:
    def tell(_incident: Incident, event: Event) -> None:
        told.append(event)

    return Response(
        settings, stores, SystemClock(), device=lambda _name: None, switch=lambda *_output: None, on_transition=tell
    )


async def test_what_was_told_before_the_loss_is_told_to_no_button_again(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"gateway": {"site": "s"}, "storage": {"directory": str(tmp_path / "state"), "reserve_megabytes": 1}}
    )
    told: list[Event] = []
    stores = await open_storage(settings.storage, SystemClock())
    response = responding(stores, settings, told)
    await response.load()
    await stores.journal.append(press("before", "b1"))
    await response.desk.catch_up()
    (incident,) = response.desk.unresolved()
    await response.desk.acknowledge(incident.id, actor="wang", command_id="c-1")
    await stores.close()
    assert [type(each) for each in told] == [IncidentOpened, IncidentAcknowledged]

    (tmp_path / "state" / "state.db").write_bytes(b"no database at all" * 1000)
    told.clear()
    stores = await open_storage(settings.storage, SystemClock())
    response = responding(stores, settings, told)
    await response.load()
    await response.desk.catch_up()
    assert told == []
    assert [(each.id, each.state) for each in response.desk.unresolved()] == [(incident.id, "acknowledged")]
    await stores.journal.append(press("after", "b2"))
    await response.desk.catch_up()
    assert [type(each) for each in told] == [IncidentOpened]
    await stores.close()
