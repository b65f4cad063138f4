"""A button that is wired to a camera's input: pressed by a change, never by a first word, lost with its camera."""

from typing import Any

import pytest
from harness.dialects import DEVICE, Bench
from pydantic import ValidationError

from gateway.alarms import Contact
from gateway.events import ButtonCleared, ButtonLost, ButtonPressed, ButtonRestored, Event, GatewayFault
from gateway.incidents import is_discreet
from gateway.settings import DeviceSettings


def wired(**entry: Any) -> Bench:
    return Bench({"entry": {"dialect": "onvif", "camera": "cam-01", "input": "1"} | entry})


async def say(bench: Bench, *, active: bool, initial: bool = False, camera: str = "cam-01", pin: str = "1") -> None:
    bench.clock.advance(5)
    contact = Contact(camera=camera, input=pin, active=active, initial=initial, at=bench.clock.now())
    await bench.listener.handle_contact(contact)


def kinds(bench: Bench) -> list[type[Event]]:
    return [type(event) for event in bench.events]


async def test_closing_is_a_press_and_opening_its_end() -> None:
    bench = wired()
    await say(bench, active=False, initial=True)
    await say(bench, active=True)
    await say(bench, active=False)

    assert kinds(bench) == [ButtonPressed, ButtonCleared]


async def test_a_normally_closed_contact_presses_by_opening() -> None:
    bench = wired(normally="closed")
    await say(bench, active=True, initial=True)
    await say(bench, active=False)

    assert kinds(bench) == [ButtonPressed]


async def test_how_it_is_at_first_is_no_press_but_a_fault_if_it_is_not_at_rest() -> None:
    bench = wired()
    await say(bench, active=True, initial=True)
    await say(bench, active=True, initial=True)

    assert [event.fault for event in bench.events if isinstance(event, GatewayFault)] == ["contact_at_start"]
    assert len(bench.events) == 1
    await say(bench, active=False)
    await say(bench, active=True)
    assert kinds(bench)[1:] == [ButtonCleared, ButtonPressed]


async def test_what_closed_while_nobody_heard_it_is_a_press_and_what_was_known_is_none() -> None:
    bench = wired()
    await say(bench, active=False, initial=True)
    await say(bench, active=False, initial=True)
    assert bench.events == []
    await say(bench, active=True, initial=True)
    await say(bench, active=True, initial=True)

    assert kinds(bench) == [ButtonPressed]
    pressed = bench.events[0]
    assert isinstance(pressed, ButtonPressed)
    assert pressed.detail == "changed while the camera was not heard"


async def test_its_state_outlives_the_process() -> None:
    before, after = wired(), wired()
    await say(before, active=False, initial=True)
    after.listener.restore(before.listener.memories().values(), [], [])
    await say(after, active=True, initial=True)

    assert kinds(after) == [ButtonPressed]


async def test_other_inputs_and_other_cameras_are_not_its_own() -> None:
    bench = wired()
    await say(bench, active=True, pin="2")
    await say(bench, active=True, camera="cam-02")

    assert kinds(bench) == [GatewayFault]


async def test_without_an_input_each_is_the_button() -> None:
    bench = wired(input="", actions={"contact": "silent"})
    await say(bench, active=True, pin="7")

    assert [event.kind for event in bench.events if isinstance(event, ButtonPressed)] == ["silent"]


async def test_it_is_lost_with_its_camera_and_comes_back_with_it() -> None:
    bench = wired()
    await bench.listener.note_heard("cam-01", heard=True)
    await bench.listener.note_heard("cam-01", heard=False)
    await bench.settle()
    assert kinds(bench) == [ButtonLost]

    await bench.listener.note_heard("cam-01", heard=True)
    assert kinds(bench) == [ButtonLost, ButtonRestored]
    assert bench.supervision.statuses()[0].via == "camera cam-01"


async def test_a_short_silence_of_the_camera_is_no_loss() -> None:
    bench = wired()
    await bench.listener.note_heard("cam-01", heard=False)
    await bench.listener.note_heard("cam-01", heard=True)
    await bench.settle()

    assert bench.events == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"dialect": "onvif"}, "needs it: the id of the camera"),
        ({"dialect": "campus", "camera": "cam-01"}, "camera belongs to"),
        ({"dialect": "onvif", "camera": "cam-01", "topic": "x"}, "no topic"),
        ({"dialect": "campus", "normally": "closed"}, "normally belongs to"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DeviceSettings.model_validate({"id": DEVICE} | entry)


async def test_a_camera_with_one_button_need_not_name_its_input() -> None:
    bench = wired()
    await say(bench, active=False, initial=True, pin="")
    await say(bench, active=True, pin="")

    assert kinds(bench) == [ButtonPressed]


async def test_a_contact_that_no_device_stands_for_is_a_fault_where_others_are_wired() -> None:
    """It may be the button, entered under another input."""
    bench = wired()
    await say(bench, active=False, initial=True, pin="2")
    assert bench.events == []
    await say(bench, active=True, pin="2")

    (fault,) = bench.events
    assert isinstance(fault, GatewayFault)
    assert (fault.fault, fault.reason) == ("unknown_device", "unknown_contact")


@pytest.mark.parametrize("meaning", ["silent", "duress"])
async def test_the_end_of_a_silent_press_is_as_silent_as_the_press(meaning: str) -> None:
    bench = wired(actions={"contact": meaning})
    await say(bench, active=False, initial=True)
    await say(bench, active=True)
    await say(bench, active=False)

    assert [is_discreet(each) for each in bench.events] == [True, True]
    assert bench.listener.is_quiet_contact("cam-01", "1")
    assert bench.listener.is_quiet_contact("cam-01", "")
    assert not bench.listener.is_quiet_contact("cam-01", "2")
    assert not wired().listener.is_quiet_contact("cam-01", "1")


async def test_the_end_of_a_silent_press_of_a_former_run_is_silent_too() -> None:
    before, after = wired(actions={"contact": "silent"}), wired(actions={"contact": "silent"})
    await say(before, active=False, initial=True)
    await say(before, active=True)
    after.listener.restore(before.listener.memories().values(), [], before.events)
    await say(after, active=False)

    (cleared,) = after.events
    assert isinstance(cleared, ButtonCleared)
    assert is_discreet(cleared)
