"""How a stream is: values that a pipeline, a heartbeat or a page can show."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LossReason(StrEnum):
    """Why there is no picture."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    STALLED = "stalled"
    ENDED = "ended"
    CLOSED = "closed"
    INVALID_DATA = "invalid_data"
    NO_VIDEO = "no_video"
    CLOCK_JUMP = "clock_jump"
    CLOCK_STUCK = "clock_stuck"
    UNREADABLE = "unreadable"
    NO_FILE = "no_file"
    ELSEWHERE = "elsewhere"
    REDIRECTED = "redirected"
    FAILED = "failed"

    @property
    def remedy(self) -> str:
        """What somebody can do about it."""
        return _REMEDIES[self]


_REMEDIES = {
    LossReason.UNAUTHORIZED: "Check user name and password; ONVIF users are often separate from web users",
    LossReason.FORBIDDEN: "Give the camera's user the right to view the stream",
    LossReason.NOT_FOUND: "Check the path of the address; for a recording, that the file exists",
    LossReason.REFUSED: "Check the port, and that RTSP is switched on at the camera",
    LossReason.UNREACHABLE: "Check address, cable and power",
    LossReason.TIMEOUT: "The device does not answer: check address and network, or restart it",
    LossReason.BUSY: "The camera serves no more sessions: close other viewers or choose the sub-stream",
    LossReason.SERVER_ERROR: "The camera reports a fault of its own: restart it",
    LossReason.STALLED: "The connection stands but no picture comes: restart the camera if it stays",
    LossReason.ENDED: "The camera ended the stream; it is opened again",
    LossReason.CLOSED: "The connection broke; it is opened again",
    LossReason.INVALID_DATA: "What comes is no video that can be read: check the codec and the address",
    LossReason.NO_VIDEO: "The stream holds no video: choose another profile",
    LossReason.CLOCK_JUMP: "The camera's stream clock jumped; check its time synchronisation if it stays",
    LossReason.CLOCK_STUCK: "The camera's stream clock stands still: restart it or update its firmware",
    LossReason.UNREADABLE: "Give the gateway's user the right to read the file",
    LossReason.NO_FILE: "Give the path of a file: a directory, pipe, socket or device is no recording",
    LossReason.ELSEWHERE: "The address is in no network of cameras: correct it, or name its network in camera_networks",
    LossReason.REDIRECTED: "The camera sends whoever asks to another machine: give that one's address, if it is meant",
    LossReason.FAILED: "Look at the camera's own page; restart it if it stays",
}


@dataclass(frozen=True, slots=True)
class StreamConnecting:
    """The stream is being opened for the `attempt`-th time since it was last live."""

    since: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class StreamLive:
    """Pictures come.

    Attributes:
        width, height: of the stream itself, in pixels, whatever a profile says.
        codec: h264, hevc, …
    """

    since: datetime
    width: int
    height: int
    codec: str


@dataclass(frozen=True, slots=True)
class StreamLost:
    """No pictures come.

    Attributes:
        since: when this loss began; the same over all attempts.
        attempts: how often it was tried since then.
        retry_seconds: the pause before the next attempt; None if there will be none (a recording's end).
        detail: the kind of the library's exception, never its text; empty if it was none.
    """

    since: datetime
    reason: LossReason
    attempts: int
    retry_seconds: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """Not started yet, or stopped by its owner."""

    since: datetime


StreamState = StreamConnecting | StreamLive | StreamLost | StreamStopped
