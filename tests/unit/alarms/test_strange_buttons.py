"""A button of another site's name, or that nobody entered: its press is nobody's, so a guard of this site is called."""

from datetime import datetime

import pytest
from harness.dialects import Bench

from gateway.alarms.dialects.said import Action
from gateway.alarms.presses import Arrival, PressBook
from gateway.events import ButtonCleared, ButtonPressed, GatewayFault, Severity
from gateway.incidents.keys import key_of
from gateway.settings import DeviceSettings

PRESS = '{"id": "1", "type": "press"}'
KEPT = {"retain": True}
REPLAYED = KEPT | {"replayed": True}


async def fault_of(
    payload: str, *, flags: dict[str, bool] | None = None, leaf: str = "event", device: str = "btn-01"
) -> GatewayFault:
    bench = Bench({"entry": {"dialect": "campus", "name": "东门岗亭"}})
    await bench.play({"topic": f"campus/west/button/{device}/{leaf}", "payload": payload} | (flags or {}))
    (event,) = bench.events
    assert isinstance(event, GatewayFault)
    assert (event.fault, event.reason) == ("other_site", "other_site")
    return event


@pytest.mark.parametrize("payload", [PRESS, '{"type": "silent"}', '{"type": "duress"}', "[", '{"type": "help"}'])
async def test_a_press_or_what_may_be_one_is_critical_and_opens_an_incident(payload: str) -> None:
    fault = await fault_of(payload)
    assert fault.severity is Severity.CRITICAL
    assert key_of(fault) is not None


async def test_it_names_both_sites_and_the_button_that_is_known_by_its_id() -> None:
    fault = await fault_of(PRESS)
    assert fault.figures == {"identity": "btn-01", "other": "west", "site": "east"}
    assert (fault.device, fault.name) == ("btn-01", "东门岗亭")


async def test_buttons_that_nobody_entered_share_one_incident_however_many_ids_are_made_up() -> None:
    one, other = await fault_of(PRESS, device="made-up-1"), await fault_of(PRESS, device="made-up-2")
    assert (one.device, key_of(one)) == ("", key_of(other))


@pytest.mark.parametrize(
    ("payload", "leaf", "flags", "severity"),
    [
        ('{"type": "test"}', "event", {}, Severity.HIGH),
        ('{"type": "clear"}', "event", {}, Severity.HIGH),
        (PRESS, "event", KEPT, Severity.HIGH),
        (PRESS, "event", REPLAYED, Severity.MEDIUM),
        ('{"battery": 80}', "health", {}, Severity.MEDIUM),
        ('{"online": true}', "state", {}, Severity.MEDIUM),
    ],
)
async def test_what_is_no_press_calls_nobody(
    payload: str, leaf: str, flags: dict[str, bool], severity: Severity
) -> None:
    fault = await fault_of(payload, leaf=leaf, flags=flags)
    assert fault.severity is severity
    assert key_of(fault) is None


async def test_a_storm_of_them_is_held_back() -> None:
    bench = Bench({"entry": {"dialect": "campus"}})
    for number in range(500):
        topic = f"campus/west/button/made-up-{number % 3}/event"
        await bench.play({"topic": topic, "payload": PRESS})
    assert len(bench.events) == 60
    bench.clock.advance(11)
    await bench.play({"topic": "campus/west/button/made-up-0/event", "payload": PRESS})
    last = bench.events[-1]
    assert isinstance(last, GatewayFault)
    assert last.figures is not None
    assert last.figures["more"] == 147


async def test_the_press_of_a_button_that_nobody_entered_is_critical_too() -> None:
    bench = Bench({"entry": {"dialect": "campus", "name": "东门岗亭"}})
    for number, payload in enumerate([PRESS, '{"type": "test"}']):
        await bench.play({"topic": f"campus/east/button/new-{number}/event", "payload": payload})
    pressed, tested = bench.events
    assert isinstance(pressed, GatewayFault)
    assert (pressed.fault, pressed.severity, tested.severity) == ("unknown_device", Severity.CRITICAL, Severity.HIGH)
    assert key_of(pressed) is not None


async def test_a_press_behind_the_end_of_one_is_another_however_soon() -> None:
    bench = Bench({"entry": {"dialect": "campus", "name": "东门岗亭"}})
    for kind in ("press", "press", "clear", "press"):
        await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": "{kind}"}}'})
    ids = [each.id for each in bench.events if isinstance(each, ButtonPressed)]
    assert len(set(ids)) == 2


async def test_the_end_of_a_press_behind_an_end_is_another_however_soon() -> None:
    """A contact that closes and opens twice within the window has been open since the second time."""
    bench = Bench({"entry": {"dialect": "campus", "name": "东门岗亭"}})
    for kind in ("press", "clear", "press", "clear", "clear"):
        await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": "{kind}"}}'})
    ends = [each.id for each in bench.events if isinstance(each, ButtonCleared)]
    assert len(set(ends)) == 2


async def test_the_end_of_a_second_press_is_another_also_where_presses_alone_have_ids() -> None:
    bench = Bench({"entry": {"dialect": "campus", "name": "东门岗亭"}})
    for said in ('"press", "id": "1"', '"clear"', '"press", "id": "2"', '"clear"', '"clear"'):
        await bench.play({"topic": "campus/east/button/btn-01/event", "payload": f'{{"type": {said}}}'})
    ends = [each.id for each in bench.events if isinstance(each, ButtonCleared)]
    assert len(set(ends)) == 2


@pytest.mark.parametrize(("told", "happened"), [("10.000", "10.900"), ("10.300", "10.300"), ("09.000", "09.000")])
def test_of_a_time_in_whole_seconds_the_arrival_within_that_second_knows_more(told: str, happened: str) -> None:
    """Cameras tell whole seconds: a press would stand before what led to it."""
    at, arrived = (datetime.fromisoformat(f"2026-01-01T00:00:{each}+00:00") for each in (told, "10.900"))
    press = PressBook("west", 2.0).event_of(
        DeviceSettings(id="booth", dialect="onvif", camera="cam-01", input="1"),
        Action(name="press", at=at),
        "press",
        Arrival(arrived, 5.0),
    )
    assert isinstance(press, ButtonPressed)
    assert press.time.isoformat(timespec="milliseconds") == f"2026-01-01T00:00:{happened}+00:00"
    assert press.device_time == at
