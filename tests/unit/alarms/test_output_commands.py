"""What each maker's siren or relay is told, on and off."""

import json
from typing import Any

import pytest

from gateway.alarms import output_command
from gateway.settings import OutputSettings


def told(on: bool, **more: Any) -> tuple[str, str]:
    message = output_command(OutputSettings(id="siren", **more), "east", on=on)
    return message.topic, message.payload.decode()


def as_json(on: bool, **more: Any) -> tuple[str, Any]:
    topic, payload = told(on, **more)
    return topic, json.loads(payload)


def test_the_own_profile() -> None:
    assert as_json(True) == ("campus/east/output/siren/set", {"on": True, "sound": True, "seconds": 180})
    assert as_json(False) == ("campus/east/output/siren/set", {"on": False, "sound": False})


def test_shelly_gen2_ends_by_itself() -> None:
    topic, body = as_json(True, kind="shelly", topic="shellyplus1-a8", channel=1, seconds=60)
    assert (topic, body["method"], body["params"]) == (
        "shellyplus1-a8/rpc",
        "Switch.Set",
        {"id": 1, "on": True, "toggle_after": 60},
    )
    _topic, body = as_json(False, kind="shelly", topic="shellyplus1-a8")
    assert body["params"] == {"id": 0, "on": False}


def test_shelly_gen1() -> None:
    assert told(True, kind="shelly_gen1", topic="shellies/b9") == ("shellies/b9/relay/0/command", "on")
    assert told(False, kind="shelly_gen1", topic="shellies/b9", channel=2) == ("shellies/b9/relay/2/command", "off")


def test_tasmota_ends_by_itself() -> None:
    assert told(True, kind="tasmota", topic="lamp", seconds=12) == ("cmnd/lamp/Backlog", "PulseTime1 112; Power1 ON")
    assert told(False, kind="tasmota", topic="lamp", channel=1) == ("cmnd/lamp/Power2", "OFF")


@pytest.mark.parametrize(("sounds", "mode"), [(True, "emergency"), (False, "stop")])
def test_zigbee2mqtt_warning(sounds: bool, mode: str) -> None:
    topic, body = as_json(True, kind="zigbee2mqtt", topic="zigbee2mqtt/siren", sounds=sounds, seconds=30)
    assert topic == "zigbee2mqtt/siren/set"
    assert (body["warning"]["mode"], body["warning"]["strobe"], body["warning"]["duration"]) == (mode, True, 30)
    _topic, body = as_json(False, kind="zigbee2mqtt", topic="zigbee2mqtt/siren")
    assert body == {"warning": {"mode": "stop", "strobe": False, "duration": 0}}
