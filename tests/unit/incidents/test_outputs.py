"""Sirens and lamps follow the incidents, and a silent or duress press moves none of them."""

from typing import Any

import pytest
from unit.incidents.memory import START, incident

from gateway.clock import ManualClock
from gateway.events import PressKind, Severity
from gateway.incidents import OutputDriver, procedure_for, wanted
from gateway.settings import OutputSettings, ProcedureSettings
from gateway.storage import Incident, Shelf

KINDS: list[dict[str, Any]] = [
    {"kind": "campus"},
    {"kind": "shelly", "topic": "shelly-1"},
    {"kind": "shelly_gen1", "topic": "shellies/one"},
    {"kind": "tasmota", "topic": "lamp"},
    {"kind": "zigbee2mqtt", "topic": "zigbee2mqtt/siren"},
]
EVERYTHING: dict[str, Any] = {
    "states": ("raised", "acknowledged", "dispatched"),
    "minimum_severity": "high",
    "drills": True,
}


def output(**more: Any) -> OutputSettings:
    return OutputSettings(id="siren", **more)


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each["kind"])
@pytest.mark.parametrize("press", [PressKind.SILENT, PressKind.DURESS])
@pytest.mark.parametrize("state", ["raised", "acknowledged", "dispatched"])
@pytest.mark.parametrize("level", [0, 3])
def test_no_output_moves_for_a_discreet_press(kind: dict[str, Any], press: PressKind, state: str, level: int) -> None:
    """Whatever the output is set to, in each state and at each level; a loud one in its place would drive it."""
    assert press is not PressKind.PRESS
    eager = output(**kind, **EVERYTHING)
    assert wanted(eager, [incident(discreet=True, state=state, level=level)]) is None
    assert wanted(eager, [incident(discreet=False, state=state, level=level)]) is not None


@pytest.mark.parametrize(
    ("settings", "changes", "on"),
    [
        ({}, {}, True),
        ({}, {"state": "acknowledged"}, False),
        ({"states": ("acknowledged",)}, {"state": "acknowledged"}, True),
        ({"from_level": 1}, {}, False),
        ({"from_level": 1}, {"level": 1}, True),
        ({}, {"severity": Severity.HIGH}, False),
        ({"minimum_severity": "high"}, {"severity": Severity.HIGH}, True),
        ({}, {"drill": True}, False),
        ({"drills": True}, {"drill": True}, True),
        ({"places": ("Library",)}, {}, False),
        ({"places": ("East gate",)}, {}, True),
        ({"devices": ("btn-02",)}, {}, False),
        ({"devices": ("btn-01",), "places": ("Library",)}, {}, True),
        ({"minimum_severity": "high"}, {"shelf": Shelf(START, START, "w", "r"), "severity": Severity.HIGH}, False),
    ],
)
def test_what_drives_an_output(settings: dict[str, Any], changes: dict[str, Any], on: bool) -> None:
    assert (wanted(output(**settings), [incident(**changes)]) is not None) is on


class Bench:
    """A driver whose commands are noted."""

    def __init__(self, *outputs: OutputSettings) -> None:
        self.clock = ManualClock()
        self.incidents: list[Incident] = []
        self.sent: list[tuple[str, bool]] = []
        self.driver = OutputDriver(outputs, lambda: self.incidents, self._send, self.clock)

    def _send(self, output: OutputSettings, on: bool) -> None:
        self.sent.append((output.id, on))


def test_the_first_look_says_off_to_what_a_former_run_left_on() -> None:
    bench = Bench(output())
    bench.driver.look()
    bench.driver.look()
    assert bench.sent == [("siren", False)]


def test_off_is_said_a_few_times_for_those_who_were_not_there() -> None:
    bench = Bench(output())
    for _ in range(10):
        bench.driver.look()
        bench.clock.advance(20)
    assert bench.sent == [("siren", False)] * 3


def test_it_is_on_as_long_as_one_wants_it_and_is_told_again_in_time() -> None:
    bench = Bench(output(seconds=60))
    bench.incidents = [incident(), incident(id="i2")]
    assert bench.driver.look() == 30
    bench.incidents.pop()
    bench.driver.look()
    assert bench.sent == [("siren", True)]
    bench.clock.advance(30)
    bench.driver.look()
    assert bench.sent == [("siren", True)] * 2
    assert bench.driver.statuses()[0].incident == "i1"
    bench.incidents.clear()
    bench.driver.look()
    assert bench.sent[-1] == ("siren", False)


def test_a_discreet_incident_beside_a_loud_one_changes_nothing() -> None:
    bench = Bench(output(**EVERYTHING))
    bench.incidents = [incident()]
    bench.driver.look()
    bench.incidents.append(incident(id="silent", discreet=True))
    bench.driver.look()
    bench.incidents.pop(0)
    bench.driver.look()
    assert bench.sent == [("siren", True), ("siren", False)]


def test_a_test_runs_for_its_time_only() -> None:
    bench = Bench(output())
    bench.driver.look()
    bench.driver.test("siren")
    assert bench.driver.look() == 12
    bench.clock.advance(12)
    bench.driver.look()
    assert bench.sent == [("siren", False), ("siren", True), ("siren", False)]


# --- procedures


def procedure(identity: str, **more: Any) -> ProcedureSettings:
    return ProcedureSettings(id=identity, title="t", steps=("one",), **more)


def test_the_procedure_that_fits_most_closely_is_taken() -> None:
    general = procedure("general")
    kind = procedure("kind", kinds=("campus.button.",))
    silent = procedure("silent", discreet=True)
    place = procedure("place", places=("East gate",))
    known = [general, kind, silent, place]
    assert procedure_for(incident(), known) is place
    assert procedure_for(incident(place="Library"), known) is kind
    assert procedure_for(incident(place="Library", discreet=True), known) is silent
    assert procedure_for(incident(place="Library", kind="campus.face.matched"), known) is general
    assert procedure_for(incident(place="Library", kind="campus.face.matched"), known[1:]) is None
