"""Where cameras look on a press, and that a silent one moves none."""

from datetime import UTC, datetime

import pytest

from gateway.daemon.press_looks import looks_for
from gateway.events import ButtonPressed, ButtonTested, Event, PressKind
from gateway.settings import DeviceSettings
from gateway.wire import LookAt

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DEVICE = DeviceSettings(id="btn-01", looks={"cam-01": "2"}, look_seconds=30)


def pressed(kind: PressKind) -> Event:
    return ButtonPressed(id="1", source="/b", subject="btn-01", time=NOW, device="btn-01", kind=kind)


def test_a_press_turns_the_camera_and_back() -> None:
    looks = list(looks_for(pressed(PressKind.PRESS), DEVICE, {"cam-01": "1"}.__getitem__))

    assert looks == [LookAt(camera="cam-01", preset="2", back="1", seconds=30)]


@pytest.mark.parametrize("kind", [PressKind.SILENT, PressKind.DURESS])
def test_a_silent_press_moves_none(kind: PressKind) -> None:
    assert list(looks_for(pressed(kind), DEVICE, lambda _camera: "")) == []


def test_other_events_and_unknown_devices_move_none() -> None:
    test = ButtonTested(id="1", source="/b", subject="btn-01", time=NOW, device="btn-01")

    assert list(looks_for(test, DEVICE, lambda _camera: "")) == []
    assert list(looks_for(pressed(PressKind.PRESS), None, lambda _camera: "")) == []
