"""A metadata stream that answers and tells nothing any more is lost; one that never tells states on request is not."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.cameras import CameraError, CameraState
from gateway.cameras.lane import Lane
from gateway.cameras.metadata.profile import MetadataSource
from gateway.cameras.metadata.stream import MetadataStream, MetadataWay
from gateway.cameras.soap import FaultError

DOCUMENT = (
    b'<MetadataStream><Event><NotificationMessage><Topic>Device/Trigger/DigitalInput</Topic><Message UtcTime="" '
    b'PropertyOperation="%s"><Data><SimpleItem Name="State" Value="1"/></Data></Message></NotificationMessage></Event>'
    b"</MetadataStream>"
)
STATES, CHANGE = DOCUMENT % b"Initialized", DOCUMENT % b"Changed"


@dataclass
class Camera:
    """Media service and session in one."""

    knows_synchronize: bool = True
    asked: int = 0
    told: list[bytes] = field(default_factory=list)
    closed: int = 0

    def synchronize(self, _source: MetadataSource) -> None:
        self.asked += 1
        if not self.knows_synchronize:
            raise FaultError(("ActionNotSupported",), "no")

    async def next(self) -> bytes | None:
        return self.told.pop(0) if self.told else None

    async def close(self) -> None:
        self.closed += 1


def opened(camera: Any) -> MetadataStream:
    way = MetadataWay(Lane("x", 5.0), lambda: None, camera, lambda _url: camera, "camera x")
    return MetadataStream(way, MetadataSource("http://x", "m", "p1", "rtsp://x"), camera)


async def minutes(stream: MetadataStream, camera: Camera, *told: bytes | None) -> None:
    """One look each minute, each with a document or none."""
    for document in told:
        stream._synchronize_at = 0.0
        camera.told = [document] if document else []
        await stream.next()


async def test_one_that_told_its_states_each_minute_and_does_so_no_more_is_stalled() -> None:
    camera = Camera()
    stream = opened(camera)
    await minutes(stream, camera, STATES, STATES, None, None, None)
    with pytest.raises(CameraError, match="brings no events any more") as error:
        await minutes(stream, camera, None)
    assert error.value.state is CameraState.STREAM_DEAD


async def test_one_that_tells_in_time_is_well() -> None:
    camera = Camera()
    stream = opened(camera)
    await minutes(stream, camera, STATES, STATES, *([None, None, STATES] * 5), *([None, None, CHANGE] * 5))
    assert camera.asked == 32


@pytest.mark.parametrize("knows", [True, False])
async def test_one_that_tells_its_states_at_the_start_alone_is_not_lost(knows: bool) -> None:
    camera = Camera(knows_synchronize=knows)
    stream = opened(camera)
    await minutes(stream, camera, STATES, CHANGE, *([None] * 20))
    await stream.close()
    assert camera.closed == 1
