"""Exceptions of the library become named reasons."""

import errno

import av.error
import pytest

from gateway.streams import LossReason
from gateway.streams.loss import StreamFaultError, opening_reason, reading_reason, reason_of


def raised(kind: type[BaseException], code: int = 1) -> BaseException:
    return kind(code, "rtsp://admin:secret@10.0.0.5/live")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (raised(av.error.HTTPUnauthorizedError), LossReason.UNAUTHORIZED),
        (raised(av.error.HTTPForbiddenError), LossReason.FORBIDDEN),
        (raised(av.error.HTTPNotFoundError), LossReason.NOT_FOUND),
        (raised(av.error.HTTPOtherClientError), LossReason.BUSY),
        (raised(av.error.HTTPServerError), LossReason.SERVER_ERROR),
        (raised(av.error.InvalidDataError), LossReason.INVALID_DATA),
        (raised(av.error.ExitError), LossReason.TIMEOUT),
        (raised(av.error.TimeoutError, errno.ETIMEDOUT), LossReason.TIMEOUT),
        (raised(av.error.ConnectionRefusedError, errno.ECONNREFUSED), LossReason.REFUSED),
        (raised(av.error.ConnectionResetError, errno.ECONNRESET), LossReason.CLOSED),
        (raised(av.error.BrokenPipeError, errno.EPIPE), LossReason.CLOSED),
        (raised(av.error.FileNotFoundError, errno.ENOENT), LossReason.NOT_FOUND),
        (raised(av.error.PermissionError, errno.EACCES), LossReason.UNREADABLE),
        (raised(av.error.OSError, errno.EHOSTUNREACH), LossReason.UNREACHABLE),
        (raised(av.error.OSError, errno.EIO), LossReason.UNREACHABLE),
        (StreamFaultError(LossReason.CLOCK_JUMP), LossReason.CLOCK_JUMP),
        (ZeroDivisionError(), LossReason.FAILED),
    ],
)
def test_the_type_decides(error: BaseException, reason: LossReason) -> None:
    assert reason_of(error) is reason


def test_bad_data_after_the_whole_timeout_was_a_silent_server() -> None:
    bad = raised(av.error.InvalidDataError)
    assert opening_reason(bad, 5.0, 5.0) is LossReason.TIMEOUT
    assert opening_reason(bad, 0.1, 5.0) is LossReason.INVALID_DATA
    assert opening_reason(raised(av.error.HTTPNotFoundError), 5.0, 5.0) is LossReason.NOT_FOUND


def test_a_timeout_after_pictures_is_a_stall() -> None:
    assert reading_reason(raised(av.error.ExitError)) is LossReason.STALLED
    assert reading_reason(raised(av.error.ConnectionResetError, errno.ECONNRESET)) is LossReason.CLOSED


def test_every_reason_has_a_remedy() -> None:
    assert all(reason.remedy for reason in LossReason)
