"""Every state has its remedy, and the errors say whether to try again."""

import pytest

from gateway.cameras import CameraDescription, CameraError, CameraState
from gateway.cameras.states import camera_error
from gateway.errors import PermanentError, TransientError


def _description(offset: float | None) -> CameraDescription:
    return CameraDescription("m", "x", "1", "s", (), "rtsp://h/", None, None, offset)


@pytest.mark.parametrize("state", [state for state in CameraState if state is not CameraState.OK])
def test_a_state_has_a_remedy_and_its_error_carries_both(state: CameraState) -> None:
    error = camera_error(state, "what", where="onvif://h:80")

    assert isinstance(error, CameraError)
    assert error.state is state
    assert error.remedy == state.remedy != ""
    assert isinstance(error, TransientError) is state.may_pass
    assert isinstance(error, PermanentError) is not state.may_pass


def test_a_wrong_password_is_not_tried_again_by_itself() -> None:
    assert not CameraState.CREDENTIALS_WRONG.may_pass
    assert CameraState.UNREACHABLE.may_pass


@pytest.mark.parametrize(
    ("offset", "state"),
    [
        (None, CameraState.OK),
        (0.4, CameraState.OK),
        (-5.0, CameraState.OK),
        (5.1, CameraState.CLOCK_OFF),
        (-86400.0, CameraState.CLOCK_OFF),
    ],
)
def test_a_clock_that_differs_is_a_state_of_a_working_camera(offset: float | None, state: CameraState) -> None:
    assert _description(offset).state is state
