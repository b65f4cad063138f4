"""Calls to one camera: what they raise."""

import pytest

from gateway.cameras import CameraError, CameraState
from gateway.cameras.lane import Lane
from gateway.cameras.soap import FaultError


async def test_what_an_answer_made_of_a_library_is_a_state_of_the_camera(caplog: pytest.LogCaptureFixture) -> None:
    def call() -> None:
        raise KeyError("nonce of the password s3cret")

    with pytest.raises(CameraError) as error:
        await Lane("192.0.2.7", 5.0).run(call)

    assert error.value.state is CameraState.NOT_ONVIF
    assert "KeyError" in caplog.text
    assert "s3cret" not in caplog.text + str(error.value)


async def test_faults_stay_faults() -> None:
    def call() -> None:
        raise FaultError(("Sender",), "no")

    with pytest.raises(FaultError):
        await Lane("192.0.2.7", 5.0).run(call)


async def test_the_lane_is_free_behind_a_call_that_raised() -> None:
    lane = Lane("192.0.2.7", 5.0)
    with pytest.raises(CameraError):
        await lane.run(lambda: 1 // 0)

    assert await lane.run(lambda: 7) == 7
