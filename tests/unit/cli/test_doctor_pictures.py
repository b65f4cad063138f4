"""What `doctor` says of cameras by what the running gateway sees of them."""

from typing import Any

import pytest

from gateway.cli import doctor
from gateway.settings import CameraSettings, GatewaySettings, Settings

BODY: dict[str, Any] = {
    "ready": True,
    "storage": {"faults": []},
    "key": {"ok": True, "detail": "", "remedy": ""},
    "watchlist": {"people": 0, "templates": 0, "left_out": 0, "model": "dlib"},
    "devices": {},
    "destinations": {},
    "cameras": {},
    "figures": {},
}


def test_a_watch_list_that_nobody_can_load_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    body = BODY | {
        "workers": {"gallery": "crash_loop", "video-1": "ready"},
        "worker_faults": {"gallery": {"what": "n.toml: sha256: another", "remedy": "Correct the key."}},
        "watchlist": {"people": 0, "templates": 0, "left_out": 0, "model": ""},
    }
    monkeypatch.setattr(doctor, "fetch_readiness", lambda _settings: body)
    found = {each.part: each for each in doctor._daemon(Settings(gateway=GatewaySettings(site="east")))}
    for part in ("watch-list", "worker gallery"):
        assert not found[part].ok
        assert "n.toml: sha256: another" in found[part].finding
        assert found[part].remedy == "Correct the key."
    assert "worker video-1" not in found


def test_a_camera_whose_address_answers_but_shows_nothing_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something answers at the address, as an MQTT endpoint does; only the gateway knows that it is no video."""
    body = BODY | {
        "cameras": {"cam-01": "live", "cam-03": "lost"},
        "figures": {"cam-03": {"reason": "invalid_data", "remedy": "Check the codec."}},
    }
    monkeypatch.setattr(doctor, "fetch_readiness", lambda _settings: body)
    found = {each.part: each for each in doctor._daemon(Settings(gateway=GatewaySettings(site="east")))}
    assert "picture of cam-01" not in found
    lost = found["picture of cam-03"]
    assert (lost.ok, lost.finding, lost.remedy) == (False, "lost: invalid_data", "Check the codec.")


@pytest.mark.parametrize(
    ("secret", "remedy"), [({"password_file": "/etc/west"}, "within 10 s"), ({"password": "p"}, "Restart the gateway")]
)
def test_a_password_that_is_right_now_is_said_to_be_untried(secret: dict[str, str], remedy: str) -> None:
    """The camera lets `doctor` in, and the gateway not yet: both are said, and when it will be."""
    camera = CameraSettings.model_validate({"id": "west", "url": "onvif://127.0.0.1", "username": "gate"} | secret)
    settings = Settings(gateway=GatewaySettings(site="east"), cameras=(camera,))
    lost = doctor.Finding("picture of west", False, "lost: credentials_wrong", "Check user name and password.")
    lets_in = doctor.Finding("camera west", True, "ok")
    found = doctor._with_own_try(lost, settings, [lets_in])
    assert not found.ok
    assert "has not tried that one yet" in found.finding
    assert remedy in found.remedy
    refused = doctor.Finding("camera west", False, "credentials_wrong")
    assert doctor._with_own_try(lost, settings, [refused]) == lost
    stalled = doctor.Finding("picture of west", False, "lost: stalled")
    assert doctor._with_own_try(stalled, settings, [lets_in]) == stalled
