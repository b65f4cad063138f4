"""What a camera has told about itself, as plain values."""

from dataclasses import dataclass

from gateway.cameras.states import CameraState

CLOCK_TOLERANCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MediaProfile:
    """A media profile as the camera tells it; the stream itself may differ.

    `width`, `height` in pixels and `frames_per_second` are 0 and `codec` is empty where the camera does not tell;
    `moves`: it has PTZ.
    """

    token: str
    name: str
    width: int = 0
    height: int = 0
    codec: str = ""
    frames_per_second: float = 0.0
    moves: bool = False


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """A camera that was asked with success; addresses hold no credentials and the host that the installer typed.

    Attributes:
        stream: RTSP address of the main stream: the largest picture.
        sub_stream: RTSP address of the stream that is the cheapest to look at, or None if that is the main one.
        snapshot: HTTP address of a JPEG, or None if the camera has none.
        mac: its hardware address, as ``02:00:00:00:00:01``; empty if it does not tell.
        endpoint: its endpoint reference in lower case, by which it is found again; empty if it does not tell.
        choice: why one of several streams was taken, where its codec made the difference; else empty.
        clock_offset_seconds: how far the camera's clock is ahead of ours; None if it does not tell its time.
    """

    manufacturer: str
    model: str
    firmware: str
    serial: str
    profiles: tuple[MediaProfile, ...]
    stream: str
    sub_stream: str | None
    snapshot: str | None
    clock_offset_seconds: float | None
    mac: str = ""
    endpoint: str = ""
    choice: str = ""

    @property
    def identity(self) -> str:
        """What stays when the camera's address changes: its serial number, else its hardware address, else empty."""
        return f"{self.manufacturer}/{self.serial}" if self.serial else self.mac

    @property
    def state(self) -> CameraState:
        """`OK`, or `CLOCK_OFF` for a camera that works but whose clock differs by more than 5 s."""
        offset = self.clock_offset_seconds
        if offset is not None and abs(offset) > CLOCK_TOLERANCE_SECONDS:
            return CameraState.CLOCK_OFF
        return CameraState.OK
