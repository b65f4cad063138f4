"""Snapshots that are refused, as where ONVIF users are none of the camera's web page, close nothing else."""

from dataclasses import replace

import pytest
from harness.devices_bench import DESCRIBED

from gateway.cameras import CameraError, CameraState, Login, OnvifCamera
from gateway.cameras.description import MediaProfile
from gateway.cameras.http import Reply
from gateway.clock import ManualClock

ADDRESS = "http://10.0.0.5/snapshot"
PICTURE = b"\xff\xd8\xff" + bytes(200)


class Page:
    """The camera's web page."""

    def __init__(self) -> None:
        self.asked = 0
        self.lets_in = False

    def get(self, _url: str) -> Reply:
        self.asked += 1
        return Reply(200, {}, PICTURE) if self.lets_in else Reply(401, {}, b"")


def _camera(monkeypatch: pytest.MonkeyPatch, page: Page, clock: ManualClock) -> OnvifCamera:
    camera = OnvifCamera("onvif://10.0.0.5", Login("gate", "secret"), clock=clock)
    profile = MediaProfile(token="1", name="", width=640, height=360, codec="H264")
    camera._known = replace(DESCRIBED, snapshot=ADDRESS, profiles=(profile,))
    monkeypatch.setattr(camera._http, "get", page.get)
    monkeypatch.setattr(camera._inquiry, "snapshot", lambda _profile: ADDRESS)
    return camera


async def test_refused_snapshots_keep_no_event_and_no_probe_from_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    page, clock = Page(), ManualClock()
    camera = _camera(monkeypatch, page, clock)
    states = []
    for _ in range(5):
        with pytest.raises(CameraError) as refused:
            await camera.snapshot()
        states.append(refused.value.state)
    assert states == [CameraState.NO_SNAPSHOT] * 2 + [CameraState.CREDENTIALS_WRONG] * 3
    assert page.asked == 4, "the password is not tried for ever"
    camera._guard.check()
    page.lets_in = True
    clock.advance(1800)
    assert await camera.snapshot() == PICTURE
    await camera.close()
