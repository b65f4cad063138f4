"""What `doctor` says of cameras by what the running gateway sees of them."""

from typing import Any

import pytest

from gateway.cli import doctor
from gateway.settings import GatewaySettings, Settings


def test_a_camera_whose_address_answers_but_shows_nothing_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something answers at the address, as an MQTT endpoint does; only the gateway knows that it is no video."""
    body: dict[str, Any] = {
        "ready": True,
        "storage": {"faults": []},
        "key": {"ok": True, "detail": "", "remedy": ""},
        "watchlist": {"people": 0, "templates": 0, "left_out": 0, "model": "dlib"},
        "devices": {},
        "destinations": {},
        "cameras": {"cam-01": "live", "cam-03": "lost"},
        "figures": {"cam-03": {"reason": "invalid_data", "remedy": "Check the codec."}},
    }
    monkeypatch.setattr(doctor, "fetch_readiness", lambda _settings: body)
    found = {each.part: each for each in doctor._daemon(Settings(gateway=GatewaySettings(site="east")))}
    assert "picture of cam-01" not in found
    lost = found["picture of cam-03"]
    assert (lost.ok, lost.finding, lost.remedy) == (False, "lost: invalid_data", "Check the codec.")
