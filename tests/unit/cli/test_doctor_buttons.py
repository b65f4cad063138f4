"""What `doctor` says of buttons: one that is wired to a camera is mended by mending that."""

import tomllib
from typing import Any

import pytest

from gateway.cli.doctor import _buttons
from gateway.settings import parse_settings

ENTRIES = """
[gateway]
site = "west"
[storage]
directory = "/tmp/x"
[[cameras]]
id = "cam-01"
url = "onvif://127.0.0.1"
[[devices]]
id = "booth"
dialect = "onvif"
camera = "cam-01"
input = "1"
[[devices]]
id = "desk"
dialect = "campus"
"""


def found(state: str) -> dict[str, Any]:
    return {"state": state, "reason": "bridge", "last_seen": None, "battery": None}


@pytest.mark.parametrize("state", ["lost", "not_heard"])
def test_a_wired_button_that_is_not_heard_names_its_camera(state: str) -> None:
    settings = parse_settings(tomllib.loads(ENTRIES))
    (finding,) = _buttons(settings, {"booth": found(state)})
    assert not finding.ok
    assert "the contacts of cam-01 are not heard" in finding.finding
    assert "Mend the camera cam-01" in finding.remedy
    assert "MQTT" not in finding.remedy


def test_other_buttons_are_told_as_they_are() -> None:
    settings = parse_settings(tomllib.loads(ENTRIES))
    lost, silent, well = (next(_buttons(settings, {"desk": found(state)})) for state in ("lost", "not_heard", "ok"))
    assert (lost.ok, silent.ok, well.ok) == (False, True, True)
    assert "MQTT" in lost.remedy
    assert "press it once" in silent.finding
