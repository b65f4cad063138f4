"""Which buttons would not reach the office: every link of the way, alone and together."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.alarms import BrokerState, DeviceStatus
from gateway.api.reach import Reach, Ways, office_faults, reach_of
from gateway.forwarding import DestinationStatus
from gateway.settings import DestinationSettings, DeviceSettings

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WELL: dict[str, Any] = {"device": "a", "last_seen": NOW}
OPEN: dict[str, Any] = {"accepting": True, "stored": True, "embedded": True, "brokers": (), "office": ()}


def reach(status: dict[str, Any] | None = None, *, proved: bool = True, **ways: Any) -> Reach:
    statuses = {"a": DeviceStatus(**WELL | (status or {}))}
    return reach_of([DeviceSettings(id="a")], statuses, Ways(**OPEN | ways), proved=proved)[0]


def test_a_button_that_is_well_reaches() -> None:
    assert reach() == Reach(device="a", name="", place="", reaches=True, reasons=(), warnings=())


@pytest.mark.parametrize(
    ("status", "reason"),
    [({"lost": True}, "lost"), ({"last_seen": None}, "never_heard"), ({"flapping": True}, "flapping")],
)
def test_a_button_that_is_not_well_does_not(status: dict[str, Any], reason: str) -> None:
    found = reach(status)
    assert (found.reaches, found.reasons) == (False, (reason,))


@pytest.mark.parametrize(
    ("ways", "reason"),
    [
        ({"accepting": False}, "not_accepting"),
        ({"stored": False}, "storage_failed"),
        ({"office": ("no_destination",)}, "no_destination"),
        ({"office": ("destinations_failing",)}, "destinations_failing"),
    ],
)
def test_a_way_that_is_closed_closes_it_for_each(ways: dict[str, Any], reason: str) -> None:
    assert reach(**ways).reasons == (reason,)


def test_only_the_buttons_behind_a_broker_that_is_down_are_cut_off() -> None:
    brokers = (BrokerState("mqtt://one:1883", connected=False), BrokerState("mqtt://two:1883", connected=True))
    assert reach({"via": "mqtt://one:1883"}, brokers=brokers).reasons == ("broker_down",)
    assert reach({"via": "mqtt://two:1883"}, brokers=brokers).reaches
    assert reach({"via": "button-a"}, brokers=brokers).reaches, "it comes by the embedded endpoint"
    assert reach({"last_seen": None}, brokers=brokers[:1], embedded=False).reasons == ("never_heard", "broker_down")


def test_what_may_end_it_soon_is_a_warning() -> None:
    status = {"battery_low": True, "tampered": True, "test_due": True, "troubles": ("clock_wrong", "alert")}
    found = reach(status, proved=False)
    assert found.reaches
    assert found.warnings == ("battery_low", "tampered", "test_due", "clock_wrong", "alert", "destinations_unproved")


def test_those_that_do_not_reach_come_first() -> None:
    devices = [DeviceSettings(id=each) for each in "abc"]
    statuses = {each: DeviceStatus(device=each, last_seen=NOW, lost=each == "c") for each in "abc"}
    statuses["b"] = DeviceStatus(device="b", last_seen=NOW, battery_low=True)
    found = reach_of(devices, statuses, Ways(**OPEN), proved=True)
    assert [each.device for each in found] == ["c", "b", "a"]


def test_the_office_is_reached_if_one_destination_that_asks_for_presses_is_well() -> None:
    def entry(identity: str, *events: str) -> DestinationSettings:
        return DestinationSettings(id=identity, url="http://office/", events=events)

    def state(identity: str, state: str) -> DestinationStatus:
        return DestinationStatus(destination=identity, state=state, backlog=0)

    assert office_faults([], []) == ("no_destination",)
    assert office_faults([entry("x", "campus.face.")], [state("x", "ok")]) == ("no_destination",)
    assert office_faults([entry("x", "campus.button.")], [state("x", "failing")]) == ("destinations_failing",)
    assert office_faults([entry("x"), entry("y")], [state("x", "failing"), state("y", "ok")]) == ()
    assert office_faults([entry("x")], [state("x", "new")]) == ()
