"""Turns what the library raises into a named reason; its texts are dropped, for they hold the password."""

import errno

import av.error

from gateway.streams.states import LossReason

# FFmpeg has one type for all other 4xx answers; of these only 453 (Not Enough Bandwidth, RFC 2326 §11.3.10) is common.
_BY_TYPE: tuple[tuple[type[BaseException], LossReason], ...] = (
    (av.error.HTTPUnauthorizedError, LossReason.UNAUTHORIZED),
    (av.error.HTTPForbiddenError, LossReason.FORBIDDEN),
    (av.error.HTTPNotFoundError, LossReason.NOT_FOUND),
    (av.error.HTTPTooManyRequestsError, LossReason.BUSY),
    (av.error.HTTPOtherClientError, LossReason.BUSY),
    (av.error.HTTPServerError, LossReason.SERVER_ERROR),
    (av.error.HTTPError, LossReason.FAILED),
    (av.error.InvalidDataError, LossReason.INVALID_DATA),
    (av.error.ExitError, LossReason.TIMEOUT),
    (av.error.EOFError, LossReason.ENDED),
    (av.error.DecoderNotFoundError, LossReason.INVALID_DATA),
    (FileNotFoundError, LossReason.NOT_FOUND),
    (IsADirectoryError, LossReason.NOT_FOUND),
    (PermissionError, LossReason.UNREADABLE),
    (ConnectionRefusedError, LossReason.REFUSED),
    (ConnectionError, LossReason.CLOSED),
    (TimeoutError, LossReason.TIMEOUT),
)
# A name that cannot be resolved arrives as a bare EIO.
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL, errno.EIO}


class StreamFaultError(Exception):
    """The stream must be given up for a reason that was found here, not by the library."""

    def __init__(self, reason: LossReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def reason_of(error: BaseException) -> LossReason:
    """The reason behind an exception of PyAV or of this room; FAILED if it is unknown."""
    if isinstance(error, StreamFaultError):
        return error.reason
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return LossReason.UNREACHABLE
    return next((reason for kind, reason in _BY_TYPE if isinstance(error, kind)), LossReason.FAILED)


def opening_reason(error: BaseException, took_seconds: float, timeout_seconds: float) -> LossReason:
    """The reason why opening failed: a server that is silent before DESCRIBE looks like bad data, after the timeout."""
    reason = reason_of(error)
    late = took_seconds >= 0.9 * timeout_seconds
    return LossReason.TIMEOUT if late and reason is LossReason.INVALID_DATA else reason


def reading_reason(error: BaseException) -> LossReason:
    """The reason why reading failed: a timeout after pictures came is a stall."""
    reason = reason_of(error)
    return LossReason.STALLED if reason is LossReason.TIMEOUT else reason
