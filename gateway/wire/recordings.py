"""What a camera has recorded itself: where it is played, and having a part of it brought."""

from dataclasses import dataclass

from gateway.wire.message import Message

NO_RECORDING = "no_recording"
"""The camera has no recording that can be searched and played, or none that is known to be its own."""
NOT_RECORDED = "not_recorded"
"""Its recording has nothing of that time."""
CREDENTIALS_WRONG = "credentials_wrong"
UNREACHABLE = "unreachable"
NOT_PLAYABLE = "not_playable"
"""What it plays cannot be read."""
WORKER_AWAY = "worker_away"
"""No child has the camera now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRequest(Message):
    """Parent to devices child: where does this camera play its own recording?"""

    request: int
    camera: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReply(Message):
    """Devices child to parent.

    Attributes:
        url: RTSP address without credentials; empty with a `refusal`, which is one of the reasons above.
        clock_offset_seconds: how far the camera's clock is ahead of ours.
    """

    request: int
    camera: str
    url: str = ""
    clock_offset_seconds: float = 0.0
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRecording(Message):
    """Parent to video child: bring this part of the camera's own recording as pieces of a clip.

    Attributes:
        evidence, event, person: as in `ClipPiece`.
        url: RTSP address without credentials.
        since, until: Unix seconds by the camera's clock.
    """

    evidence: str
    event: str
    camera: str
    person: str
    url: str
    since: float
    until: float
