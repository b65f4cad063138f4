"""What the tests of the ONVIF acceptance items share."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.cameras import CameraError, CameraState, OnvifCamera, Timeouts
from gateway.clock import Clock
from gateway.simulators.camera import SimulatedCamera

PASSWORD = "p@ss:w/rd#1"
JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Opened:
    """One simulated camera and the client that asks it."""

    simulated: SimulatedCamera
    client: OnvifCamera


class Bench(Protocol):
    """Opens a camera with quirks and a client with credentials."""

    def __call__(
        self,
        *quirks: str,
        username: str = "gate",
        password: str = PASSWORD,
        owner: str = "gate",
        fingerprint: str = "",
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
    ) -> AbstractAsyncContextManager[Opened]: ...


async def state_of(client: OnvifCamera) -> CameraState:
    """The state after one probe; an error must name its remedy and no password."""
    try:
        return (await client.probe()).state
    except CameraError as error:
        return checked(error).state


def checked(error: CameraError) -> CameraError:
    """The error, whose text holds the remedy of its state and no password."""
    told = str(error)
    if PASSWORD in told or error.state.remedy not in told:
        raise AssertionError(told) from None
    return error
